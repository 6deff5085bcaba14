/**
 * The origin's state machine: attempts and time go in, the state, its reason and the share for shadows come out.
 *
 *   healthy ⇄ strained      limits exceeded for seconds, but it answers
 *   any → failing           errors, late or no answers beyond chance: shadows take everything they can
 *   failing ⇄ down          down: nothing reaches it; only probes ask. Any answer makes it failing again
 *   failing → recovering    good probes and trials for the hold time
 *   recovering → healthy    every step of the return was good; → failing: one was not, and the next hold time is longer
 *
 * Owns all evidence. Must never do I/O, read a clock, or grow with traffic.
 */
import { GroupVerdicts, type GroupFinding } from './group-verdicts.ts';
import type { LatencyBook } from './latency-book.ts';
import { ProbeLog } from './probe-log.ts';
import { RecentWindow } from './recent-window.ts';
import { ReturnRamp, type RampOptions } from './return-ramp.ts';
import { StrainControl } from './strain.ts';
import { Suspicion, evidenceWeights, suspicionThreshold, type EvidenceWeights } from './suspicion.ts';
import type { OriginAttempt, OriginState, OriginTransition, OriginView } from './types.ts';
import { Wellness } from './wellness.ts';

export interface HealthOptions {
  readonly groups: number;
  readonly errorRate: number;
  readonly recovery: RampOptions;
  readonly probe: { readonly intervalMs: number; readonly timeoutMs: number };
}

const historyMax = 100;
const silenceMs = 400;
const refreshEveryMs = 100;
const secondMs = 1000;
const trialEveryMs = 1000;
const trialsUnderWayMax = 2;
const probesToFail = 3;
const probesToConfirm = 2;
const refusalsToDown = 3;
const timeoutsToDown = 3;
/** While traffic returns, a false alarm at the error limit may come once in this time; while well, once a day. */
const recoveringHorizonFraction = 600 / 86_400;
/** A relapse this soon after a return counts as its setback. */
const relapseMs = 60_000;
/** Answers of a strained origin teach this much of what is usual, so that a lasting change is accepted in the end. */
const strainedWeight = 0.1;

export class OriginHealth {
  readonly #weights: EvidenceWeights;
  readonly #book: LatencyBook;
  readonly #probes: ProbeLog;
  readonly #window = new RecentWindow();
  readonly #groups: GroupVerdicts;
  readonly #suspicion: Suspicion;
  readonly #wellness: Wellness;
  readonly #ramp: ReturnRamp;
  readonly #strain: StrainControl;
  readonly #history: OriginTransition[] = [];
  readonly #onChange: (change: OriginTransition) => void;
  #view: OriginView;
  #refreshedMs: number;
  #secondMs: number;
  #threshold: number;
  #triedMs = Number.NEGATIVE_INFINITY;
  #trialsUnderWay = 0;
  #goodMs = Number.NEGATIVE_INFINITY;
  #answeredMs = Number.NEGATIVE_INFINITY;
  #refusals = 0;
  #refusedMs = Number.NEGATIVE_INFINITY;
  #timeouts = 0;
  #healthySinceMs = Number.NEGATIVE_INFINITY;
  #generateBadGroup = -2;

  constructor(options: HealthOptions, book: LatencyBook, nowMs: number, onChange: (change: OriginTransition) => void) {
    this.#weights = evidenceWeights(options.errorRate);
    this.#book = book;
    this.#onChange = onChange;
    this.#probes = new ProbeLog(options.probe.intervalMs, options.probe.timeoutMs);
    this.#groups = new GroupVerdicts(options.groups, this.#weights);
    this.#suspicion = new Suspicion(this.#weights);
    this.#wellness = new Wellness(this.#weights);
    this.#ramp = new ReturnRamp(options.recovery, options.errorRate);
    this.#strain = new StrainControl(options.errorRate);
    this.#threshold = suspicionThreshold(this.#weights, 0);
    this.#view = { state: 'healthy', because: 'nothing speaks against it', share: 0, sinceMs: nowMs };
    this.#refreshedMs = nowMs;
    this.#secondMs = nowMs;
  }

  get view(): OriginView {
    return this.#view;
  }

  get state(): OriginState {
    return this.#view.state;
  }

  get window(): RecentWindow {
    return this.#window;
  }

  get groups(): GroupVerdicts {
    return this.#groups;
  }

  get history(): readonly OriginTransition[] {
    return this.#history;
  }

  /** The shortest time until traffic can begin to return. */
  holdRemainingMs(nowMs: number): number {
    return this.#wellness.remainingMs(nowMs);
  }

  trialDue(nowMs: number): boolean {
    return this.#view.state === 'failing' && nowMs - this.#triedMs >= trialEveryMs
      && this.#trialsUnderWay < trialsUnderWayMax && this.#probes.allowsTrial(this.#view.sinceMs);
  }

  trialTaken(nowMs: number): void {
    this.#triedMs = nowMs;
    this.#trialsUnderWay++;
  }

  takeProbe(nowMs: number): boolean {
    const doubtful = this.#isWell() && this.#suspicion.worthAsking(this.#threshold);
    const unconfirmed = this.#view.state === 'failing' && this.#probes.unreachableInARow < probesToConfirm
      && nowMs - this.#view.sinceMs < secondMs;
    return this.#probes.take(nowMs, doubtful || unconfirmed);
  }

  observe(attempt: OriginAttempt): void {
    this.refresh(attempt.atMs);
    if (attempt.kind === 'trial' && attempt.outcome !== 'late' && this.#trialsUnderWay > 0) this.#trialsUnderWay--;
    if (attempt.outcome === 'aborted') return;
    this.#countUnreachable(attempt);
    if (attempt.kind === 'probe') this.#observeProbe(attempt);
    else if (attempt.kind === 'generate') this.#observeGenerate(attempt);
    else this.#observePerson(attempt);
  }

  /** Lets time do its part. Cheap when called often; `observe` calls it too. */
  refresh(nowMs: number): void {
    if (nowMs - this.#refreshedMs < refreshEveryMs) return;
    this.#refreshedMs = nowMs;
    this.#book.refresh(nowMs);
    if (nowMs - this.#secondMs >= secondMs) this.#refreshSecond(nowMs);
    if (this.#view.state === 'recovering') this.#advance(nowMs);
    else if (this.#view.state === 'failing' && this.#trialsUnderWay === 0 && this.#wellness.ready(nowMs, this.#triedMs)) this.#recover(nowMs);
    else if (this.#isWell() && this.#suspicion.silent(nowMs, this.#threshold, silenceMs)) this.#fail(nowMs, 'no answer in time');
  }

  #refreshSecond(nowMs: number): void {
    this.#secondMs = nowMs;
    this.#groups.refresh(nowMs);
    const perSecond = this.#window.answersPerSecond(nowMs);
    this.#threshold = suspicionThreshold(this.#weights, this.#isWell() ? perSecond : perSecond * recoveringHorizonFraction);
    if (!this.#isWell()) return;
    this.#wellness.forget(nowMs);
    this.#strain.evaluate(this.#window, nowMs);
    const share = this.#strain.share;
    if (share > 0 && this.#view.state === 'healthy') this.#change(nowMs, 'strained', this.#strain.because, share);
    else if (share === 0 && this.#view.state === 'strained') this.#change(nowMs, 'healthy', 'within its limits again', 0);
    else if (share !== this.#view.share) this.#view = { ...this.#view, share };
  }

  #observeProbe(attempt: OriginAttempt): void {
    const verdict = this.#probes.observe(attempt, this.#view.state === 'healthy');
    const nowMs = attempt.atMs;
    if (this.#view.state === 'failing' || this.#view.state === 'down') {
      if (verdict !== 'bad') this.#answers(nowMs);
      if (verdict === 'good') this.#wellness.good(nowMs, false);
      else if (verdict === 'bad' && this.#probes.believed) this.#wellness.bad(nowMs);
      this.#considerDown(nowMs);
      return;
    }
    if (verdict !== 'bad' || this.#goodMs > this.#probes.failingSinceMs) return;
    const failed = this.#probes.failedInARow;
    const doubtful = this.#view.state === 'recovering' || this.#suspicion.worthAsking(this.#threshold);
    if (failed >= probesToFail || (failed >= probesToConfirm && doubtful)) {
      this.#fail(nowMs, `${failed} probes failed`);
      this.#considerDown(nowMs);
    }
  }

  /** Our own fetches: errors are evidence, but one URL or route that always fails is not the site. */
  #observeGenerate(attempt: OriginAttempt): void {
    if (!this.#isWell()) return;
    if (attempt.outcome === 'ok') this.#suspicion.good(attempt.atMs);
    else if (attempt.route !== this.#generateBadGroup) {
      this.#generateBadGroup = attempt.route;
      this.#suspect(attempt);
    }
  }

  #observePerson(attempt: OriginAttempt): void {
    if (this.#isBygone(attempt)) return;
    const nowMs = attempt.atMs;
    const group = attempt.route;
    if (attempt.outcome === 'late') {
      if (this.#view.state === 'recovering') this.#ramp.answered('slow');
      if (this.#groups.status(group) === 'broken') return;
      this.#react(attempt, this.#groups.late(group, nowMs), 'late');
    } else if (attempt.outcome === 'ok' && attempt.latencyMs <= this.#book.tolerableMs(group)) {
      this.#learn(attempt);
      const finding = attempt.afterLate === true ? this.#groups.lateButUseful(group, nowMs) : this.#groups.good(group, nowMs);
      this.#react(attempt, finding, 'good');
    } else this.#react(attempt, this.#groups.bad(group, nowMs), 'bad');
  }

  /** What began before the present state says nothing about it, except that what answers, however badly, is not down. */
  #isBygone(attempt: OriginAttempt): boolean {
    if (attempt.atMs - attempt.latencyMs >= this.#view.sinceMs) return false;
    const isSlowAnswer = attempt.outcome === 'ok' && attempt.latencyMs > this.#book.tolerableMs(attempt.route);
    if (isSlowAnswer && (this.#view.state === 'failing' || this.#view.state === 'down')) this.#answers(attempt.atMs);
    return true;
  }

  #react(attempt: OriginAttempt, finding: GroupFinding, evidence: 'good' | 'bad' | 'late'): void {
    if (finding === 'own') return;
    if (finding === 'broke') {
      this.#suspicion.reset();
      return;
    }
    if (evidence === 'good') this.#sawGood(attempt);
    else if (evidence === 'bad') this.#sawBad(attempt, finding === 'site');
    else if (this.#view.state !== 'failing' && this.#view.state !== 'down') {
      this.#suspicion.late(attempt.atMs, this.#threshold);
      if (this.#suspicion.silent(attempt.atMs, this.#threshold, silenceMs)) this.#fail(attempt.atMs, 'no answer in time');
    }
  }

  #sawGood(attempt: OriginAttempt): void {
    const nowMs = attempt.atMs;
    this.#goodMs = nowMs;
    this.#probes.contradicted();
    this.#window.good(nowMs, attempt.latencyMs, this.#book.slowMs(attempt.route));
    if (this.#view.state === 'failing' || this.#view.state === 'down') {
      this.#answers(nowMs);
      this.#wellness.good(nowMs, true);
      return;
    }
    if (attempt.afterLate === true) this.#suspicion.lateButUseful(nowMs);
    else this.#suspicion.good(nowMs);
    if (this.#view.state === 'recovering' && attempt.afterLate !== true) {
      this.#ramp.answered(attempt.latencyMs > this.#book.slowMs(attempt.route) ? 'slow' : 'good');
    }
  }

  #sawBad(attempt: OriginAttempt, siteFails: boolean): void {
    const nowMs = attempt.atMs;
    if (attempt.outcome === 'ok') this.#window.good(nowMs, attempt.latencyMs, this.#book.slowMs(attempt.route));
    else this.#window.bad(nowMs);
    if (this.#view.state === 'failing' || this.#view.state === 'down') {
      if (attempt.outcome !== 'refused' && attempt.outcome !== 'timeout') this.#answers(nowMs);
      // Attempts begun before the present run of good answers belong to the run before it.
      if (nowMs - attempt.latencyMs >= (this.#wellness.sinceMs ?? nowMs)) this.#wellness.bad(nowMs);
      this.#considerDown(nowMs);
      return;
    }
    if (this.#view.state === 'recovering') this.#ramp.answered('bad');
    if (siteFails) this.#fail(nowMs, causeOf(attempt));
    else this.#suspect(attempt);
  }

  #suspect(attempt: OriginAttempt): void {
    this.#suspicion.bad(attempt.atMs, this.#threshold);
    if (this.#suspicion.faults >= this.#threshold) this.#fail(attempt.atMs, causeOf(attempt));
  }

  #learn(attempt: OriginAttempt): void {
    const state = this.#view.state;
    const unknown = this.#book.usualP95Ms() === undefined;
    const weight = state === 'healthy' || (unknown && state === 'recovering') ? 1 : state === 'strained' ? strainedWeight : 0;
    if (weight > 0) this.#book.learn(attempt.route, attempt.latencyMs, weight);
  }

  #countUnreachable(attempt: OriginAttempt): void {
    if (attempt.outcome === 'refused') {
      this.#refusals++;
      this.#refusedMs = attempt.atMs;
    } else if (attempt.outcome === 'timeout' && attempt.kind !== 'probe') this.#timeouts++;
    else if (attempt.outcome !== 'late' && attempt.outcome !== 'timeout' && attempt.atMs - attempt.latencyMs >= this.#refusedMs) {
      this.#refusals = 0;
      this.#timeouts = 0;
    }
  }

  /** Something came back: it is not down, whatever else it is. */
  #answers(nowMs: number): void {
    this.#answeredMs = nowMs;
    if (this.#view.state === 'down') this.#change(nowMs, 'failing', 'it answers again', 1);
  }

  #considerDown(nowMs: number): void {
    if (this.#view.state !== 'failing') return;
    const unreachable = this.#probes.unreachableInARow;
    const silentSinceFailing = this.#answeredMs < this.#view.sinceMs && unreachable >= probesToConfirm;
    if (unreachable >= 1 && this.#refusals >= refusalsToDown) this.#change(nowMs, 'down', 'connections are refused', 1);
    else if (silentSinceFailing || (unreachable >= 1 && this.#timeouts >= timeoutsToDown)) this.#change(nowMs, 'down', 'nothing is answered', 1);
  }

  #fail(nowMs: number, because: string): void {
    if (this.#view.state === 'recovering' || nowMs - this.#healthySinceMs < relapseMs) this.#wellness.setback(nowMs);
    this.#wellness.restart();
    this.#suspicion.reset();
    this.#groups.clear();
    this.#ramp.stop();
    this.#strain.reset();
    this.#trialsUnderWay = 0;
    this.#change(nowMs, 'failing', because, 1);
  }

  #recover(nowMs: number): void {
    this.#ramp.start(nowMs);
    this.#suspicion.reset();
    this.#change(nowMs, 'recovering', 'probes and trials are answered well', 1 - this.#ramp.returned);
  }

  #advance(nowMs: number): void {
    const change = this.#ramp.advance(nowMs);
    if (change === 'held') return;
    if (change === 'given-up') this.#fail(nowMs, 'the returned share was answered worse than usual');
    else if (change === 'done') {
      this.#healthySinceMs = nowMs;
      this.#strain.reset();
      this.#change(nowMs, 'healthy', 'the whole share has returned', 0);
    } else this.#view = { ...this.#view, share: 1 - this.#ramp.returned };
  }

  #isWell(): boolean {
    return this.#view.state === 'healthy' || this.#view.state === 'strained';
  }

  #change(nowMs: number, to: OriginState, because: string, share: number): void {
    const change = { atMs: nowMs, from: this.#view.state, to, because };
    this.#view = { state: to, because, share, sinceMs: nowMs };
    this.#history.push(change);
    if (this.#history.length > historyMax) this.#history.shift();
    this.#onChange(change);
  }
}

function causeOf(attempt: OriginAttempt): string {
  switch (attempt.outcome) {
    case 'refused': return 'connections are refused';
    case 'timeout': return 'requests time out';
    case 'error-status': return 'requests are answered with errors';
    case 'cut': return 'answers end before they are whole';
    case 'late': case 'ok': return 'answers are too slow';
    case 'aborted': return 'clients left';
  }
}

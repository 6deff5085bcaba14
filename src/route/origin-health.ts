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
import { Reachability } from './reachability.ts';
import { ReturnRamp, type RampOptions } from './return-ramp.ts';
import { StateLog } from './state-log.ts';
import { StrainControl } from './strain.ts';
import { Suspicion, evidenceWeights, suspicionThreshold, type EvidenceWeights } from './suspicion.ts';
import type { OriginAttempt, OriginTransition, OriginView } from './types.ts';
import { Wellness } from './wellness.ts';

export interface HealthOptions {
  /** Whether the origin has no room for what has been given back to it. */
  readonly isCrowded: () => boolean;
  readonly groups: number;
  readonly errorRate: number;
  readonly recovery: RampOptions;
  readonly probe: { readonly intervalMs: number; readonly timeoutMs: number };
}

const silenceMs = 400;
const refreshEveryMs = 100;
const secondMs = 1000;
const trialsUnderWayMax = 2;
/** A trial nobody has reported on by then is taken for lost. */
const trialForgottenMs = 120_000;
const probesToFail = 3;
const probesToConfirm = 2;
/** While traffic returns, a false alarm at the error limit may come once in this time; while well, once a day. */
const recoveringHorizonFraction = 600 / 86_400;
/** A relapse this soon after a return counts as its setback. */
const relapseMs = 60_000;
/** Useful answers of an origin that is not well teach this much of what is usual, so that a lasting change is accepted in the end. */
const strainedWeight = 0.1;
const recoveringWeight = 0.05;

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
  readonly #log: StateLog;
  readonly #isCrowded: () => boolean;
  readonly #reach = new Reachability();
  #refreshedMs: number;
  #secondMs: number;
  #threshold: number;
  #triedMs = Number.NEGATIVE_INFINITY;
  #trialsUnderWay = 0;
  #goodMs = Number.NEGATIVE_INFINITY;
  #healthySinceMs = Number.NEGATIVE_INFINITY;
  #generateBadGroup = -2;
  #failingSinceMs = Number.NEGATIVE_INFINITY;
  /** Probes were answered well while requests failed: they can not tell when it is over. */
  #probesBlind = false;

  constructor(options: HealthOptions, book: LatencyBook, nowMs: number, onChange: (change: OriginTransition) => void) {
    this.#weights = evidenceWeights(options.errorRate);
    this.#book = book;
    this.#isCrowded = options.isCrowded;
    this.#log = new StateLog(nowMs, onChange);
    this.#probes = new ProbeLog(options.probe.intervalMs, options.probe.timeoutMs);
    this.#groups = new GroupVerdicts(options.groups, this.#weights);
    this.#suspicion = new Suspicion(this.#weights);
    this.#wellness = new Wellness(this.#weights);
    this.#ramp = new ReturnRamp(options.recovery, options.errorRate);
    this.#strain = new StrainControl(options.errorRate);
    this.#threshold = suspicionThreshold(this.#weights, 0);
    this.#refreshedMs = nowMs;
    this.#secondMs = nowMs;
  }

  get view(): OriginView {
    return this.#log.view;
  }

  get window(): RecentWindow {
    return this.#window;
  }

  get groups(): GroupVerdicts {
    return this.#groups;
  }

  get history(): readonly OriginTransition[] {
    return this.#log.history;
  }

  /** The shortest time until traffic can begin to return. */
  holdRemainingMs(nowMs: number): number {
    return this.#wellness.remainingMs(nowMs);
  }

  trialDue(nowMs: number): boolean {
    if (this.#trialsUnderWay >= trialsUnderWayMax) return false;
    const everyMs = this.#probes.trialEveryMs(this.#failingSinceMs);
    return nowMs - Math.max(this.#triedMs, this.#failingSinceMs) >= everyMs;
  }

  trialTaken(nowMs: number): void {
    this.#triedMs = nowMs;
    this.#trialsUnderWay++;
  }

  takeProbe(nowMs: number): boolean {
    const doubtful = this.#isWell() && this.#suspicion.worthAsking(this.#threshold);
    const unconfirmed = this.#log.view.state === 'failing' && this.#probes.unreachableInARow < probesToConfirm
      && nowMs - this.#failingSinceMs < secondMs;
    return this.#probes.take(nowMs, doubtful || unconfirmed);
  }

  observe(attempt: OriginAttempt): void {
    this.refresh(attempt.atMs);
    if (attempt.kind === 'trial' && attempt.outcome !== 'late' && this.#trialsUnderWay > 0) this.#trialsUnderWay--;
    if (attempt.outcome === 'aborted') return;
    this.#reach.observe(attempt);
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
    if (this.#log.view.state === 'recovering') this.#advance(nowMs);
    else if (this.#log.view.state === 'failing' && this.#trialsUnderWay === 0 && this.#wellness.ready(nowMs, this.#triedMs, this.#probesBlind)) this.#recover(nowMs);
    else if (this.#isWell() && this.#suspicion.silent(nowMs, this.#threshold, silenceMs)) this.#fail(nowMs, 'no answer in time');
  }

  #refreshSecond(nowMs: number): void {
    this.#secondMs = nowMs;
    if (this.#trialsUnderWay > 0 && nowMs - this.#triedMs > trialForgottenMs) this.#trialsUnderWay = 0;
    this.#groups.refresh(nowMs);
    this.#adaptThreshold(nowMs);
    if (!this.#isWell()) return;
    this.#wellness.forget(nowMs);
    this.#strain.evaluate(this.#window, nowMs);
    const share = this.#strain.share;
    if (share > 0 && this.#log.view.state === 'healthy') this.#log.change(nowMs, 'strained', this.#strain.because, share);
    else if (share === 0 && this.#log.view.state === 'strained') this.#log.change(nowMs, 'healthy', 'within its limits again', 0);
    else this.#log.reshare(share);
  }

  #adaptThreshold(nowMs: number): void {
    const perSecond = this.#window.answersPerSecond(nowMs);
    this.#threshold = suspicionThreshold(this.#weights, this.#isWell() ? perSecond : perSecond * recoveringHorizonFraction);
  }

  #observeProbe(attempt: OriginAttempt): void {
    const verdict = this.#probes.observe(attempt, this.#log.view.state === 'healthy');
    const nowMs = attempt.atMs;
    if (this.#isFailing()) {
      if (verdict !== 'bad') this.#answers(nowMs);
      if (verdict === 'good') this.#wellness.good(nowMs, false);
      else if (verdict === 'bad' && this.#probes.believed) this.#wellness.bad(nowMs);
      this.#considerDown(nowMs);
      return;
    }
    if (verdict !== 'bad' || this.#goodMs > this.#probes.failingSinceMs) return;
    const failed = this.#probes.failedInARow;
    const doubtful = this.#log.view.state === 'recovering' || this.#suspicion.worthAsking(this.#threshold);
    const isUnknown = this.#goodMs === Number.NEGATIVE_INFINITY && this.#probes.lastGoodMs === Number.NEGATIVE_INFINITY;
    if (failed >= probesToFail || (failed >= probesToConfirm && doubtful) || (failed > 0 && isUnknown)) {
      this.#fail(nowMs, failed === 1 ? 'the first probe failed' : `${failed} probes failed`);
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
      if (this.#log.view.state === 'recovering') this.#ramp.answered('slow');
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
    const startedMs = attempt.atMs - attempt.latencyMs;
    if (!this.#isFailing()) return startedMs < this.#log.view.sinceMs;
    const isGood = attempt.outcome === 'ok' && attempt.latencyMs <= this.#book.tolerableMs(attempt.route);
    if (isGood) return startedMs < this.#failingSinceMs;
    // What is bad and began before the present run of good answers belongs to the time before it.
    if (startedMs >= (this.#wellness.sinceMs ?? this.#failingSinceMs)) return false;
    if (attempt.outcome === 'ok') this.#answers(attempt.atMs);
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
    else if (!this.#isFailing()) {
      this.#suspicion.late(attempt.atMs, this.#threshold);
      if (this.#suspicion.silent(attempt.atMs, this.#threshold, silenceMs)) this.#fail(attempt.atMs, 'no answer in time');
    }
  }

  #sawGood(attempt: OriginAttempt): void {
    const nowMs = attempt.atMs;
    this.#goodMs = nowMs;
    this.#probes.contradicted(attempt.kind === 'trial');
    this.#window.good(nowMs, attempt.latencyMs, this.#book.slowMs(attempt.route));
    if (this.#isFailing()) {
      this.#answers(nowMs);
      this.#wellness.good(nowMs, true);
      return;
    }
    if (attempt.afterLate === true) this.#suspicion.lateButUseful(nowMs);
    else this.#suspicion.good(nowMs);
    if (this.#log.view.state === 'recovering' && attempt.afterLate !== true) {
      this.#ramp.answered(attempt.latencyMs > this.#book.slowMs(attempt.route) ? 'slow' : 'good');
    }
  }

  #sawBad(attempt: OriginAttempt, siteFails: boolean): void {
    const nowMs = attempt.atMs;
    if (attempt.outcome === 'ok') this.#window.good(nowMs, attempt.latencyMs, this.#book.slowMs(attempt.route));
    else this.#window.bad(nowMs);
    if (this.#isFailing()) {
      if (attempt.outcome !== 'refused' && attempt.outcome !== 'timeout') this.#answers(nowMs);
      if (this.#probes.lastGoodMs > this.#failingSinceMs) this.#probesBlind = true;
      this.#wellness.bad(nowMs);
      this.#considerDown(nowMs);
      return;
    }
    if (this.#log.view.state === 'recovering') this.#ramp.answered('bad');
    if (siteFails) this.#fail(nowMs, causeOf(attempt));
    else this.#suspect(attempt);
  }

  #suspect(attempt: OriginAttempt): void {
    this.#suspicion.bad(attempt.atMs, this.#threshold);
    if (this.#suspicion.faults >= this.#threshold) this.#fail(attempt.atMs, causeOf(attempt));
  }

  #learn(attempt: OriginAttempt): void {
    const weight = this.#learningWeight();
    if (weight > 0) this.#book.learn(attempt.route, attempt.latencyMs, weight);
  }

  #learningWeight(): number {
    switch (this.#log.view.state) {
      case 'healthy': return 1;
      case 'strained': return strainedWeight;
      case 'recovering': return this.#book.usualP95Ms() === undefined ? 1 : recoveringWeight;
      case 'failing': case 'down': return 0;
    }
  }

  /** Something came back: it is not down, whatever else it is. */
  #answers(nowMs: number): void {
    this.#reach.answered(nowMs);
    if (this.#log.view.state === 'down') this.#log.change(nowMs, 'failing', 'it answers again', 1);
  }

  #considerDown(nowMs: number): void {
    if (this.#log.view.state !== 'failing') return;
    const because = this.#reach.downBecause(nowMs, this.#failingSinceMs, this.#probes);
    if (because !== undefined) this.#log.change(nowMs, 'down', because, 1);
  }

  #fail(nowMs: number, because: string): void {
    if (this.#log.view.state === 'recovering' || nowMs - this.#healthySinceMs < relapseMs) this.#wellness.setback(nowMs);
    this.#wellness.restart();
    this.#probesBlind = this.#probes.lastGoodMs > (this.#suspicion.sinceMs ?? nowMs);
    this.#failingSinceMs = nowMs;
    this.#suspicion.reset();
    this.#groups.clear();
    this.#ramp.stop();
    this.#strain.reset();
    this.#trialsUnderWay = 0;
    this.#log.change(nowMs, 'failing', because, 1);
  }

  #recover(nowMs: number): void {
    this.#ramp.start(nowMs);
    this.#suspicion.reset();
    this.#log.change(nowMs, 'recovering', 'probes and trials are answered well', 1 - this.#ramp.returned);
    this.#adaptThreshold(nowMs);
  }

  #advance(nowMs: number): void {
    const change = this.#ramp.advance(nowMs, this.#isCrowded());
    if (change === 'held') return;
    if (change === 'given-up') this.#fail(nowMs, 'the returned share was answered worse than usual');
    else if (change === 'done') {
      this.#healthySinceMs = nowMs;
      this.#strain.reset();
      this.#log.change(nowMs, 'healthy', 'the whole share has returned', 0);
      this.#adaptThreshold(nowMs);
    } else this.#log.reshare(1 - this.#ramp.returned);
  }

  #isFailing(): boolean {
    return this.#log.view.state === 'failing' || this.#log.view.state === 'down';
  }

  #isWell(): boolean {
    return this.#log.view.state === 'healthy' || this.#log.view.state === 'strained';
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

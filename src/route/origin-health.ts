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
import { bearingOf } from './bearing.ts';
import { causeOf } from './cause.ts';
import { GroupVerdicts, type GroupFinding } from './group-verdicts.ts';
import { learningWeight, type LatencyBook } from './latency-book.ts';
import { NewUsual } from './new-usual.ts';
import { ProbeLog } from './probe-log.ts';
import { RecentWindow } from './recent-window.ts';
import { Reachability } from './reachability.ts';
import { ReturnRamp, type RampOptions } from './return-ramp.ts';
import { SiteEvidence } from './site-evidence.ts';
import { StateLog } from './state-log.ts';
import { StrainControl } from './strain.ts';
import { evidenceWeights } from './suspicion.ts';
import { Trials } from './trials.ts';
import type { OriginAttempt, OriginTransition } from './types.ts';
import { Wellness } from './wellness.ts';

export interface HealthOptions {
  /** Whether the origin has no room for what has been given back to it. */
  readonly isCrowded: () => boolean;
  /** Answers that take so many times as long have been accepted as usual. */
  readonly onSlower: (factor: number) => void;
  readonly groups: number;
  readonly errorRate: number;
  readonly recovery: RampOptions;
  readonly probe: { readonly intervalMs: number; readonly timeoutMs: number };
}

const refreshEveryMs = 100;
const secondMs = 1000;
/** A relapse this soon after a return counts as its setback. */
const relapseMs = 60_000;

export class OriginHealth {
  /** The last ten seconds of people's requests. */
  readonly window = new RecentWindow();
  readonly groups: GroupVerdicts;
  readonly trials = new Trials();
  /** The present view and the transitions to it. */
  readonly log: StateLog;
  readonly #book: LatencyBook;
  readonly #probes: ProbeLog;
  readonly #evidence: SiteEvidence;
  readonly #wellness: Wellness;
  readonly #ramp: ReturnRamp;
  readonly #strain: StrainControl;
  readonly #newUsual: NewUsual;
  readonly #isCrowded: () => boolean;
  readonly #reach = new Reachability();
  #refreshedMs: number;
  #secondMs: number;
  #goodMs = Number.NEGATIVE_INFINITY;
  #healthySinceMs = Number.NEGATIVE_INFINITY;
  #failingSinceMs = Number.NEGATIVE_INFINITY;
  /** Probes were answered well while requests failed: they can not tell when it is over. */
  #probesBlind = false;
  #acceptedMs = Number.NEGATIVE_INFINITY;

  constructor(options: HealthOptions, book: LatencyBook, nowMs: number, onChange: (change: OriginTransition) => void) {
    const weights = evidenceWeights(options.errorRate);
    this.#book = book;
    this.#isCrowded = options.isCrowded;
    this.log = new StateLog(nowMs, onChange);
    this.#probes = new ProbeLog(options.probe.intervalMs, options.probe.timeoutMs);
    this.#newUsual = new NewUsual(book, this.#probes, options);
    this.groups = new GroupVerdicts(options.groups, weights);
    this.#evidence = new SiteEvidence(weights);
    this.#wellness = new Wellness(weights);
    this.#ramp = new ReturnRamp(options.recovery, options.errorRate);
    this.#strain = new StrainControl(options.errorRate);
    this.#refreshedMs = nowMs;
    this.#secondMs = nowMs;
  }

  /** Whether one probe or request was ever answered well. */
  get proven(): boolean {
    return this.#goodMs > Number.NEGATIVE_INFINITY || this.#probes.lastGoodMs > Number.NEGATIVE_INFINITY;
  }

  /** The shortest time until traffic can begin to return. */
  holdRemainingMs(nowMs: number): number {
    return this.#wellness.remainingMs(nowMs);
  }

  trialDue(nowMs: number): boolean {
    return this.trials.isDue(nowMs, this.#failingSinceMs, this.#probes.trialEveryMs(this.#failingSinceMs));
  }

  takeProbe(nowMs: number): boolean {
    const doubtful = this.#isWell() && this.#evidence.worthAsking;
    const unconfirmed = this.log.view.state === 'failing' && !this.#probes.confirmUnreachable && nowMs - this.#failingSinceMs < secondMs;
    return this.#probes.take(nowMs, doubtful || unconfirmed);
  }

  observe(attempt: OriginAttempt): void {
    this.refresh(attempt.atMs);
    if (attempt.kind === 'trial' && attempt.outcome !== 'late') this.trials.ended();
    if (attempt.outcome === 'aborted') return;
    this.#reach.observe(attempt);
    if (attempt.kind === 'probe') this.#observeProbe(attempt);
    else if (attempt.kind !== 'generate') this.#observePerson(attempt);
    else if (this.#isWell() && this.#evidence.generated(attempt)) this.#fail(attempt.atMs, causeOf(attempt));
  }

  /** Lets time do its part. Cheap when called often; `observe` calls it too. */
  refresh(nowMs: number): void {
    if (nowMs - this.#refreshedMs < refreshEveryMs) return;
    this.#refreshedMs = nowMs;
    this.#book.refresh(nowMs);
    if (nowMs - this.#secondMs >= secondMs) this.#refreshSecond(nowMs);
    if (this.log.view.state === 'recovering') this.#advance(nowMs);
    else if (this.log.view.state === 'failing') this.#considerReturn(nowMs);
    else if (this.#isWell() && this.#evidence.isSilent(nowMs)) this.#fail(nowMs, 'no answer in time');
  }

  #refreshSecond(nowMs: number): void {
    this.#secondMs = nowMs;
    this.trials.forget(nowMs, false);
    this.groups.refresh(nowMs);
    this.#evidence.adapt(this.window, nowMs, this.#isWell());
    if (!this.#isWell()) {
      this.#considerSlower(nowMs);
      return;
    }
    this.#wellness.forget(nowMs);
    this.#strain.evaluate(this.window, nowMs);
    const share = this.#strain.share;
    if (share > 0 && this.log.view.state === 'healthy') this.log.change(nowMs, 'strained', this.#strain.because, share);
    else if (share === 0 && this.log.view.state === 'strained') this.log.change(nowMs, 'healthy', 'within its limits again', 0);
    else this.log.reshare(share);
  }

  #observeProbe(attempt: OriginAttempt): void {
    const verdict = this.#probes.observe(attempt, this.log.view.state === 'healthy');
    const nowMs = attempt.atMs;
    if (!this.#isWell()) this.#newUsual.observe(attempt, verdict === 'slow');
    if (this.#isFailing()) {
      if (verdict !== 'bad') this.#answers(nowMs);
      if (verdict === 'good') this.#wellness.good(nowMs, false);
      else if (verdict === 'bad' && this.#probes.believed) this.#wellness.bad(nowMs);
      this.#considerDown(nowMs);
      return;
    }
    if (!this.#probesBlind || verdict !== 'good') this.#ramp.probed({ sentMs: nowMs - attempt.latencyMs, isGood: verdict === 'good' });
    if (verdict !== 'bad' || this.#goodMs > this.#probes.failingSinceMs) return;
    const because = this.#probes.failureBecause(this.log.view.state === 'recovering' || this.#evidence.worthAsking, this.proven);
    if (because === undefined) return;
    this.#fail(nowMs, because);
    this.#considerDown(nowMs);
  }

  #observePerson(attempt: OriginAttempt): void {
    if (!this.#isWell()) this.#newUsual.observe(attempt, attempt.latencyMs > this.#book.slowMs(attempt.route));
    const { state, sinceMs } = this.log.view;
    const bearing = bearingOf(attempt, this.#book, { state, sinceMs, failingSinceMs: this.#failingSinceMs, wellSinceMs: this.#wellness.sinceMs });
    if (bearing === 'evidence') this.#weigh(attempt);
    else if (bearing === 'reachable') this.#answers(attempt.atMs);
    else if (bearing === 'latency') this.#learn(attempt);
  }

  #weigh(attempt: OriginAttempt): void {
    const nowMs = attempt.atMs;
    const group = attempt.route;
    if (attempt.outcome === 'late') {
      if (this.log.view.state === 'recovering') this.#ramp.answered('slow');
      if (this.groups.status(group) === 'broken') return;
      this.#react(attempt, this.groups.late(group, nowMs), 'late');
    } else if (attempt.outcome === 'ok' && attempt.latencyMs <= this.#book.tolerableMs(group)) {
      this.#learn(attempt);
      const finding = attempt.afterLate === true ? this.groups.lateButUseful(group, nowMs) : this.groups.good(group, nowMs);
      this.#react(attempt, finding, 'good');
    } else this.#react(attempt, this.groups.bad(group, nowMs), 'bad');
  }

  #react(attempt: OriginAttempt, finding: GroupFinding, evidence: 'good' | 'bad' | 'late'): void {
    if (finding === 'own') return;
    if (finding === 'broke') {
      this.#evidence.reset();
      return;
    }
    if (evidence === 'good') this.#sawGood(attempt);
    else if (evidence === 'bad') this.#sawBad(attempt, finding === 'site');
    else if (!this.#isFailing() && this.#evidence.late(attempt.atMs)) this.#fail(attempt.atMs, 'no answer in time');
  }

  #sawGood(attempt: OriginAttempt): void {
    const nowMs = attempt.atMs;
    this.#goodMs = nowMs;
    this.#probes.contradicted(attempt.kind === 'trial');
    this.window.good(nowMs, attempt.kind === 'write' ? undefined : attempt.latencyMs, this.#book.slowMs(attempt.route));
    if (this.#isFailing()) {
      this.#answers(nowMs);
      this.#wellness.good(nowMs, true);
      return;
    }
    this.#evidence.good(attempt);
    if (this.log.view.state === 'recovering' && attempt.afterLate !== true) {
      this.#ramp.answered(attempt.kind !== 'write' && attempt.latencyMs > this.#book.slowMs(attempt.route) ? 'slow' : 'good');
    }
  }

  #sawBad(attempt: OriginAttempt, siteFails: boolean): void {
    const nowMs = attempt.atMs;
    if (attempt.outcome === 'ok') this.window.good(nowMs, attempt.latencyMs, this.#book.slowMs(attempt.route));
    else this.window.bad(nowMs);
    if (this.#isFailing()) {
      if (attempt.outcome !== 'refused' && attempt.outcome !== 'timeout') this.#answers(nowMs);
      if (this.#probes.lastGoodMs > this.#failingSinceMs) this.#probesBlind = true;
      this.#wellness.bad(nowMs);
      this.#considerDown(nowMs);
      return;
    }
    if (this.log.view.state === 'recovering') this.#ramp.answered('bad');
    if (siteFails || this.#evidence.bad(nowMs)) this.#fail(nowMs, causeOf(attempt));
  }

  #learn(attempt: OriginAttempt): void {
    const weight = attempt.kind === 'write' ? 0 : learningWeight(this.log.view.state, this.#book.usualP95Ms() !== undefined);
    if (weight > 0) this.#book.learn(attempt.route, attempt.latencyMs, weight);
  }

  /** Something came back: it is not down, whatever else it is. */
  #answers(nowMs: number): void {
    this.#reach.answered(nowMs);
    if (this.log.view.state === 'down') this.log.change(nowMs, 'failing', 'it answers again', 1);
  }

  #considerDown(nowMs: number): void {
    if (this.log.view.state !== 'failing') return;
    const because = this.#reach.downBecause(nowMs, this.#failingSinceMs, this.#probes);
    if (because !== undefined) this.log.change(nowMs, 'down', because, 1);
  }

  #fail(nowMs: number, because: string): void {
    if (this.log.view.state === 'recovering' || nowMs - this.#healthySinceMs < relapseMs) this.#wellness.setback(nowMs);
    if (this.#isWell()) this.#newUsual.restart(nowMs);
    this.#wellness.restart();
    this.#probesBlind = this.#probes.lastGoodMs > (this.#evidence.sinceMs ?? nowMs);
    this.#failingSinceMs = nowMs;
    this.#evidence.reset();
    this.groups.clear();
    this.#ramp.stop();
    this.#strain.reset();
    this.trials.forget(nowMs, true);
    this.log.change(nowMs, 'failing', because, 1);
  }

  #considerReturn(nowMs: number): void {
    if (this.trials.isUnderWay || !this.#wellness.ready(nowMs, this.trials.takenMs, this.#probesBlind)) return;
    this.#return(nowMs, 'probes and trials are answered well');
  }

  /** What has been slow for long, and nothing else, is taken for what it is now. */
  #considerSlower(nowMs: number): void {
    const told = this.#newUsual.consider(nowMs);
    if (told === undefined || (told === 'by probes' && this.#probesBlind)) return;
    this.#acceptedMs = nowMs;
    if (this.log.view.state === 'recovering') this.#ramp.resample(nowMs);
    else if (this.log.view.state === 'failing') this.#return(nowMs, 'slower than before, but steadily for ten minutes: accepted as usual');
  }

  #return(nowMs: number, because: string): void {
    this.#ramp.start(nowMs);
    this.#evidence.reset();
    this.log.change(nowMs, 'recovering', because, 1 - this.#ramp.returned);
    this.#evidence.adapt(this.window, nowMs, false);
  }

  #advance(nowMs: number): void {
    const change = this.#ramp.advance(nowMs, this.#isCrowded());
    if (change === 'held') return;
    if (change === 'given-up') this.#fail(nowMs, 'the returned share was answered worse than usual');
    else if (change === 'done') {
      const isSlower = this.#acceptedMs >= this.log.view.sinceMs;
      this.#healthySinceMs = nowMs;
      this.#strain.reset();
      this.log.change(nowMs, 'healthy', isSlower ? 'the whole share has returned; slower answers are accepted as usual' : 'the whole share has returned', 0);
      this.#evidence.adapt(this.window, nowMs, true);
    } else this.log.reshare(1 - this.#ramp.returned);
  }

  #isFailing(): boolean {
    return this.log.view.state === 'failing' || this.log.view.state === 'down';
  }

  #isWell(): boolean {
    return this.log.view.state === 'healthy' || this.log.view.state === 'strained';
  }
}

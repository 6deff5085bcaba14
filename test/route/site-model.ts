/**
 * A site in virtual time: visitors in an open loop, an edge that does what `OriginRouting` decides, and an origin that
 * fails as it is told. Everything follows from the seed. What is measured is what visitors and the origin would notice.
 */
import type { Random } from '../../src/kernel/index.ts';
import { seededRandom } from '../../src/kernel/index.ts';
import { OriginRouting, type AttemptOutcome, type CopyAtHand, type Decision, type OriginTransition, type RoutedRequest } from '../../src/route/index.ts';
import { EventQueue } from './event-queue.ts';

export type Fault = 'none' | 'refused' | 'hanging' | 'slow' | 'errors' | 'cut';

/** How the origin treats a request that comes at this time. */
export interface OriginModel {
  readonly fault: (nowMs: number, group: number, random: Random) => Fault;
  readonly serviceMs: (nowMs: number, random: Random) => number;
  /** Requests it can serve at once; one more is an error. Infinity by default. */
  readonly capacity?: (nowMs: number) => number;
  /** Whether its probe path shows the fault too. */
  readonly probeHonest?: boolean;
}

export interface SiteOptions {
  readonly seed: number;
  readonly endMs: number;
  readonly requestsPerSecond: number;
  readonly groups: number;
  readonly origin: OriginModel;
  readonly fastestMs: number;
  readonly copy?: CopyAtHand;
  /** Fraction of requests without a copy. */
  readonly uncovered?: number;
  readonly aborts?: (nowMs: number) => number;
  /** How many positions visitors have; 2000 by default. One client's requests are as many as another's. */
  readonly clients?: number;
  /** Boundaries of the phases that are measured apart. */
  readonly phasesMs: readonly number[];
}

export interface PhaseResult {
  readonly waitsMs: number[];
  coveredFailed: number;
  uncoveredFailed: number;
  uncoveredRefused: number;
  served: number;
  readonly asked: { request: number; trial: number; probe: number };
  inFlightMax: number;
  /** Requests beyond what the origin can serve at once. */
  overCapacity: number;
}

export interface SiteResult {
  readonly phases: readonly PhaseResult[];
  readonly transitions: readonly OriginTransition[];
  readonly brokenGroups: ReadonlySet<number>;
  /** Share for shadows, sampled every 100 ms. */
  readonly shares: readonly { readonly atMs: number; readonly share: number; readonly state: string }[];
  /** What the origin had of the requests that could go either way while it had a part of them: one entry a second. */
  readonly seconds: readonly PartialSecond[];
  /** Requests of clients that had been moved back to a recovering origin, and those of them that shadows answered all the same. */
  readonly movedBack: { requests: number; strayed: number };
  readonly routing: OriginRouting;
}

interface PartialSecond {
  readonly atMs: number;
  eligible: number;
  asked: number;
  /** The largest part the origin had in this second. */
  part: number;
}

const epochMs = 1_700_000_000_000;
const clientsUsual = 2000;
const firstByteMs = 10_000;
const probe = { intervalMs: 2000, timeoutMs: 1000 };
const refusedAfterMs = 1;
const slowMs = 3000;

export function runSite(options: SiteOptions): SiteResult {
  return new Site(options).run();
}

class Site {
  readonly #options: SiteOptions;
  readonly #random: Random;
  readonly #queue = new EventQueue();
  readonly #transitions: OriginTransition[] = [];
  readonly #shares: { atMs: number; share: number; state: string }[] = [];
  readonly #brokenGroups = new Set<number>();
  readonly #phases: PhaseResult[];
  readonly #routing: OriginRouting;
  readonly #positions: readonly number[];
  readonly #seconds: PartialSecond[] = [];
  readonly #movedBack = { requests: 0, strayed: 0 };
  #atOrigin = 0;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#phases = [...options.phasesMs, options.endMs].map(() => ({
      waitsMs: [], coveredFailed: 0, uncoveredFailed: 0, uncoveredRefused: 0, served: 0,
      asked: { request: 0, trial: 0, probe: 0 }, inFlightMax: 0, overCapacity: 0,
    }));
    this.#positions = Array.from({ length: options.clients ?? clientsUsual }, () => this.#random.below(4_294_967_296));
    this.#routing = new OriginRouting({
      routes: options.groups, probe, limits: { latencyP95Ms: undefined, errorRate: 0.05 },
      recovery: { firstStep: 0.01, fastestMs: options.fastestMs }, rescueAfterMs: 'auto',
      onChange: (change) => this.#transitions.push(change),
    }, epochMs);
  }

  run(): SiteResult {
    this.#queue.add(0, (nowMs) => { this.#arrive(nowMs); });
    this.#queue.add(0, (nowMs) => { this.#tick(nowMs); });
    this.#queue.runUntil(this.#options.endMs);
    return {
      phases: this.#phases, transitions: this.#transitions.map((change) => ({ ...change, atMs: change.atMs - epochMs })),
      brokenGroups: this.#brokenGroups, shares: this.#shares, seconds: this.#seconds, movedBack: this.#movedBack, routing: this.#routing,
    };
  }

  #phase(nowMs: number): PhaseResult {
    const { phasesMs } = this.#options;
    let i = 0;
    while (i < phasesMs.length && nowMs >= (phasesMs[i] ?? 0)) i++;
    const phase = this.#phases[i];
    if (!phase) throw new Error('a phase exists for every time');
    return phase;
  }

  #arrive(nowMs: number): void {
    this.#queue.add(nowMs + this.#random.exponential(1000 / this.#options.requestsPerSecond), (at) => { this.#arrive(at); });
    const isCovered = this.#random.next() >= (this.#options.uncovered ?? 0);
    this.#route({
      method: 'read', onlyIfCached: false, shadowAllowed: true, copy: isCovered ? (this.#options.copy ?? 'stale') : 'none',
      route: this.#random.below(this.#options.groups), position: this.#positions[this.#random.below(this.#positions.length)] ?? 0,
    }, nowMs, nowMs);
  }

  #route(request: RoutedRequest, arrivedMs: number, nowMs: number): void {
    const phase = this.#phase(arrivedMs);
    const decision = this.#routing.decide(request, epochMs + nowMs);
    if (request.copy === 'stale') this.#countPart(request.position, decision, nowMs);
    if (decision.action === 'origin' || decision.action === 'origin-or-rescue') {
      this.#attempt(request, decision, arrivedMs, nowMs);
    } else if (decision.action === 'refuse') {
      if (nowMs - arrivedMs < decision.waitMs) this.#queue.add(nowMs + 50, (at) => { this.#route(request, arrivedMs, at); });
      else if (request.copy === 'none') phase.uncoveredRefused++;
      else phase.coveredFailed++;
    } else {
      phase.served++;
      phase.waitsMs.push(nowMs - arrivedMs);
    }
  }

  #countPart(position: number, decision: Decision, nowMs: number): void {
    const { state, share } = this.#routing.view();
    if (state !== 'recovering' && state !== 'strained') return;
    const atMs = Math.floor(nowMs / 1000) * 1000;
    let second = this.#seconds.at(-1);
    if (second?.atMs !== atMs) this.#seconds.push(second = { atMs, eligible: 0, asked: 0, part: 0 });
    second.eligible++;
    second.part = Math.max(second.part, 1 - share);
    if (decision.action === 'origin-or-rescue') second.asked++;
    if (state !== 'recovering' || position >= (1 - share) * 4_294_967_296) return;
    this.#movedBack.requests++;
    if (decision.action !== 'origin-or-rescue') this.#movedBack.strayed++;
  }

  #attempt(request: RoutedRequest, decision: Decision, arrivedMs: number, nowMs: number): void {
    const kind = this.#routing.kindOf(decision);
    const phase = this.#phase(nowMs);
    phase.asked[kind === 'trial' ? 'trial' : 'request']++;
    this.#routing.begin();
    const ending = this.#originEnding(request.route, nowMs, false);
    const abort = this.#random.next() < (this.#options.aborts?.(nowMs) ?? 0);
    const canRescue = decision.action === 'origin-or-rescue';
    const lateAtMs = nowMs + decision.rescueAfterMs;
    const isLate = canRescue && ending.atMs > lateAtMs;
    if (isLate) {
      this.#queue.add(lateAtMs, (at) => {
        phase.waitsMs.push(at - arrivedMs);
        this.#routing.observe({ atMs: epochMs + at, outcome: 'late', latencyMs: at - nowMs, route: request.route, kind });
      });
    }
    this.#queue.add(ending.atMs, (at) => {
      ending.leave();
      const outcome = abort && !isLate ? 'aborted' : ending.outcome;
      this.#routing.observe({ atMs: epochMs + at, outcome, latencyMs: at - nowMs, route: request.route, kind, ...(isLate ? { afterLate: true } : {}) });
      if (isLate) return;
      if (outcome === 'ok' || canRescue || outcome === 'aborted') phase.waitsMs.push(at - arrivedMs);
      else phase.uncoveredFailed++;
    });
  }

  /** What the origin makes of a request, and when. */
  #originEnding(group: number, nowMs: number, isProbe: boolean): { atMs: number; outcome: AttemptOutcome; leave: () => void } {
    const { origin } = this.#options;
    const fault = isProbe && origin.probeHonest === false ? 'none' : origin.fault(nowMs, group, this.#random);
    if (fault === 'refused') return { atMs: nowMs + refusedAfterMs, outcome: 'refused', leave: () => undefined };
    const timeoutMs = isProbe ? probe.timeoutMs : firstByteMs;
    const phase = this.#phase(nowMs);
    const capacity = origin.capacity?.(nowMs) ?? Number.POSITIVE_INFINITY;
    if (!isProbe && this.#atOrigin >= capacity) {
      phase.overCapacity++;
      return { atMs: nowMs + refusedAfterMs, outcome: 'error-status', leave: () => undefined };
    }
    if (!isProbe) this.#atOrigin++;
    phase.inFlightMax = Math.max(phase.inFlightMax, this.#atOrigin);
    const serviceMs = origin.serviceMs(nowMs, this.#random) + (fault === 'slow' ? slowMs : 0);
    const leave = (): void => { if (!isProbe) this.#atOrigin--; };
    if (fault === 'hanging' || serviceMs > timeoutMs) return { atMs: nowMs + timeoutMs, outcome: 'timeout', leave };
    return { atMs: nowMs + serviceMs, outcome: fault === 'errors' ? 'error-status' : fault === 'cut' ? 'cut' : 'ok', leave };
  }

  #tick(nowMs: number): void {
    this.#queue.add(nowMs + 100, (at) => { this.#tick(at); });
    this.#routing.tick(epochMs + nowMs);
    const { share, state } = this.#routing.view();
    this.#shares.push({ atMs: nowMs, share, state });
    for (const group of this.#routing.brokenGroups()) this.#brokenGroups.add(group);
    if (!this.#routing.takeProbe(epochMs + nowMs)) return;
    this.#phase(nowMs).asked.probe++;
    const ending = this.#originEnding(-1, nowMs, true);
    this.#queue.add(ending.atMs, (at) => {
      ending.leave();
      this.#routing.observe({ atMs: epochMs + at, outcome: ending.outcome, latencyMs: at - nowMs, route: -1, kind: 'probe' });
    });
  }
}

/** The wait that 99 of 100 visitors do not exceed. */
export function p99(waitsMs: readonly number[]): number {
  if (waitsMs.length === 0) return 0;
  const sorted = Float64Array.from(waitsMs).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
}

/** About 15 ms, now and then three times as long. */
export function ordinaryServiceMs(_nowMs: number, random: Random): number {
  return 8 + random.exponential(7);
}

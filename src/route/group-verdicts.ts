/**
 * Verdicts on single route groups, so that one broken route is served from shadows while the rest stays with the origin.
 * A group whose answers are bad beyond chance is broken if other groups were answered well meanwhile; if none was, the
 * site is what fails. A broken group is tried once a second and returns by doublings.
 */
import { Suspicion, suspicionThreshold, type EvidenceWeights } from './suspicion.ts';
import { Wellness } from './wellness.ts';

const trialEveryMs = 1000;
const returnStart = 1 / 16;
const returnStepMs = 2000;
const silenceMs = 1000;
const rateSmoothing = 0.2;

export type GroupStatus = 'well' | 'broken' | 'returning';
/** What an observation of a group means beyond it: nothing; it counts for the site; this group alone is broken from now; the site fails. */
export type GroupFinding = 'own' | 'shared' | 'broke' | 'site';

class Group {
  readonly suspicion: Suspicion;
  readonly wellness: Wellness;
  status: GroupStatus = 'well';
  returned = 1;
  stepMs = 0;
  triedMs = Number.NEGATIVE_INFINITY;
  perSecond = 0;
  counted = 0;
  threshold: number;

  constructor(weights: EvidenceWeights) {
    this.suspicion = new Suspicion(weights);
    this.wellness = new Wellness(weights);
    this.threshold = suspicionThreshold(weights, 0);
  }
}

export class GroupVerdicts {
  readonly #weights: EvidenceWeights;
  readonly #groups: readonly Group[];
  #notWell = 0;
  #goodGroup = -1;
  #goodMs = Number.NEGATIVE_INFINITY;
  #goodOtherMs = Number.NEGATIVE_INFINITY;

  constructor(count: number, weights: EvidenceWeights) {
    this.#weights = weights;
    this.#groups = Array.from({ length: count }, () => new Group(weights));
  }

  status(group: number): GroupStatus {
    return this.#notWell === 0 ? 'well' : (this.#groups[group]?.status ?? 'well');
  }

  /** Fraction of clients on the origin's side, for a returning group. */
  returned(group: number): number {
    return this.#groups[group]?.returned ?? 1;
  }

  /** Groups that are broken or returning. */
  notWell(): readonly number[] {
    if (this.#notWell === 0) return [];
    const found: number[] = [];
    for (let i = 0; i < this.#groups.length; i++) if (this.status(i) !== 'well') found.push(i);
    return found;
  }

  trialDue(group: number, nowMs: number): boolean {
    const own = this.#groups[group];
    return own?.status === 'broken' && nowMs - own.triedMs >= trialEveryMs;
  }

  tried(group: number, nowMs: number): void {
    const own = this.#groups[group];
    if (own) own.triedMs = nowMs;
  }

  good(group: number, nowMs: number): GroupFinding {
    const own = this.#groups[group];
    if (!own) return 'shared';
    own.counted++;
    own.suspicion.good(nowMs);
    if (own.status === 'broken') {
      own.wellness.good(nowMs, true);
      return 'own';
    }
    if (group !== this.#goodGroup) {
      this.#goodOtherMs = this.#goodMs;
      this.#goodGroup = group;
    }
    this.#goodMs = nowMs;
    return own.status === 'well' ? 'shared' : 'own';
  }

  lateButUseful(group: number, nowMs: number): GroupFinding {
    this.#groups[group]?.suspicion.lateButUseful(nowMs);
    return this.good(group, nowMs);
  }

  bad(group: number, nowMs: number): GroupFinding {
    const own = this.#groups[group];
    if (!own) return 'shared';
    own.counted++;
    if (own.status === 'broken') {
      own.wellness.bad(nowMs);
      return 'own';
    }
    own.suspicion.bad(nowMs, own.threshold);
    return this.#judge(group, own, nowMs);
  }

  late(group: number, nowMs: number): GroupFinding {
    const own = this.#groups[group];
    if (!own) return 'shared';
    if (own.status === 'broken') return 'own';
    own.suspicion.late(nowMs, own.threshold);
    return this.#judge(group, own, nowMs);
  }

  /** The site's verdict has replaced the groups'. */
  clear(): void {
    for (const group of this.#groups) {
      group.suspicion.reset();
      group.wellness.restart();
      group.status = 'well';
      group.returned = 1;
    }
    this.#notWell = 0;
  }

  /** Lets broken groups return, and rates follow traffic. Once a second. */
  refresh(nowMs: number): void {
    for (const group of this.#groups) {
      if (group.counted > 0 || group.perSecond > 0) {
        group.perSecond = group.perSecond * (1 - rateSmoothing) + group.counted * rateSmoothing;
        if (group.perSecond < 0.001) group.perSecond = 0;
        group.counted = 0;
        group.threshold = suspicionThreshold(this.#weights, group.perSecond);
      }
      if (group.status === 'broken' && group.wellness.ready(nowMs, group.triedMs, true)) {
        group.status = 'returning';
        group.returned = returnStart;
        group.stepMs = nowMs;
      } else if (group.status === 'returning' && nowMs - group.stepMs >= returnStepMs) {
        this.#grow(group, nowMs);
      } else if (group.status === 'well') group.wellness.forget(nowMs);
    }
  }

  #grow(group: Group, nowMs: number): void {
    group.stepMs = nowMs;
    if (group.returned < 1) {
      group.returned = Math.min(1, group.returned * 2);
      return;
    }
    group.status = 'well';
    this.#notWell--;
  }

  #judge(group: number, own: Group, nowMs: number): GroupFinding {
    const sinceMs = own.suspicion.sinceMs;
    if (sinceMs === undefined || !own.suspicion.proven(nowMs, own.threshold, silenceMs)) return own.status === 'well' ? 'shared' : 'own';
    const elsewhereMs = group === this.#goodGroup ? this.#goodOtherMs : this.#goodMs;
    if (own.status === 'well' && elsewhereMs <= sinceMs) return 'site';
    if (own.status === 'returning') own.wellness.setback(nowMs);
    else this.#notWell++;
    own.status = 'broken';
    own.returned = 0;
    own.wellness.restart();
    own.suspicion.reset();
    own.triedMs = nowMs;
    return 'broke';
  }
}

/** Plays schedules side by side over one simulated site and scores them: expected harmonic penalty and freshness of what people would have been shown. */
import { entire } from '../../src/generate/plan/crawl-value.ts';
import { seededRandom } from '../../src/kernel/index.ts';
import { evenOptimum, lambdaCrawlCost, lambdaCrawlRates } from './optimum.ts';
import type { Policy } from './policies.ts';
import type { SimulatedSite } from './simulated-site.ts';

export interface PlayFacts {
  readonly site: SimulatedSite;
  readonly policies: readonly Policy[];
  /** Refreshes a minute. */
  readonly budget: number;
  readonly minutes: number;
  /** Left out of the score: rates are being learned, copies spread out. */
  readonly warmUpMinutes: number;
  readonly passive: Float64Array;
  readonly seed: number;
}

export interface Score {
  readonly name: string;
  /** Expected harmonic number of the changes missed, per request. */
  readonly penalty: number;
  /** Of requests, those shown the newest page. */
  readonly fresh: number;
  readonly refreshes: number;
}

export interface PlayResult {
  readonly scores: readonly Score[];
  /** Mean over time of the cost of LambdaCrawl's closed form, and of the best even intervals, both at the true rates. */
  readonly closedForm: number;
  readonly evenOptimum: number;
}

class Track {
  readonly policy: Policy;
  readonly madeAt: Float64Array;
  readonly hazardAt: Float64Array;
  readonly changesAt: Int32Array;
  readonly ages: Float64Array;
  penalty = 0;
  fresh = 0;
  refreshes = 0;
  allowance = 0;

  constructor(policy: Policy, pages: number) {
    this.policy = policy;
    this.madeAt = new Float64Array(pages);
    this.hazardAt = new Float64Array(pages);
    this.changesAt = new Int32Array(pages);
    this.ages = new Float64Array(pages);
  }
}

export function play(facts: PlayFacts): PlayResult {
  const { site, budget, minutes, warmUpMinutes } = facts;
  const pages = site.demand.length;
  const tracks = facts.policies.map((policy) => new Track(policy, pages));
  const passing = seededRandom(facts.seed);
  let asked = 0;
  let closedForm = 0;
  let even = 0;
  let looks = 0;
  for (let minute = 0; minute < minutes; minute++) {
    const scored = minute >= warmUpMinutes;
    const passed = facts.passive.map((part, page) => (part > 0 && passing.next() < -Math.expm1(-part * (site.demand[page] ?? 0)) ? 1 : 0));
    for (const track of tracks) refresh(track, site, minute, budget, scored);
    if (scored) asked += site.demand.reduce((sum, rate) => sum + rate, 0);
    if (scored) for (const track of tracks) score(track, site);
    if (scored && minute % 60 === 0) {
      closedForm += lambdaCrawlCost(site, lambdaCrawlRates(site, budget));
      even += evenOptimum(site, budget).cost;
      looks++;
    }
    site.step();
    for (const track of tracks) for (let page = 0; page < pages; page++) if (passed[page] === 1) renew(track, site, page, minute + 1);
  }
  const scores = tracks.map(({ policy, penalty, fresh, refreshes }) => ({ name: policy.name, penalty: penalty / asked, fresh: fresh / asked, refreshes }));
  return { scores, closedForm: closedForm / looks, evenOptimum: even / looks };
}

function refresh(track: Track, site: SimulatedSite, minute: number, budget: number, scored: boolean): void {
  track.allowance = Math.min(track.allowance + budget, 2 * budget + 1);
  for (let page = 0; page < track.ages.length; page++) track.ages[page] = minute - (track.madeAt[page] ?? 0);
  const whole = Math.floor(track.allowance);
  let spent = 0;
  for (const page of track.policy.choose(minute, whole, track.ages)) {
    track.policy.found(page, track.ages[page] ?? 0, renew(track, site, page, minute));
    spent++;
  }
  if (spent > whole) throw new Error(`${track.policy.name} took ${spent} of ${whole}`);
  track.allowance -= spent;
  if (scored) track.refreshes += spent;
}

/** Whether it had changed. */
function renew(track: Track, site: SimulatedSite, page: number, minute: number): boolean {
  const changed = track.changesAt[page] !== site.changes[page];
  track.changesAt[page] = site.changes[page] ?? 0;
  track.hazardAt[page] = site.hazard[page] ?? 0;
  track.madeAt[page] = minute;
  return changed;
}

/** Over the minute that begins: the penalty at its middle, at which the hazard has grown by half a minute's. */
function score(track: Track, site: SimulatedSite): void {
  for (let page = 0; page < track.ages.length; page++) {
    const missed = (site.hazard[page] ?? 0) - (track.hazardAt[page] ?? 0) + 0.5 * (site.changeRate[page] ?? 0);
    const demand = site.demand[page] ?? 0;
    track.penalty += demand * entireFast(missed);
    track.fresh += demand * Math.exp(-missed);
  }
}

/** Ein by its series where that is short, else by table. */
const tableStep = 0.01;
const table = Float64Array.from({ length: 4001 }, (_, at) => entire(at * tableStep));
function entireFast(x: number): number {
  if (x < 0.02) return x - (x * x) / 4 + (x * x * x) / 18;
  const at = x / tableStep;
  const below = Math.floor(at);
  if (below >= 4000) return entire(x);
  const low = table[below] ?? 0;
  return low + (at - below) * ((table[below + 1] ?? 0) - low);
}

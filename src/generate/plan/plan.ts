/**
 * The planner: which copies to make next, and why. A pure function of plain data; no clock, no I/O, no state. Its plan is
 * immutable and numbered; executors refuse a plan older than the one they have.
 *
 * Order: what has no copy at all comes first, by demand per cost; then copies by crawl value per cost (`crawl-value.ts`).
 * First copies take at most `firstCopyPart` of the budget while refreshes are waiting, so that a long list of discovered
 * pages can't let everything else grow old; those hardly anybody will ask for wait for the refreshes that matter. In a surge
 * what an outage would ask for and would not find, or find too old, goes before everything.
 * Every candidate is planned or refused with a reason.
 */
import type { ResourceKey, VariationKey } from '../../kernel/index.ts';
import { crawlValue } from './crawl-value.ts';
import type { Refreshing } from './crawl-value.ts';

/** Why an item is planned. */
export const planReasons = {
  'surge': 'A failure is expected, and an outage would ask for it: there is no copy, or one older than the freshness target.',
  'never-copied': 'There is no copy yet.',
  'too-old': 'The copy is older than the freshness target.',
  'ageing': 'The copy would pass the freshness target during an outage that begins now.',
  'changed': 'The copy is young enough, but the original has probably changed since.',
} as const;
export type PlanReason = keyof typeof planReasons;

/** Why a candidate is not planned. */
export const refusalReasons = {
  'budget': 'Others are worth more for their cost, and the budget is spent.',
  'refresh-budget': 'Refreshes have used their part of the origin\'s requests.',
  'backing-off': 'An attempt failed a short time ago.',
  'fresh': 'The copy is good enough for now.',
  'passing-requests': 'The copy ages, but requests that pass anyway will renew it.',
  'no-demand': 'Nobody is expected to ask for it, and it has a copy.',
} as const;
export type RefusalReason = keyof typeof refusalReasons;

/** One variation of one resource that could be fetched. */
export interface PlanCandidate {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  /** People's requests expected a minute, over the protected window. */
  readonly demandPerMinute: number;
  /** What one request is worth beside others; 1 is usual. */
  readonly weight: number;
  /** How often the original changes, as far as known (`ChangeRate`); 0 for not known or never. */
  readonly changesPerMinute: number;
  /** Whether the change is more than a guess: the site says so, or the copy was declared wrong. */
  readonly saidChanged?: boolean;
  /** Age of the copy; undefined for none. */
  readonly copyAgeMs: number | undefined;
  /** Requests to the origin that making it takes. */
  readonly cost: number;
  /** What such a request costs the origin beside a usual one, in time and bytes; 1 where nothing is known. */
  readonly effort?: number;
  /** Not to be tried before this time (backing off after a failure), epoch ms; 0 for any time. */
  readonly notBeforeMs: number;
  /** How often passing requests will renew the copy while the origin is well; 0 where answers can't be captured. */
  readonly passivePerMinute: number;
}

export interface PlanInput {
  /** One more than the plan before. */
  readonly number: number;
  readonly atMs: number;
  readonly candidates: readonly PlanCandidate[];
  readonly budget: {
    /** Requests to the origin this plan may take altogether. */
    readonly requests: number;
    /** Of these, how many may renew copies that exist. */
    readonly refreshRequests: number;
  };
  readonly goal: {
    /** A copy older than this is too old to be a good answer (`freshness.target`). */
    readonly targetAgeMs: number;
    /** Length of the outage that copies should outlast within their target. */
    readonly outageMs: number;
    /** What an outdated copy costs: growing with each change it missed (usual), or the same after the first. */
    readonly penalty?: 'harmonic' | 'binary';
    /** What a renewal on the mere guess that the original has changed must be worth; `guessWorthMin` if not given. */
    readonly guessWorthMin?: number;
  };
  /** The budget has been widened because a failure is expected. */
  readonly surge?: boolean;
  /** Most refusals listed one by one; all are counted. */
  readonly refusalsMax?: number;
}

export interface PlanItem {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  readonly why: PlanReason;
  /** Crawl value, or expected requests a minute for a first copy. Comparable within one reason's order only. */
  readonly value: number;
  readonly cost: number;
}

export interface PlanRefusal {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  readonly reason: RefusalReason;
  readonly value: number;
}

export interface Plan {
  readonly number: number;
  readonly atMs: number;
  /** Most urgent first. */
  readonly items: readonly PlanItem[];
  /** The first refusals, most valuable first. */
  readonly refused: readonly PlanRefusal[];
  readonly refusedCounts: Readonly<Record<RefusalReason, number>>;
}

/** Of the budget, what first copies may take while copies that exist are waiting to be renewed. */
const firstCopyPart = 0.8;
/** Below this many worthwhile protected requests a minute a refresh isn't worth a request to the origin. */
const valueMin = 1e-9;
/**
 * While age is no reason to renew a copy, a guess that the original has changed must be expected to spare this many people an outdated answer
 * (harmonically counted). Without it a planner with budget to spare fetches pages at rest again and again: `npm run bench -- schedule`.
 */
const guessWorthMin = 0.02;
/** A first copy that is wanted less often than this, once in about ten weeks, waits for the refreshes that matter. */
const likelyPerMinuteMin = 1e-5;
/** These do: they spare one person in ten an outdated answer. */
const mattersMin = 0.1;
/** Requests expected during an outage from which on a surge is for them: one in twenty outages. */
const missedMin = 0.05;
const refusalsMaxDefault = 1000;

interface Ranked {
  readonly candidate: PlanCandidate;
  readonly value: number;
  /** Value per cost: what is sorted by. */
  readonly rank: number;
}

/** Makes the plan. 100,000 candidates take about 60 ms. */
export function makePlan(input: PlanInput): Plan {
  const list = new Shopping(input);
  const urgent: Ranked[] = [];
  const firsts: Ranked[] = [];
  const unlikely: Ranked[] = [];
  const refreshes: Ranked[] = [];
  const minor: Ranked[] = [];
  const later: { readonly candidate: PlanCandidate; readonly reason: RefusalReason }[] = [];
  for (const candidate of input.candidates) {
    const verdict = judge(candidate, input);
    if (typeof verdict === 'string') later.push({ candidate, reason: verdict });
    else if (input.surge && wouldBeMissed(candidate, input)) urgent.push(verdict);
    else if (candidate.copyAgeMs !== undefined) (verdict.value >= mattersMin ? refreshes : minor).push(verdict);
    else (verdict.value >= likelyPerMinuteMin ? firsts : unlikely).push(verdict);
  }
  list.take(urgent);
  list.take(firsts, refreshes.length + minor.length > 0);
  list.take(refreshes);
  list.take(unlikely, minor.length > 0);
  list.take(minor);
  for (const { candidate, reason } of later) list.refuse(candidate, reason, 0);
  return list.plan();
}

/** The budget as it is spent, and what became of each candidate. */
class Shopping {
  readonly #input: PlanInput;
  readonly #items: PlanItem[] = [];
  readonly #refused: PlanRefusal[] = [];
  readonly #refusedCounts: Record<RefusalReason, number> = { 'budget': 0, 'refresh-budget': 0, 'backing-off': 0, 'fresh': 0, 'passing-requests': 0, 'no-demand': 0 };
  readonly #refusalsMax: number;
  #left: number;
  #refreshesLeft: number;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#refusalsMax = input.refusalsMax ?? refusalsMaxDefault;
    this.#left = input.budget.requests;
    this.#refreshesLeft = Math.min(this.#left, input.budget.refreshRequests);
  }

  /** Plans what there is budget for, highest rank first; equal ranks in the order they came, so that equal input gives an equal plan. */
  take(ranked: Ranked[], refreshesWait = false): void {
    const kept = refreshesWait ? Math.max(0, Math.min(this.#refreshesLeft, Math.floor(this.#left) - Math.ceil(this.#left * firstCopyPart))) : 0;
    for (const { candidate, value } of ranked.sort((a, b) => b.rank - a.rank)) {
      const first = candidate.copyAgeMs === undefined;
      if (candidate.cost > this.#left - kept) this.refuse(candidate, 'budget', value);
      else if (!first && candidate.cost > this.#refreshesLeft) this.refuse(candidate, 'refresh-budget', value);
      else {
        this.#left -= candidate.cost;
        if (!first) this.#refreshesLeft -= candidate.cost;
        const { resource, variation, cost } = candidate;
        this.#items.push({ resource, variation, why: whyPlanned(candidate, this.#input), value, cost });
      }
    }
  }

  refuse(candidate: PlanCandidate, reason: RefusalReason, value: number): void {
    this.#refusedCounts[reason]++;
    if (this.#refused.length < this.#refusalsMax) this.#refused.push({ resource: candidate.resource, variation: candidate.variation, reason, value });
  }

  plan(): Plan {
    const { number, atMs } = this.#input;
    return Object.freeze({
      number, atMs, items: Object.freeze(this.#items), refused: Object.freeze(this.#refused), refusedCounts: Object.freeze(this.#refusedCounts),
    });
  }
}

/** A candidate's value, or why it has none now. */
function judge(candidate: PlanCandidate, input: PlanInput): Ranked | RefusalReason {
  if (candidate.notBeforeMs > input.atMs) return 'backing-off';
  const cost = Math.max(1e-3, candidate.cost * (candidate.effort ?? 1));
  const worth = candidate.demandPerMinute * candidate.weight;
  if (candidate.copyAgeMs === undefined) return { candidate, value: worth, rank: worth / cost };
  if (!(worth > 0)) return 'no-demand';
  const refreshing: Refreshing = {
    ageMin: candidate.copyAgeMs / 60_000,
    worthPerMinute: worth,
    changesPerMinute: candidate.changesPerMinute,
    passivePerMinute: candidate.passivePerMinute,
    targetAgeMin: input.goal.targetAgeMs / 60_000,
    outageMin: input.goal.outageMs / 60_000,
    penalty: input.goal.penalty ?? 'harmonic',
  };
  const value = crawlValue(refreshing);
  const guess = !candidate.saidChanged && refreshing.ageMin <= refreshing.targetAgeMin - refreshing.outageMin;
  if (guess && value > valueMin && value < (input.goal.guessWorthMin ?? guessWorthMin)) return 'fresh';
  if (value > valueMin) return { candidate, value, rank: value / cost };
  if (candidate.passivePerMinute > 0 && crawlValue({ ...refreshing, passivePerMinute: 0 }) > valueMin) return 'passing-requests';
  return 'fresh';
}

/** Whether people would ask for it in an outage, and not find it, or find it too old. */
function wouldBeMissed({ copyAgeMs, demandPerMinute }: PlanCandidate, { goal }: PlanInput): boolean {
  return demandPerMinute * (goal.outageMs / 60_000) >= missedMin && (copyAgeMs === undefined || copyAgeMs > goal.targetAgeMs);
}

function whyPlanned(candidate: PlanCandidate, input: PlanInput): PlanReason {
  if (input.surge && wouldBeMissed(candidate, input)) return 'surge';
  const { copyAgeMs } = candidate;
  const { targetAgeMs, outageMs } = input.goal;
  if (copyAgeMs === undefined) return 'never-copied';
  if (copyAgeMs > targetAgeMs) return 'too-old';
  return copyAgeMs > targetAgeMs - outageMs ? 'ageing' : 'changed';
}

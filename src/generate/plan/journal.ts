/**
 * The last plans, so that it can be said what was to be fetched, why, and what has changed since. Plans are numbered and immutable; of each the first
 * items and refusals are kept, and all are counted. Plain state.
 */
import type { Plan, PlanItem, PlanReason, PlanRefusal, RefusalReason } from './plan.ts';

const plansMax = 50;
/** Items kept of one plan, the most urgent, and refusals, the most valuable. */
const itemsMax = 500;
const refusalsMax = 100;

export interface PlanSummary {
  readonly number: number;
  readonly atMs: number;
  readonly items: number;
  readonly planned: Readonly<Partial<Record<PlanReason, number>>>;
  readonly refused: Readonly<Record<RefusalReason, number>>;
}

export interface KeptPlan extends PlanSummary {
  /** The most urgent first; `items` says how many there were. */
  readonly first: readonly PlanItem[];
  readonly firstRefused: readonly PlanRefusal[];
}

export interface PlanDiff {
  readonly from: number;
  readonly to: number;
  /** What became of an item that left: refused for this reason, or no candidate any more (fetched, or being fetched). Among the kept ones. */
  readonly entered: readonly PlanItem[];
  readonly left: readonly (PlanItem & { readonly now: RefusalReason | 'gone' })[];
  readonly moved: readonly { readonly item: PlanItem; readonly from: number; readonly to: number }[];
  readonly reasonChanged: readonly { readonly item: PlanItem; readonly before: PlanReason }[];
}

export class PlanJournal {
  readonly #plans: KeptPlan[] = [];

  /** Takes the next plan; the oldest beyond the last 50 is forgotten. */
  add(plan: Plan): void {
    const planned: Partial<Record<PlanReason, number>> = {};
    for (const { why } of plan.items) planned[why] = (planned[why] ?? 0) + 1;
    this.#plans.push({
      number: plan.number, atMs: plan.atMs, items: plan.items.length, planned, refused: plan.refusedCounts,
      first: plan.items.slice(0, itemsMax), firstRefused: plan.refused.slice(0, refusalsMax),
    });
    if (this.#plans.length > plansMax) this.#plans.shift();
  }

  /** Newest first, without their items. */
  list(): readonly PlanSummary[] {
    return this.#plans.map(({ number, atMs, items, planned, refused }) => ({ number, atMs, items, planned, refused })).reverse();
  }

  get(number: number): KeptPlan | undefined {
    return this.#plans.find((plan) => plan.number === number);
  }

  /** What is different in `to`; undefined where one of them is not kept. Positions count from 0. */
  diff(from: number, to: number): PlanDiff | undefined {
    const [before, after] = [this.get(from), this.get(to)];
    if (!before || !after) return undefined;
    const places = new Map(before.first.map((item, at) => [nameOf(item), at]));
    const refused = new Map(after.firstRefused.map((refusal) => [nameOf(refusal), refusal.reason]));
    const stayed = new Set<string>();
    const entered: PlanItem[] = [];
    const moved: { item: PlanItem; from: number; to: number }[] = [];
    const reasonChanged: { item: PlanItem; before: PlanReason }[] = [];
    for (const [at, item] of after.first.entries()) {
      const place = places.get(nameOf(item));
      const old = place === undefined ? undefined : before.first[place];
      if (place === undefined || !old) {
        entered.push(item);
        continue;
      }
      stayed.add(nameOf(item));
      if (place !== at) moved.push({ item, from: place, to: at });
      if (old.why !== item.why) reasonChanged.push({ item, before: old.why });
    }
    const left = before.first.filter((item) => !stayed.has(nameOf(item))).map((item) => ({ ...item, now: refused.get(nameOf(item)) ?? 'gone' as const }));
    return { from, to, entered, left, moved, reasonChanged };
  }
}

function nameOf({ resource, variation }: Pick<PlanItem, 'resource' | 'variation'>): string {
  return `${resource}\n${variation}`;
}

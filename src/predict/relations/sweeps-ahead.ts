/**
 * What comes next in a list that a visitor goes through. Between where a sweep stood and where it stands lie known keys; which part of them it asked for, by how much they are asked
 * for at all, says how probable each of the next ones is, and its pace how far it comes within a horizon. How often sweeps go on is left to the
 * weight that the stage learns for them. Codes (`demand/sweep-order.ts`) are computed when the first sweep comes: 8 bytes a key, nothing for sites without.
 */
import { SweepOrder } from '../../demand/index.ts';
import type { ResourceKey } from '../../kernel/index.ts';
import { horizonsMin } from '../forecaster.ts';
import { largest } from '../selection.ts';
import type { ObservedSweep } from '../stage.ts';
import type { KeyTable } from '../state/key-table.ts';

/** Sweeps looked ahead of at once: the fastest. */
export const sweepsFollowedMax = 8;
/** Keys ahead of one sweep. */
export const keysAheadMax = 2_000;
/** Above every code: scores of keys are what is left to it. */
const codeMax = 2 ** 49;
/** Upper ends of the classes of keys by requests a minute: who lists a site's pages also lists those that nobody asks for any more, or does not. */
const rateClasses = [1e-4, 5e-4, 2e-3, 1e-2, Infinity] as const;
/** Keys by which a class's part is held towards the whole. */
const priorKeys = 5;
/** The fall of P(so far within the horizon) with distance: half at the usual pace's reach. */
const steepness = 4;
/** Beyond this many times the usual pace's reach nothing is expected any more. */
const reachPart = 1.5;

export interface Ahead {
  readonly key: number;
  readonly region: number;
  /** P(asked for by the sweep) within each horizon, did it surely go on. */
  readonly within: Float64Array;
}

export interface SweepView {
  readonly resources: KeyTable<ResourceKey>;
  readonly rateOf: (key: number) => number;
  readonly lastSeenMs: (key: number) => number;
  readonly nowMs: number;
}

export class SweepsAhead {
  readonly #order = new SweepOrder();
  #codes = new Float64Array(0);

  get bytes(): number {
    return this.#codes.byteLength;
  }

  forget(key: number): void {
    if (key < this.#codes.length) this.#codes[key] = 0;
  }

  of(sweeps: readonly ObservedSweep[], view: SweepView): Ahead[] {
    if (sweeps.length === 0) return [];
    this.#readCodes(view.resources);
    return sweeps.slice(0, sweepsFollowedMax).flatMap((sweep) => this.#ahead(sweep, view));
  }

  #readCodes(resources: KeyTable<ResourceKey>): void {
    if (this.#codes.length < resources.span) {
      const wider = new Float64Array(Math.max(1024, Math.ceil(resources.span * 1.25)));
      wider.set(this.#codes);
      this.#codes = wider;
    }
    for (let key = 0; key < resources.span; key++) {
      if ((this.#codes[key] ?? 0) > 0) continue;
      const resource = resources.keyAt(key);
      if (resource !== undefined) this.#codes[key] = this.#order.code(resource);
    }
  }

  #ahead(sweep: ObservedSweep, view: SweepView): Ahead[] {
    const { resources } = view;
    const to = resources.keyAt(sweep.to);
    const from = resources.keyAt(sweep.from);
    if (to === undefined || from === undefined) return [];
    const up = this.#order.compare(from, to) < 0;
    const low = Math.min(this.#codes[sweep.from] ?? 0, this.#codes[sweep.to] ?? 0);
    const high = Math.max(this.#codes[sweep.from] ?? 0, this.#codes[sweep.to] ?? 0);
    const edge = this.#codes[sweep.to] ?? 0;
    const sign = up ? 1 : -1;
    const passed: number[] = [];
    const scores = new Float64Array(resources.span);
    for (let key = 0; key < resources.span; key++) {
      const code = this.#codes[key] ?? 0;
      if (code >= low && code <= high && code > 0) passed.push(key);
      if (code > 0 && (up ? code >= edge : code <= edge)) scores[key] = up ? codeMax - code : code;
    }
    const part = partsAsked(passed, sweep, view);
    const perMinute = sweep.asked / (sweep.seconds / 60);
    const farthest = reachPart * perMinute * (horizonsMin.at(-1) ?? 0);
    const wanted = Math.min(keysAheadMax, Math.ceil((farthest * (passed.length + 1)) / sweep.asked));
    const ahead: Ahead[] = [];
    let before = 0;
    for (const key of this.#inOrder(largest(scores, scores.length, wanted), resources, sign, sweep.to)) {
      const probability = part(key);
      before += probability;
      if (before > farthest) break;
      ahead.push({ key, region: sweep.region, within: Float64Array.from(horizonsMin, (minutes) => probability / (1 + (before / (perMinute * minutes)) ** steepness)) });
    }
    return ahead;
  }

  /** The keys after `to`. Names are looked at only where codes don't tell. */
  #inOrder(keys: Int32Array, resources: KeyTable<ResourceKey>, sign: number, to: number): number[] {
    const codes = this.#codes;
    const names = new Map<number, string>();
    const nameOf = (key: number): string => {
      let name = names.get(key);
      if (name === undefined) names.set(key, name = resources.keyAt(key) ?? '');
      return name;
    };
    const compare = (a: number, b: number): number => sign * ((codes[a] ?? 0) - (codes[b] ?? 0) || this.#order.compare(nameOf(a), nameOf(b)));
    return [...keys].filter((key) => compare(key, to) > 0).sort(compare);
  }
}

/** Which part of the keys of each class the sweep has asked for on its way. Who else asked for them then is taken off by their rates. */
function partsAsked(passed: readonly number[], sweep: ObservedSweep, { rateOf, lastSeenMs, nowMs }: SweepView): (key: number) => number {
  const keys = new Float64Array(rateClasses.length);
  const hits = new Float64Array(rateClasses.length);
  const sinceMs = nowMs - sweep.seconds * 1000;
  for (const key of passed) {
    const rate = rateOf(key);
    const own = classOf(rate);
    keys[own] = (keys[own] ?? 0) + 1;
    if (lastSeenMs(key) >= sinceMs) hits[own] = (hits[own] ?? 0) + Math.exp((-rate * sweep.seconds) / 60);
  }
  const all = Math.min(1, sweep.asked / Math.max(1, passed.length));
  const parts = keys.map((count, own) => Math.min(1, ((hits[own] ?? 0) + priorKeys * all) / (count + priorKeys)));
  return (key) => parts[classOf(rateOf(key))] ?? 0;
}

function classOf(rate: number): number {
  let own = 0;
  while (own < rateClasses.length - 1 && rate >= (rateClasses[own] ?? Infinity)) own++;
  return own;
}

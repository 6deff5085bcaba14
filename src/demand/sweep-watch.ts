/**
 * Finds visitors who go through a list in its order: alphabetically, page after page, number after number. Of each visitor with more than a handful of resources the
 * last 32 moves are remembered as bits, up or down; a visitor of whose moves five in six go one way is sweeping. What is told of a sweep is
 * from where to where, how many resources, how long and in which region: nothing of the visitor.
 */
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import { SweepOrder } from './sweep-order.ts';
import type { DemandSweep } from './window.ts';

/** Sweeps followed at once; further ones are not. */
export const sweepsMax = 256;
/** Sweeps told of a minute: the fastest. */
export const sweepsToldMax = 32;
/** Of 32 moves, those one way that make a sweep, and below which it is one no more. Of a visitor without order 27 go one way once in 9,000 times. */
const sweepingAt = 27;
const overAt = 23;
/** A sweep is told by its last moves: after so many its beginning moves up. */
const spanMoves = 48;
const idleMs = 120_000;

interface Sweep {
  readonly visitor: number;
  region: RegionName;
  to: ResourceKey;
  toMs: number;
  /** Two beginnings that take turns. */
  older: Beginning;
  newer: Beginning;
}

interface Beginning {
  readonly from: ResourceKey;
  readonly fromMs: number;
  asked: number;
}

export class SweepWatch {
  readonly #order = new SweepOrder();
  readonly #moves: Uint32Array;
  readonly #counts: Uint8Array;
  readonly #sweeps = new Map<number, Sweep>();

  constructor(visitors: number) {
    this.#moves = new Uint32Array(visitors);
    this.#counts = new Uint8Array(visitors);
  }

  forget(visitor: number): void {
    this.#moves[visitor] = 0;
    this.#counts[visitor] = 0;
    this.#sweeps.delete(visitor);
  }

  /** A visitor went from one resource to another. */
  move(visitor: number, from: ResourceKey, to: ResourceKey, region: RegionName, atMs: number): void {
    const ups = ((this.#moves[visitor] ?? 0) << 1) | (this.#order.compare(from, to) < 0 ? 1 : 0);
    this.#moves[visitor] = ups;
    const count = Math.min(32, (this.#counts[visitor] ?? 0) + 1);
    this.#counts[visitor] = count;
    if (count < 32) return;
    const oneWay = Math.max(ones(ups), 32 - ones(ups));
    const sweep = this.#sweeps.get(visitor);
    if (sweep) {
      if (oneWay < overAt) this.#sweeps.delete(visitor);
      else follow(sweep, to, region, atMs);
    } else if (oneWay >= sweepingAt && this.#sweeps.size < sweepsMax) {
      const beginning = { from: to, fromMs: atMs, asked: 0 };
      this.#sweeps.set(visitor, { visitor, region, to, toMs: atMs, older: beginning, newer: { ...beginning } });
    }
  }

  /** The sweeps under way, the fastest first; those that have stood still for two minutes are over. */
  take(nowMs: number): DemandSweep[] {
    const told: DemandSweep[] = [];
    for (const { visitor, region, to, toMs, older } of this.#sweeps.values()) {
      if (nowMs - toMs > idleMs) this.#sweeps.delete(visitor);
      else if (older.asked >= spanMoves / 4) told.push({ from: older.from, to, asked: older.asked, seconds: Math.max(1, Math.round((nowMs - older.fromMs) / 1000)), region });
    }
    return told.sort((a, b) => b.asked / b.seconds - a.asked / a.seconds || (a.to < b.to ? -1 : 1)).slice(0, sweepsToldMax);
  }
}

function follow(sweep: Sweep, to: ResourceKey, region: RegionName, atMs: number): void {
  sweep.to = to;
  sweep.toMs = atMs;
  sweep.region = region;
  sweep.older.asked++;
  sweep.newer.asked++;
  if (sweep.newer.asked < spanMoves) return;
  sweep.older = sweep.newer;
  sweep.newer = { from: to, fromMs: atMs, asked: 0 };
}

/** Bits that are set (Hacker's Delight, §5-1). */
function ones(bits: number): number {
  let sum = bits - ((bits >>> 1) & 0x55555555);
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

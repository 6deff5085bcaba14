/**
 * Which copy may stand in for a variation that has none. A dimension declared `exact` is never crossed, nor is one that is not
 * declared at all. Pure.
 */
import type { DimensionConfig } from '../config/types.ts';
import { parseVariation } from '../http/index.ts';
import type { VariationKey } from '../kernel/index.ts';

export interface VariationChoice {
  readonly key: VariationKey;
  /** Names of the dimensions on which the copy is not what was asked for, in the key's order; empty for an exact copy. */
  readonly crossed: readonly string[];
}

/**
 * The nearest of the available variations, undefined where none may be served. Nearest is: the fewest dimensions crossed;
 * then the one that keeps the dimension declared first; then, in a crossed dimension, its default before its
 * other values in declared order.
 */
export function chooseVariation(
  wanted: VariationKey,
  available: Iterable<VariationKey>,
  dimensions: readonly Pick<DimensionConfig, 'name' | 'values' | 'fallback' | 'exact'>[],
): VariationChoice | undefined {
  const wantedPairs = parseVariation(wanted);
  let best: VariationChoice | undefined;
  let bestCost: readonly number[] = [];
  for (const key of available) {
    if (key === wanted) return { key, crossed: [] };
    const pairs = parseVariation(key);
    const crossed: string[] = [];
    const cost = crossingCost(wantedPairs, pairs, dimensions, crossed);
    if (cost && (!best || comesBefore(cost, bestCost))) {
      best = { key, crossed };
      bestCost = cost;
    }
  }
  return best;
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** Number crossed, then for each dimension in declared order how far; undefined where the copy may not be served. */
function crossingCost(
  wanted: Pairs, offered: Pairs,
  dimensions: readonly Pick<DimensionConfig, 'name' | 'values' | 'fallback' | 'exact'>[],
  crossed: string[],
): readonly number[] | undefined {
  if (wanted.length !== offered.length) return undefined;
  const cost = new Array<number>(dimensions.length + 1).fill(0);
  for (let i = 0; i < wanted.length; i++) {
    const [name, value] = wanted[i] ?? ['', ''];
    const [offeredName, offeredValue] = offered[i] ?? ['', ''];
    if (name !== offeredName) return undefined;
    if (value === offeredValue) continue;
    const index = dimensions.findIndex((dimension) => dimension.name === name);
    const dimension = dimensions[index];
    if (!dimension || dimension.exact) return undefined;
    crossed.push(name);
    const rank = dimension.values.indexOf(offeredValue);
    cost[index + 1] = offeredValue === dimension.fallback ? 1 : rank < 0 ? dimension.values.length + 2 : rank + 2;
  }
  cost[0] = crossed.length;
  return cost;
}

function comesBefore(cost: readonly number[], other: readonly number[]): boolean {
  for (let i = 0; i < cost.length; i++) {
    const difference = (cost[i] ?? 0) - (other[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

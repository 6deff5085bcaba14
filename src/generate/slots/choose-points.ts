/**
 * Which points of its slots' dimensions a page's fillings are made for: all of them while they are few enough, else the most probable by what people have
 * been seen to ask for. Pure.
 */
import { parseVariation } from '../../http/index.ts';
import type { VariationShare } from '../site.ts';
import type { Point, Recipe } from './recipe.ts';

/** Fillings of one page, all its slots together. */
export const pageFillingsMax = 20_000;

export interface ChosenPoint {
  readonly recipe: Recipe;
  readonly point: Point;
}

/** `shares` is asked only where something has to be left out. */
export function choosePoints(recipes: readonly Recipe[], shares: () => readonly VariationShare[]): readonly ChosenPoint[] {
  const all = recipes.flatMap((recipe) => recipe.points.map((point) => ({ recipe, point })));
  if (all.length <= pageFillingsMax) return all;
  const seen = shares().map(({ variation, share }) => ({ values: new Map(parseVariation(variation)), share }));
  const shareOf = new Map<Recipe, (point: Point) => number>(recipes.map((recipe) => [recipe, pointShares(recipe, seen)]));
  return all
    .map((chosen) => ({ ...chosen, share: shareOf.get(chosen.recipe)?.(chosen.point) ?? 0 }))
    .sort((a, b) => b.share - a.share) // stable: of equals the defaults come first
    .slice(0, pageFillingsMax);
}

/** A point's part of its slot's showings: on dimensions that variations tell by those, on others evenly. */
function pointShares(recipe: Recipe, seen: readonly { readonly values: ReadonlyMap<string, string>; readonly share: number }[]): (point: Point) => number {
  const sums = new Map<string, number>();
  const names = [...new Set(seen.flatMap(({ values }) => [...values.keys()]))].filter((name) => name in (recipe.points[0] ?? {}));
  for (const { values, share } of seen) {
    const key = names.map((name) => values.get(name) ?? '').join('\n');
    sums.set(key, (sums.get(key) ?? 0) + share);
  }
  const alike = new Map<string, number>();
  const keyOf = (point: Point): string => names.map((name) => point[name] ?? '').join('\n');
  for (const point of recipe.points) alike.set(keyOf(point), (alike.get(keyOf(point)) ?? 0) + 1);
  // Without any word on variations all points are alike, and those of slots with few come first.
  return (point) => (sums.size === 0 ? 1 : sums.get(keyOf(point)) ?? 0) / (alike.get(keyOf(point)) ?? 1);
}

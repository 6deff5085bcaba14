/**
 * How a resource's requests divide over its variations: its own decayed counts, and a few requests divided as the whole
 * site's are among variations of the same dimensions. So a page seen by one visitor is prepared for the site's usual devices
 * and languages too, and a style sheet without dimensions is not.
 */
import type { ResourceKey, VariationKey } from '../kernel/index.ts';
import { exposures } from './decayed-counts.ts';
import { divide } from './rates.ts';
import { mixtureRate } from './rate-blend.ts';
import { ageMin } from './state.ts';
import type { EngineState } from './state.ts';

/** Requests that a resource's own division is held towards the site's by. */
const prior = 4;

export interface VariationShare {
  readonly variation: VariationKey;
  readonly share: number;
}

/** Most probable first; sums to 1; empty for a resource never seen. */
export function shareVariations(state: EngineState, nowMs: number, resource: ResourceKey): readonly VariationShare[] {
  const { resources, variations, byVariation, variationsOf } = state;
  const index = resources.indexOf(resource);
  if (index === undefined) return [];
  const own = new Map<number, number>();
  const shapes = new Set<string>();
  const factor = variationsOf.factor(nowMs);
  for (let slot = variationsOf.first(index); slot >= 0; slot = variationsOf.after(slot)) {
    const facet = variationsOf.facetAt(slot);
    own.set(facet, variationsOf.weightAt(slot) * factor);
    shapes.add(shapeOf(variations.keyAt(facet) ?? ''));
  }
  const site = divide(byVariation, variations.span, byVariation.factors(nowMs), exposures(ageMin(state, nowMs)), mixtureRate);
  const alike: { readonly variation: VariationKey; readonly facet: number }[] = [];
  let alikeSum = 0;
  for (let facet = 0; facet < variations.span; facet++) {
    const variation = variations.keyAt(facet);
    if (variation === undefined || !shapes.has(shapeOf(variation))) continue;
    alike.push({ variation, facet });
    alikeSum += site[facet] ?? 0;
  }
  const weighed = alike.map(({ variation, facet }) => ({
    variation, share: (own.get(facet) ?? 0) + (alikeSum > 0 ? (prior * (site[facet] ?? 0)) / alikeSum : 1),
  }));
  const sum = weighed.reduce((total, { share }) => total + share, 0);
  return weighed
    .map(({ variation, share }) => ({ variation, share: sum > 0 ? share / sum : 1 / weighed.length }))
    .sort((a, b) => b.share - a.share || (a.variation < b.variation ? -1 : 1));
}

/** The names of a variation's dimensions: `device=mobile,language=de` → `device,language`. */
function shapeOf(variation: string): string {
  return variation.replace(/=[^,]*/g, '');
}

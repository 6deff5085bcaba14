/**
 * How a resource's requests divide over its variations: its own decayed counts, held towards those of its route class, and these towards the
 * whole site's, among variations of the same dimensions. So a page seen by one visitor is prepared for its section's usual devices and languages
 * too, and a style sheet without dimensions is not. In one region the whole is tilted as that region's requests are beside the site's.
 */
import type { ResourceKey, VariationKey } from '../../kernel/index.ts';
import { exposures } from '../state/decayed-counts.ts';
import { divide } from './rates.ts';
import { mixtureRate } from './rate-blend.ts';
import { variationClass } from './variation-groups.ts';
import type { VariationGroups } from './variation-groups.ts';
import { ageMin } from '../state/state.ts';
import type { EngineState } from '../state/state.ts';

/** Requests that a resource's own division is held towards its class's by, a class's towards the site's, and a region's tilt towards none. */
const prior = 4;
const classPrior = 20;
const regionPrior = 20;

export interface VariationShare {
  readonly variation: VariationKey;
  readonly share: number;
}

/** Reads shares as of one moment; what is the same for every resource is worked out once. */
export class VariationShares {
  readonly #state: EngineState;
  readonly #factor: number;
  readonly #nowMs: number;
  /** Variations of the same dimensions, with their parts of these variations' requests on the whole site. */
  readonly #alike = new Map<string, Alike[]>();
  readonly #shapes: readonly string[];

  constructor(state: EngineState, nowMs: number) {
    this.#state = state;
    this.#nowMs = nowMs;
    const { variations, byVariation, variationsOf } = state;
    this.#factor = variationsOf.factor(nowMs);
    const site = divide(byVariation, variations.span, byVariation.factors(nowMs), exposures(ageMin(state, nowMs)), mixtureRate);
    this.#shapes = site.map((_, facet) => shapeOf(variations.keyAt(facet) ?? ''));
    const sums = new Map<string, number>();
    site.forEach((share, facet) => { sums.set(this.#shapes[facet] ?? '', (sums.get(this.#shapes[facet] ?? '') ?? 0) + share); });
    site.forEach((share, facet) => {
      const variation = variations.keyAt(facet);
      const shape = this.#shapes[facet] ?? '';
      const sum = sums.get(shape) ?? 0;
      const list = this.#alike.get(shape) ?? [];
      if (list.length === 0) this.#alike.set(shape, list);
      if (variation !== undefined) list.push({ variation, facet, part: sum > 0 ? share / sum : 1 });
    });
  }

  /** Most probable first; sums to 1; empty for a resource never seen. `region`: index of the region, −1 for everywhere. */
  of(resource: ResourceKey, region: number): readonly VariationShare[] {
    const { resources, variationsOf } = this.#state;
    const index = resources.indexOf(resource);
    if (index === undefined) return [];
    const own = new Map<number, number>();
    const shapes = new Set<string>();
    for (let slot = variationsOf.first(index); slot >= 0; slot = variationsOf.after(slot)) {
      const facet = variationsOf.facetAt(slot);
      own.set(facet, variationsOf.weightAt(slot) * this.#factor);
      shapes.add(this.#shapes[facet] ?? '');
    }
    const group = variationClass(resource);
    const weighed = [...shapes].flatMap((shape) => {
      const alike = this.#alike.get(shape) ?? [];
      const ofClass = this.#partsIn(this.#state.variationsOfClass, group, classPrior, alike);
      const ofRegion = region < 0 ? undefined : this.#partsIn(this.#state.variationsOfRegion, region, regionPrior, alike);
      return alike.map(({ variation, facet, part }, i) => {
        const tilt = ofRegion && part > 0 ? (ofRegion[i] ?? 0) / part : 1;
        return { variation, share: ((own.get(facet) ?? 0) + prior * (ofClass[i] ?? 0)) * tilt };
      });
    });
    const sum = weighed.reduce((total, { share }) => total + share, 0);
    return weighed
      .map(({ variation, share }) => ({ variation, share: share / sum }))
      .sort((a, b) => b.share - a.share || (a.variation < b.variation ? -1 : 1));
  }

  /** The parts of alike variations in a group of resources, held towards the site's by so many requests. */
  #partsIn(groups: VariationGroups, group: number, strength: number, alike: readonly Alike[]): number[] {
    const counts = alike.map(({ facet }) => groups.count(group, facet, this.#nowMs));
    const total = counts.reduce((sum, count) => sum + count, strength);
    return alike.map(({ part }, i) => ((counts[i] ?? 0) + strength * part) / total);
  }
}

interface Alike {
  readonly variation: VariationKey;
  readonly facet: number;
  readonly part: number;
}

/** The names of a variation's dimensions: `device=mobile,language=de` → `device,language`. */
function shapeOf(variation: string): string {
  return variation.replace(/=[^,]*/g, '');
}

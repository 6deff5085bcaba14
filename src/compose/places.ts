/**
 * Places in a body on their way to becoming holes: what several finders found, put in order, with what lies inside a slot left out. Pure.
 */
import type { Hole } from './types.ts';

/** What a finder found; undefined where the body could not be read for certain. */
export type Places = readonly Hole[];

const order: Readonly<Record<Hole['kind'], number>> = { notice: 0, 'form-start': 1, slot: 2, nonce: 2, token: 2, 'form-end': 3 };

/**
 * In order and not overlapping. A slot swallows what is inside it; of two slots in the same place the one found first stays; a slot wins over
 * everything else; else what comes first. A form is disabled as a whole or not at all.
 */
export function arrangePlaces(places: Places): readonly Hole[] {
  const slots = withoutOverlaps(sorted(places.filter(({ kind }) => kind === 'slot')));
  const rest = places.filter((place) => place.kind !== 'slot' && !slots.some((slot) => overlaps(slot, place)));
  return withoutOverlaps(sorted([...slots, ...rest]));
}

/** By where they begin; of those the one that ends last, so that the outer comes before the inner. Stable. */
function sorted(places: Places): Hole[] {
  return places.toSorted((a, b) => a.from - b.from || order[a.kind] - order[b.kind] || b.to - a.to);
}

function withoutOverlaps(places: Places): Hole[] {
  let end = 0;
  return places.filter(({ from, to }) => {
    if (from < end) return false;
    end = to;
    return true;
  });
}

/** What is put in at the very edge of a slot does not overlap it. */
function overlaps(slot: Hole, other: Hole): boolean {
  return other.from < slot.to && other.to > slot.from;
}

/**
 * What follows what, for values with few states (in stock, sold out; a score; a light that is green): a first-order count for each place, so that the
 * likely next ones can be prepared before they come. Old observations fade. Places with ever new values predict nothing and cost a bounded
 * amount. Pure: no clock, no I/O.
 */

/** Different values remembered of one place; beyond, the one seen least gives way. */
export const statesMax = 16;
/** Places; beyond, the longest untouched is forgotten. */
export const placesMax = 10_000;
/** Characters of a value as JSON; a longer one is no state. */
export const stateCharactersMax = 256;
/** What earlier successors of a value count when it is followed once more: half after 14 times. */
const fade = 0.95;
/** Counts below this are forgotten. */
const countMin = 0.05;

export interface NextValue {
  readonly value: unknown;
  /** Of all that may follow; what has been seen once only is even odds. */
  readonly probability: number;
}

interface State {
  readonly value: unknown;
  /** Times it was followed by another value, by that value's JSON, faded. */
  readonly followers: Map<string, number>;
}

interface Place {
  readonly states: Map<string, State>;
  last: string | undefined;
}

export class NextValues {
  readonly #places = new Map<string, Place>();

  /** The value at this place is now this one. `pointer` names the place: where several feeds are followed, with the feed's key in it. */
  observe(pointer: string, value: unknown): void {
    const place = this.#places.get(pointer) ?? { states: new Map<string, State>(), last: undefined };
    this.#places.delete(pointer);
    this.#places.set(pointer, place);
    if (this.#places.size > placesMax) for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest);
      break;
    }
    const text = stateText(value);
    if (text === place.last) return;
    if (text !== undefined && !place.states.has(text)) {
      if (place.states.size >= statesMax) forgetOne(place);
      place.states.set(text, { value, followers: new Map() });
    }
    if (place.last !== undefined && text !== undefined) follow(place.states.get(place.last), text);
    place.last = text;
  }

  /** What may follow `current` here, most probable first; at most 15. */
  likelyNext(pointer: string, current: unknown): readonly NextValue[] {
    const place = this.#places.get(pointer);
    const text = stateText(current);
    const followers = text === undefined ? undefined : place?.states.get(text)?.followers;
    if (!place || !followers) return [];
    const total = [...followers.values()].reduce((sum, count) => sum + count, 1); // one for what has not been seen yet
    return [...followers]
      .flatMap(([name, count]) => {
        const state = place.states.get(name);
        return state ? [{ value: state.value, probability: count / total }] : [];
      })
      .sort((a, b) => b.probability - a.probability);
  }
}

function stateText(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value);
  return text.length <= stateCharactersMax ? text : undefined;
}

function follow(state: State | undefined, text: string): void {
  if (!state) return;
  for (const [name, count] of state.followers) {
    if (count * fade < countMin) state.followers.delete(name);
    else state.followers.set(name, count * fade);
  }
  state.followers.set(text, (state.followers.get(text) ?? 0) + 1);
}

/** The state that has come up least goes, with all that is known of it; never the one the place is in. */
function forgetOne(place: Place): void {
  const seen = new Map<string, number>([...place.states.keys()].map((name) => [name, 0]));
  for (const { followers } of place.states.values()) for (const [name, count] of followers) seen.set(name, (seen.get(name) ?? 0) + count);
  let least: string | undefined;
  for (const [name, count] of seen) if (name !== place.last && (least === undefined || count < (seen.get(least) ?? 0))) least = name;
  if (least === undefined) return;
  place.states.delete(least);
  for (const { followers } of place.states.values()) followers.delete(least);
}

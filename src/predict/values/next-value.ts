/**
 * Which value comes next, given that one does: what this place did from the present value, how it usually moves, what its siblings did, how they move. Each of
 * these has a say as far as it knows anything (what was seen n times has n / (n + ½) of it), times a weight that the family learns online: a mixture of
 * experts whose weights follow their responsibilities for what came (online EM; Cappé & Moulines 2009). What none of them names keeps a share of its own. Pure.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { Followers } from './followers.ts';
import type { Place } from './place.ts';
import { edited, editBetween, numberOf } from './value-text.ts';

/** In order: own values, own edits, siblings' values, siblings' edits, something else. */
const sources = 5;
const elsewhere = 4;
const firstWeights = [1, 1, 0.5, 0.5, 0.25] as const;
/** Outcomes that the first weights are worth, and what earlier outcomes count when one comes. */
const weightPrior = 4;
const fade = 0.99;
/** Part of a source's say that it has after having seen a state once: 1 / (1 + this). */
const firstSay = 0.5;
/** Older changes of the place itself count less: half after 14. */
const ownFade = 0.95;
/** An edit that is rarer among a place's, or its siblings', is not worth trying. */
const editShareMin = 0.04;
/** Probability that "something else" gives to whatever came. */
const elsewhereOf = 0.01;

/** Texts with their probabilities; what is missing to 1 is something else. */
export type Chances = ReadonlyMap<string, number>;

export class NextValue {
  readonly #values = new Followers();
  readonly #edits = new Followers();
  readonly #earned = new Float64Array(sources);
  readonly #given = new Float64Array(sources);
  #lowest = Number.POSITIVE_INFINITY;

  /** What follows `text` at this place. */
  after(place: Place, text: string, form: string): Chances {
    const { says, chances } = this.#mix(place, text, form);
    const sum = new Map<string, number>();
    for (let source = 0; source < elsewhere; source++) {
      for (const [name, chance] of chances[source] ?? []) sum.set(name, (sum.get(name) ?? 0) + chance * (says[source] ?? 0));
    }
    return sum;
  }

  /** Takes the value that came after the place's present one; before the place itself is told. */
  learn(place: Place, text: string, form: string): void {
    const { text: before } = place;
    const { says, chances } = this.#mix(place, before, place.forms.at(-1) ?? '');
    const shares = new Float64Array(sources);
    let total = 0;
    for (let source = 0; source < sources; source++) {
      shares[source] = (says[source] ?? 0) * (source === elsewhere ? elsewhereOf : chances[source]?.get(text) ?? 0);
      total += shares[source] ?? 0;
    }
    for (let source = 0; source < sources; source++) {
      this.#earned[source] = (this.#earned[source] ?? 0) * fade + (total > 0 ? (shares[source] ?? 0) / total : 0);
      this.#given[source] = (this.#given[source] ?? 0) * fade + (says[source] ?? 0);
    }
    this.#values.add(before, text);
    const edit = editBetween(before, text);
    if (edit !== undefined) this.#edits.add(form, edit);
  }

  /** Where nothing has been below zero, nothing is expected to be. */
  note(text: string): void {
    this.#lowest = Math.min(this.#lowest, numberOf(text) ?? this.#lowest);
  }

  write(writer: ByteWriter): void {
    this.#values.write(writer);
    this.#edits.write(writer);
    for (let source = 0; source < sources; source++) {
      writer.double(this.#earned[source] ?? 0);
      writer.double(this.#given[source] ?? 0);
    }
    writer.double(this.#lowest);
  }

  read(reader: ByteReader): void {
    this.#values.read(reader);
    this.#edits.read(reader);
    for (let source = 0; source < sources; source++) {
      this.#earned[source] = reader.double();
      this.#given[source] = reader.double();
    }
    this.#lowest = reader.double();
  }

  #mix(place: Place, text: string, form: string): { readonly says: Float64Array; readonly chances: readonly (ReadonlyMap<string, number>)[] } {
    const own = new Map<string, number>();
    const moves = new Map<string, number>();
    let weight = 1;
    for (let i = place.texts.length - 1; i > 0; i--) {
      const edit = place.edits[i] ?? '';
      if (place.texts[i - 1] === text) own.set(place.texts[i] ?? '', (own.get(place.texts[i] ?? '') ?? 0) + weight);
      if (edit !== '' && place.forms[i] === form) moves.set(edit, (moves.get(edit) ?? 0) + weight);
      weight *= ownFade;
    }
    const counts = [own, this.#moved(text, moves), this.#values.of(text) ?? none, this.#moved(text, this.#edits.of(form) ?? none)];
    const says = new Float64Array(sources);
    let total = 0;
    const chances = counts.map((seen, source) => {
      const { sum, shares } = normalised(seen, text);
      says[source] = this.#weight(source) * (sum / (sum + firstSay));
      total += says[source] ?? 0;
      return shares;
    });
    says[elsewhere] = this.#weight(elsewhere);
    total += says[elsewhere] ?? 0;
    for (let source = 0; source < sources; source++) says[source] = (says[source] ?? 0) / total;
    return { says, chances };
  }

  #weight(source: number): number {
    const first = firstWeights[source] ?? 0;
    return first * ((this.#earned[source] ?? 0) + weightPrior) / ((this.#given[source] ?? 0) + weightPrior);
  }

  /** Where edits lead from here; those that lead nowhere are left out. */
  #moved(text: string, edits: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    const moved = new Map<string, number>();
    let usual = 0;
    for (const count of edits.values()) usual += count;
    for (const [edit, count] of edits) {
      if (count < usual * editShareMin) continue; // prices hardly ever move by the same amount
      const to = edited(text, edit);
      if (to !== undefined && ((numberOf(to) ?? 0) >= 0 || this.#lowest < 0)) moved.set(to, (moved.get(to) ?? 0) + count);
    }
    return moved;
  }
}

const none: ReadonlyMap<string, number> = new Map();

/** Without the present value: something else is what comes next. */
function normalised(counts: ReadonlyMap<string, number>, present: string): { readonly sum: number; readonly shares: ReadonlyMap<string, number> } {
  let sum = 0;
  for (const [name, count] of counts) if (name !== present && name !== '') sum += count;
  const shares = new Map<string, number>();
  for (const [name, count] of counts) if (name !== present && name !== '') shares.set(name, count / sum);
  return { sum, shares };
}

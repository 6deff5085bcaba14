/**
 * Forecasts of feeds' values: when a watched value will change, and to what. Discrete ones (scores, stock, states) as a distribution over the values at a
 * horizon, numbers as an interval as well, long ones only by whether they change. Watched values of one family (the prices of all products) learn from each other.
 *
 * Pure and deterministic: everything follows from what was observed. Bounded in watched values, in the changes remembered of each, in families, and in characters
 * of all texts; beyond, what has been untouched longest is forgotten, and begins anew.
 */
import { ByteReader, ByteWriter, fnv1a } from '../../kernel/index.ts';
import { ChangeTimes } from './change-times.ts';
import { bounded } from './followers.ts';
import { IntervalTracks, SiblingMoves, type Interval } from './interval-tracks.ts';
import { NextValue, type Chances } from './next-value.ts';
import { historyMax, Place } from './place.ts';
import { valueChances } from './value-chances.ts';
import { editBetween, formOf, numberOf, stateCharactersMax, stateText } from './value-text.ts';

/** Watched values. */
export const placesMax = 4096;
/** Families of siblings. */
export const familiesMax = 256;
/** Characters of all texts remembered of watched values. */
export const charactersMax = 4 * 1024 * 1024;
/** Of numbers intervals are kept at these horizons; one in between has that of the next longer one. */
const horizonsMin = [5, 10, 15, 30] as const;
/** Values with less are left out of a distribution. */
const chanceMin = 0.01;
const shownMax = 8;
const magic = 'FSVF';
const version = 1;
const nameBytesMax = 8192;

export interface ValueChance {
  readonly value: unknown;
  readonly probability: number;
}

export interface ValueForecast {
  readonly horizonMin: number;
  /** Probability that it changes at all within the horizon. */
  readonly changes: number;
  /** What it may be at the end of the horizon, the present value included, most probable first; of at least 1 %, at most 8. Empty for what is too long to be a state. */
  readonly values: readonly ValueChance[];
  /** What it may become, if it changes; likewise. */
  readonly next: readonly ValueChance[];
  /** Of numbers: 5 %, 50 % and 95 % at the end of the horizon. */
  readonly interval: Interval | undefined;
}

interface Family {
  readonly next: NextValue;
  readonly times: ChangeTimes;
  readonly moves: SiblingMoves;
  readonly places: Place[];
  /** The one whose silence is counted next. */
  turn: number;
}

export class FeedValues {
  /** The longest untouched is first. */
  readonly #places = new Map<string, Place>();
  readonly #families = new Map<string, Family>();
  #characters = 0;

  /** The value at this place of a feed is this one, since `atMs`. `siblings` names the family within the feed: the slot's own way to say where values are. Times don't go back. */
  observe(feed: string, pointer: string, atMs: number, value: unknown, siblings = pointer): void {
    const name = nameOf(feed, pointer);
    const known = this.#places.get(name);
    const text = stateText(value);
    const mark = text ?? markOf(value);
    if (known?.mark === mark) return;
    const place = known ?? new Place(feed, pointer, `${familyFeed(feed)}\n${siblings}`);
    const family = this.#familyOf(place);
    if (known) this.#learn(place, family, atMs, text);
    else family.places.push(place);
    if (text !== undefined) family.next.note(text);
    this.#characters -= place.characters;
    const form = text === undefined ? '' : formOf(text);
    const edit = text === undefined || place.text === '' ? undefined : editBetween(place.text, text);
    place.push(Math.max(atMs, place.sinceMs), text ?? '', form, edit ?? '');
    place.mark = mark;
    place.countedMs = place.sinceMs;
    this.#characters += place.characters;
    this.#places.delete(name);
    this.#places.set(name, place);
    this.#forgetSome(place);
    this.#countSilence(family, atMs);
  }

  /** Undefined for what is not watched. */
  next(feed: string, pointer: string, nowMs: number, horizonMin: number): ValueForecast | undefined {
    const place = this.#places.get(nameOf(feed, pointer));
    const family = place && this.#families.get(place.family);
    if (!place || !family) return undefined;
    const ageMin = Math.max(0, nowMs - place.sinceMs) / 60_000;
    const pace = family.times.paceOf(place);
    const changes = -Math.expm1(-family.times.hazard(pace, ageMin, ageMin + horizonMin));
    const after = (text: string): Chances => family.next.after(place, text, formOf(text));
    const { text } = place;
    return {
      horizonMin, changes,
      values: text === '' ? [] : shown(valueChances(text, changes, pace.perMin * horizonMin, after)),
      next: text === '' ? [] : shown(after(text)),
      interval: this.interval(feed, pointer, horizonMin),
    };
  }

  /** Of a number at the end of the horizon; undefined for anything else, and while nothing is known. */
  interval(feed: string, pointer: string, horizonMin: number): Interval | undefined {
    const place = this.#places.get(nameOf(feed, pointer));
    const family = place && this.#families.get(place.family);
    const number = numberOf(place?.text);
    const horizon = horizonsMin.findIndex((one) => one >= horizonMin);
    return family && number !== undefined ? place.tracks?.interval(horizon < 0 ? horizonsMin.length - 1 : horizon, number, family.moves) : undefined;
  }

  /** Pointers watched in a feed, those that changed last at the end. */
  watched(feed: string): string[] {
    const pointers: string[] = [];
    for (const place of this.#places.values()) if (place.feed === feed) pointers.push(place.pointer);
    return pointers;
  }

  size(): { readonly values: number; readonly families: number; readonly bytes: number } {
    // A change of a place: a time, three references, its text; a place with its tracks 1.2 KB; a family with everything in it some 50 KB.
    let changes = 0;
    for (const place of this.#places.values()) changes += place.times.length;
    return { values: this.#places.size, families: this.#families.size, bytes: 2 * this.#characters + changes * 32 + this.#places.size * 1200 + this.#families.size * 50_000 };
  }

  write(): Uint8Array {
    const writer = new ByteWriter(magic, version);
    writer.uint(this.#places.size);
    for (const place of this.#places.values()) writePlace(writer, place);
    writer.uint(this.#families.size);
    for (const [name, { next, times, moves }] of this.#families) {
      writer.string(name);
      next.write(writer);
      times.write(writer);
      moves.write(writer);
    }
    return writer.finish();
  }

  /** What was written. Throws `bytes-invalid` for anything else. */
  static read(bytes: Uint8Array): FeedValues {
    const reader = new ByteReader(bytes, magic, version, 'what was learned of feeds\' values');
    const values = new FeedValues();
    for (let left = bounded(reader.length(8), placesMax); left > 0; left--) {
      const place = readPlace(reader);
      values.#places.set(nameOf(place.feed, place.pointer), place);
      values.#familyOf(place).places.push(place);
      values.#characters += place.characters;
    }
    for (let left = bounded(reader.length(8), familiesMax); left > 0; left--) {
      const name = reader.string(nameBytesMax);
      const family = values.#families.get(name) ?? newFamily();
      family.next.read(reader);
      family.times.read(reader);
      family.moves.read(reader);
      values.#families.set(name, family);
    }
    reader.end();
    return values;
  }

  #learn(place: Place, family: Family, atMs: number, text: string | undefined): void {
    const { times, next, moves } = family;
    const sinceMin = (untilMs: number): number => Math.max(0, untilMs - place.sinceMs) / 60_000;
    times.learn(place, sinceMin(place.countedMs), sinceMin(Math.max(atMs, place.countedMs)), true);
    const number = numberOf(place.text);
    if (number !== undefined) {
      place.tracks ??= new IntervalTracks(horizonsMin);
      place.tracks.advance(atMs, number, place.sinceMs, moves);
    }
    if (text !== undefined && place.text !== '') next.learn(place, text, place.forms.at(-1) ?? '');
  }

  /** With each change somebody else's silence is counted too, so that what stopped changing is seen to have stopped. */
  #countSilence(family: Family, nowMs: number): void {
    const place = family.places[family.turn++ % family.places.length];
    if (!place || place.countedMs >= nowMs) return;
    const { times } = family;
    times.learn(place, (place.countedMs - place.sinceMs) / 60_000, (nowMs - place.sinceMs) / 60_000, false);
    place.countedMs = nowMs;
  }

  #familyOf({ family: name }: Place): Family {
    const family = this.#families.get(name) ?? newFamily();
    this.#families.delete(name);
    this.#families.set(name, family);
    return family;
  }

  #forgetSome(kept: Place): void {
    for (const [name, place] of this.#places) {
      if (this.#places.size <= placesMax && this.#characters <= charactersMax) break;
      if (place === kept) break;
      this.#forget(name, place);
    }
    if (this.#families.size <= familiesMax) return;
    for (const [name, family] of this.#families) {
      for (const place of family.places.slice()) this.#forget(nameOf(place.feed, place.pointer), place);
      this.#families.delete(name);
      break;
    }
  }

  #forget(name: string, place: Place): void {
    this.#places.delete(name);
    this.#characters -= place.characters;
    const places = this.#families.get(place.family)?.places;
    const at = places?.indexOf(place) ?? -1;
    if (at >= 0) places?.splice(at, 1);
  }
}

function newFamily(): Family {
  return { next: new NextValue(), times: new ChangeTimes(), moves: new SiblingMoves(horizonsMin.length), places: [], turn: 0 };
}

function nameOf(feed: string, pointer: string): string {
  return `${feed}\n${pointer}`;
}

/** The instances of one feed are siblings: their keys differ after the question mark. */
function familyFeed(feed: string): string {
  const question = feed.indexOf('?');
  return question < 0 ? feed : feed.slice(0, question);
}

/** Enough to see that a long value is another one: a hash of its JSON, and its length. */
function markOf(value: unknown): string {
  const text = value === undefined ? '' : JSON.stringify(value);
  return `\n${text.length}\n${fnv1a(text)}`;
}

function shown(chances: Chances): ValueChance[] {
  const likely = [...chances].filter(([, probability]) => probability >= chanceMin).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, shownMax);
  return likely.map(([text, probability]) => ({ value: JSON.parse(text) as unknown, probability })); // any JSON at all
}

function writePlace(writer: ByteWriter, { feed, pointer, family, times, texts, mark, countedMs, tracks }: Place): void {
  for (const text of [feed, pointer, family, mark]) writer.string(text);
  writer.double(countedMs);
  writer.uint(times.length);
  for (const [i, atMs] of times.entries()) {
    writer.double(atMs);
    writer.string(texts[i] ?? '');
  }
  writer.uint(tracks ? 1 : 0);
  tracks?.write(writer);
}

function readPlace(reader: ByteReader): Place {
  const [feed = '', pointer = '', family = '', mark = ''] = [0, 1, 2, 3].map(() => reader.string(nameBytesMax));
  const place = new Place(feed, pointer, family);
  place.mark = mark;
  place.countedMs = reader.double();
  for (let left = bounded(reader.length(9), historyMax); left > 0; left--) {
    const atMs = reader.double();
    const text = reader.string(4 * stateCharactersMax);
    const edit = text === '' || place.text === '' ? undefined : editBetween(place.text, text);
    place.push(atMs, text, text === '' ? '' : formOf(text), edit ?? '');
  }
  if (reader.uint() === 0) return place;
  place.tracks = new IntervalTracks(horizonsMin);
  place.tracks.read(reader);
  return place;
}

/**
 * Makes one filling after another as its feed says: rendered anew only when its part of the document really changed, handed over only when somebody would
 * see the difference. What can't be rendered leaves the last good filling where it is, for as long as its value may be shown; why is kept and
 * told. Likely next values are rendered before they come, when there is time.
 */
import { isDeepStrictEqual } from 'node:util';
import { heldKey, type FeedKey, type Filling, type FillingId } from '../../compose/index.ts';
import type { Clock } from '../../kernel/index.ts';
import type { FeedValue, ValueOutlook } from '../feeds/index.ts';
import { valueAt } from './pointer.ts';
import { Prepared } from './prepared.ts';
import { valueOf, type Fallback, type Point, type Recipe, type Versions } from './recipe.ts';
import { troubled, type FillingTrouble, type Troubled } from './trouble.ts';

/** Of each value, how many likely next ones are prepared, and how likely they have to be if it changes. */
const likelyMax = 3;
const likelyFrom = 0.1;
/** What is all but certain to stay as it is over this horizon is not prepared for. */
const horizonMin = 30;
const changesFrom = 0.01;
/** Values rendered ahead of their time, a second: at 50 µs each a tenth of the brain's time. */
export const preparedPerSecondMax = 2000;
/** Places whose last value and likely next ones are at hand; beyond, all are looked up anew. */
const placesMax = 10_000;
/** New values that the forecast has not been told yet; beyond, it is not told. */
const untoldMax = 20_000;

/** After so many renderings in a row that took too long, a slot rests: else a template that always does would take all of the brain's time. */
const slowMax = 3;
const slowRestMs = 5000;

export interface FillingMakerParts {
  readonly clock: Clock;
  /** When a feed was last said to be heard, by what was published or sent. */
  readonly saidMs: (feed: FeedKey) => number | undefined;
  readonly publish: (filling: Filling) => void;
  /** Without it nothing is prepared. */
  readonly values?: ValueOutlook | undefined;
}

/** What is known of a part of a feed's document, for all fillings that show it. */
interface ShownPlace {
  value: unknown;
  /** Worth preparing for; undefined until it is asked for. */
  likely: readonly unknown[] | undefined;
}

/** A filling that is wanted, and what is known of it. */
export interface Wanted {
  readonly id: FillingId;
  readonly feed: FeedKey;
  readonly recipe: Recipe;
  readonly path: string;
  readonly point: Point;
  /** Resources that show it. */
  uses: number;
  /** What it was last rendered from: the value, or the document where the template reads that; `unseen` at first. */
  seen: unknown;
  /** The last that was handed over, and whether it is of this recipe's making. */
  filling: Filling | undefined;
  fits: boolean;
  /** Rendered when it is first needed. */
  fallback: Fallback | undefined;
  trouble: Troubled | undefined;
}

export const unseen = Symbol('unseen');

export interface FillingFailure {
  readonly id: FillingId;
  readonly slot: string;
  readonly feed: FeedKey;
  readonly trouble: FillingTrouble;
  readonly message: string;
}

export class FillingMaker {
  readonly #parts: FillingMakerParts;
  readonly #failing = new Set<Wanted>();
  readonly #places = new Map<string, ShownPlace>();
  /** Told when nothing real waits: learning takes about as long as rendering. */
  #untold: { readonly feed: FeedKey; readonly pointer: string; readonly sinceMs: number; readonly value: unknown; readonly siblings: string }[] = [];
  /** Rendered ahead in this second of the monotonic clock. */
  #ahead = { second: 0, made: 0 };
  readonly #toPrepare = new Set<Wanted>();
  readonly #prepared = new Prepared();
  /** Slots whose last renderings took too long: how many in a row, and since when, on the monotonic clock. */
  readonly #slow = new Map<Recipe, { readonly times: number; readonly sinceMs: number }>();
  rendered = 0;
  /** Looked at because the document changed, but the part it shows had not. */
  untouched = 0;
  readonly troubles: Partial<Record<FillingTrouble, number>> = {};

  constructor(parts: FillingMakerParts) {
    this.#parts = parts;
  }

  /** Whether something that may come is not prepared yet. */
  get preparing(): boolean {
    return this.#toPrepare.size > 0 || this.#untold.length > 0;
  }

  get prepared(): { readonly size: number; readonly made: number; readonly hits: number } {
    return this.#prepared;
  }

  get failing(): ReadonlySet<Wanted> {
    return this.#failing;
  }

  forget(wanted: Wanted): void {
    this.#failing.delete(wanted);
    this.#toPrepare.delete(wanted);
  }

  /** Templates are others now. */
  forgetAll(): void {
    this.#failing.clear();
    this.#toPrepare.clear();
    this.#places.clear();
    this.#prepared.clear();
    this.#slow.clear();
  }

  /** Those that took too long may have been unlucky: the machine was busy. These can be tried again. */
  slow(): readonly Wanted[] {
    return [...this.#failing].filter(({ trouble, recipe }) => trouble?.trouble === 'too-slow' && !this.#rests(recipe));
  }

  /** Makes it as the feed says now; `held` is undefined while the feed has never said anything. */
  look(wanted: Wanted, held: FeedValue | undefined): void {
    if (!held) {
      this.#withoutValue(wanted);
      return;
    }
    const { found, value } = valueAt(held.document, pointerOf(wanted));
    const { readsFeed } = wanted.recipe;
    const same = found && (readsFeed ? wanted.seen === held.document : isDeepStrictEqual(wanted.seen, value));
    // The newer object is kept either way, so that an old document is not held by its unchanged parts.
    wanted.seen = !found ? unseen : readsFeed ? held.document : value;
    if (same && wanted.trouble?.trouble !== 'too-slow') {
      this.untouched++;
      return;
    }
    if (found) this.#observe(wanted, value, held.valueTimeMs);
    const made = found && value !== null ? this.#render(wanted, value, held.document) : troubled('missing-value', `the feed has nothing at ${JSON.stringify(pointerOf(wanted))}`);
    if (made.ok) this.#succeed(wanted, made.versions, held.valueTimeMs);
    else this.#fail(wanted, made);
  }

  /** Renders what will probably come, until the time or this second's number is up; gives whether anything is left to do now. */
  prepare(untilMs: number): boolean {
    const { clock, values } = this.#parts;
    let told = 0;
    for (const { feed, pointer, sinceMs, value, siblings } of this.#untold) {
      if (clock.monotonicMs() >= untilMs) break;
      values?.observe(feed, pointer, sinceMs, value, siblings);
      told++;
    }
    this.#untold = told === this.#untold.length ? [] : this.#untold.slice(told);
    if (this.#untold.length > 0) return true;
    const second = Math.floor(clock.monotonicMs() / 1000);
    if (this.#ahead.second !== second) this.#ahead = { second, made: 0 };
    for (const wanted of this.#toPrepare) {
      if (this.#ahead.made >= preparedPerSecondMax) return false;
      if (clock.monotonicMs() >= untilMs) return true;
      this.#toPrepare.delete(wanted);
      for (const value of this.#likelyAfter(wanted)) {
        if (this.#rests(wanted.recipe) || this.#prepared.has(wanted.id, value)) continue;
        this.#prepared.put(wanted.id, value, wanted.recipe.versions(value, undefined, wanted.path, wanted.point));
        this.#ahead.made++;
      }
    }
    return false;
  }

  /** Notes it for the forecast, once for all that show this place. */
  #observe(wanted: Wanted, value: unknown, sinceMs: number): void {
    const { values } = this.#parts;
    if (!values) return;
    const pointer = pointerOf(wanted);
    const name = placeName(wanted.feed, pointer);
    const known = this.#places.get(name);
    if (known && known.value === value) return;
    if (this.#untold.length < untoldMax) this.#untold.push({ feed: wanted.feed, pointer, sinceMs, value, siblings: wanted.recipe.slot.config.value });
    if (this.#places.size >= placesMax) this.#places.clear();
    this.#places.set(name, { value, likely: undefined });
  }

  #likelyAfter(wanted: Wanted): readonly unknown[] {
    const { values, clock } = this.#parts;
    const pointer = pointerOf(wanted);
    const known = this.#places.get(placeName(wanted.feed, pointer));
    if (known?.likely) return known.likely;
    const forecast = values?.next(wanted.feed, pointer, clock.nowMs(), horizonMin);
    const likely = forecast && forecast.changes >= changesFrom ? forecast.next.filter(({ probability }) => probability >= likelyFrom).slice(0, likelyMax).map(({ value }) => value) : [];
    if (known) known.likely = likely;
    return likely;
  }

  #render(wanted: Wanted, value: unknown, feed: unknown): Versions {
    const { recipe, id, path, point } = wanted;
    if (!recipe.readsFeed) {
      if (this.#parts.values) this.#toPrepare.add(wanted);
      const prepared = this.#prepared.find(id, value);
      if (prepared) return prepared;
    }
    if (this.#rests(recipe)) return troubled('too-slow', 'the slot rests after several renderings that took too long');
    this.rendered++;
    const made = recipe.versions(value, feed, path, point);
    if (!made.ok && made.trouble === 'too-slow') this.#slow.set(recipe, { times: (this.#slow.get(recipe)?.times ?? 0) + 1, sinceMs: this.#parts.clock.monotonicMs() });
    else if (made.ok) this.#slow.delete(recipe);
    return made;
  }

  #rests(recipe: Recipe): boolean {
    const slow = this.#slow.get(recipe);
    return slow !== undefined && slow.times >= slowMax && this.#parts.clock.monotonicMs() < slow.sinceMs + slowRestMs;
  }

  #succeed(wanted: Wanted, versions: Filling['versions'], valueTimeMs: number): void {
    wanted.trouble = undefined;
    this.#failing.delete(wanted);
    this.#handOver(wanted, { feed: wanted.feed, versions, valueTimeMs });
  }

  #fail(wanted: Wanted, trouble: Troubled): void {
    this.#note(wanted, trouble);
    const { filling, feed } = wanted;
    const held = heldKey(feed);
    if (!filling || !wanted.fits || filling.versions.length === 0 || filling.feed === held) {
      this.#withoutValue(wanted);
      return;
    }
    // The feed goes on being heard, but not to say this: it may be shown as long as it could have been had the feed fallen silent.
    this.#handOver(wanted, { feed: held, versions: filling.versions, valueTimeMs: Math.max(filling.valueTimeMs, this.#parts.saidMs(feed) ?? 0) });
  }

  /** What was shown so far stays, if it is of this recipe's making. */
  #withoutValue(wanted: Wanted): void {
    const { filling, feed } = wanted;
    const kept = filling && wanted.fits && (filling.feed === feed || filling.feed === heldKey(feed)) ? filling : { feed, versions: [], valueTimeMs: 0 };
    this.#handOver(wanted, kept);
  }

  #handOver(wanted: Wanted, { feed, versions, valueTimeMs }: Pick<Filling, 'feed' | 'versions' | 'valueTimeMs'>): void {
    const { recipe, id, filling } = wanted;
    const fallback = wanted.fallback ?? recipe.fallback(wanted.path, wanted.point);
    wanted.fallback = fallback;
    if (!fallback.ok) this.#note(wanted, fallback);
    wanted.fits = true;
    const made: Filling = {
      id, feed, maxAgeMs: recipe.slot.feed.maxAgeMs, valueTimeMs, versions, fallback: fallback.ok ? fallback.text : undefined, version: 0,
    };
    // Without value and fallback the page shows what the origin had there, as it does without a filling.
    if (!filling && versions.length === 0 && made.fallback === undefined) return;
    if (filling && looksLike(filling, made)) return;
    wanted.filling = made;
    this.#parts.publish(made);
  }

  #note(wanted: Wanted, trouble: Troubled): void {
    wanted.trouble = trouble;
    this.#failing.add(wanted);
    this.troubles[trouble.trouble] = (this.troubles[trouble.trouble] ?? 0) + 1;
  }
}

/** What can't be rendered now, told for people; at most `limit`. */
export function failuresOf(failing: ReadonlySet<Wanted>, limit: number): readonly FillingFailure[] {
  const failures: FillingFailure[] = [];
  for (const { id, recipe, feed, trouble } of failing) {
    if (failures.length >= limit) break;
    if (trouble) failures.push({ id, slot: recipe.slot.config.name, feed, trouble: trouble.trouble, message: trouble.message });
  }
  return failures;
}

function pointerOf({ recipe, path, point }: Wanted): string {
  return recipe.slot.pointer(path, valueOf(point));
}

/** A part of a feed's document. */
function placeName(feed: FeedKey, pointer: string): string {
  return `${feed}#${pointer}`;
}

/** Whether nobody would see a difference, now or later. */
function looksLike(a: Filling, b: Filling): boolean {
  return a.feed === b.feed && a.maxAgeMs === b.maxAgeMs && a.fallback === b.fallback && isDeepStrictEqual(a.versions, b.versions);
}

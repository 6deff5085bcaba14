/**
 * The filters of templates that are ours: numbers, money, dates and words as the visitor's language writes them (Intl), and JSON. What they are given
 * comes from feeds, so every input is bounded, and what can't be formatted is an error, never a guess. None of them asks what time it is: a filling is
 * shown long after it was made. A test holds `config/slots.ts` to the ones that differ by language.
 */
import { ForeshadowError } from '../../kernel/index.ts';

export type FilterFunction = (input: unknown, ...args: unknown[]) => unknown;

/** What the rendering under way is for. */
export interface Speaker {
  /** A language tag. */
  language: string;
  /** The slot's `value`. */
  value: unknown;
}

const entriesMax = 1000;
const charactersMax = 65_536;
const digitsMax = 20;
const formatsMax = 512;
/** Numbers at least so large are epoch milliseconds, smaller ones seconds: 1e11 s is the year 5138, 1e11 ms is 1973. */
const millisecondsFrom = 1e11;
const dateStyles = ['full', 'long', 'medium', 'short'] as const;
const timeUnits = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const;

/** Filters whose output differs by language. */
export function languageFilters(speaker: Speaker): Readonly<Record<string, FilterFunction>> {
  const numbers = new Formats<Intl.NumberFormat>();
  const dates = new Formats<Intl.DateTimeFormat>();
  const plurals = new Formats<Intl.PluralRules>();
  const lists = new Formats<Intl.ListFormat>();
  const spans = new Formats<Intl.RelativeTimeFormat>();
  const write: NumberText = (kind, options, value) => numbers.of(`${speaker.language} ${kind}`, () => new Intl.NumberFormat(speaker.language, options)).format(value);
  return {
    money: (input, currency) => money(write, speaker, input, currency),
    number: (input, digits) => write(`number ${textOf(digits)}`, fractionDigits(digits), numberOf(input)),
    percent: (input, digits) => write(`percent ${textOf(digits)}`, { style: 'percent', ...fractionDigits(digits) }, numberOf(input)),
    date(input, ...args) {
      const options = dateOptions(args);
      const key = `${speaker.language} ${options.dateStyle ?? ''} ${options.timeStyle ?? ''} ${options.timeZone ?? ''}`;
      return dates.of(key, () => new Intl.DateTimeFormat(speaker.language, options)).format(timeOf(input));
    },
    relative_time: (input, unit) =>
      spans.of(speaker.language, () => new Intl.RelativeTimeFormat(speaker.language, { numeric: 'auto' })).format(numberOf(input), oneOf(timeUnits, unit, 'a unit of time')),
    list(input, kind) {
      const type = kind === 'or' ? 'disjunction' : 'conjunction';
      return lists.of(`${speaker.language} ${type}`, () => new Intl.ListFormat(speaker.language, { type })).format(entriesOf(input).map(textOf));
    },
    plural: (input, ...args) => plural(plurals.of(speaker.language, () => new Intl.PluralRules(speaker.language)).select(numberOf(input)), args),
  };
}

/** JSON that may also stand inside a script element: no `<`, no `&`, no line separators (all within strings only, where escapes mean the same). */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  if (text.length > charactersMax) throw failed(`as JSON the value has ${text.length} characters, more than ${charactersMax}`);
  return text.replaceAll(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Text, a number or a truth value as people read it. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return '';
  throw failed(`${Array.isArray(value) ? 'a list' : 'an object'} is no text; name one of its fields, or use the filter list or json`);
}

/** `where: 'field'`, `where: 'field', value`: entries that have it. */
export function where(input: unknown, field: unknown, wanted: unknown): unknown[] {
  return entriesOf(input, charactersMax).filter((entry) => {
    const value = ownField(entry, textOf(field));
    return wanted === undefined ? value !== undefined && value !== null && value !== false : value === wanted;
  });
}

/** A field that is the object's own. */
export function ownField(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Formatters by language and wish: making one costs more than a hundred uses. */
class Formats<Format> {
  readonly #known = new Map<string, Format>();

  of(key: string, make: () => Format): Format {
    const before = this.#known.get(key);
    if (before !== undefined) return before;
    if (this.#known.size >= formatsMax) this.#known.clear();
    const made = make();
    this.#known.set(key, made);
    return made;
  }
}

type NumberText = (kind: string, options: Intl.NumberFormatOptions, value: number) => string;

/** The currency: the filter's argument, else the amount's own (`{ amount, currency }`), else the slot's value's; without any, two decimals and no sign. */
function money(write: NumberText, speaker: Speaker, input: unknown, argument: unknown): string {
  const amount = isObject(input) ? ownField(input, 'amount') ?? ownField(input, 'value') ?? ownField(input, 'price') : input;
  const currency = argument ?? ownField(input, 'currency') ?? ownField(speaker.value, 'currency');
  if (currency === undefined || currency === null) return write('plain money', { minimumFractionDigits: 2, maximumFractionDigits: 2 }, numberOf(amount));
  const code = textOf(currency).toUpperCase();
  if (!/^[A-Z]{3}$/.test(code)) throw failed(`${JSON.stringify(code.slice(0, 20))} is not a currency; write it like EUR`);
  return write(code, { style: 'currency', currency: code }, numberOf(amount));
}

/** `date`, `date: 'long'`, `date: 'short', time: 'short', zone: 'Europe/Berlin'`, `date: 'none', time: 'short'`. The zone is UTC unless named. */
function dateOptions(args: readonly unknown[]): Intl.DateTimeFormatOptions {
  const style = args.find((argument) => !Array.isArray(argument));
  const time = named(args, 'time');
  const options: Intl.DateTimeFormatOptions = { timeZone: textOf(named(args, 'zone') ?? 'UTC') };
  if (style !== 'none') options.dateStyle = oneOf(dateStyles, style ?? 'medium', 'a style of date');
  if (time !== undefined) options.timeStyle = oneOf(dateStyles, time, 'a style of time');
  if (options.dateStyle === undefined && options.timeStyle === undefined) throw failed('neither date nor time is wanted; write time: \'short\'');
  return options;
}

function timeOf(input: unknown): Date {
  const time = typeof input === 'number' ? new Date(input < millisecondsFrom ? input * 1000 : input) : new Date(textOf(input).slice(0, 64));
  if (Number.isNaN(time.getTime())) throw failed('the value is not a time; it has to be ISO 8601 or seconds or milliseconds since 1970');
  return time;
}

/** `plural: one: 'item', other: 'items'`; a form that is not given is `other`. */
function plural(form: string, args: readonly unknown[]): string {
  const word = named(args, form) ?? named(args, 'other');
  if (word === undefined) throw failed(`no word for ${form}; write plural: one: 'item', other: 'items'`);
  return textOf(word);
}

function fractionDigits(digits: unknown): Intl.NumberFormatOptions {
  if (digits === undefined) return {};
  const count = numberOf(digits);
  if (!Number.isInteger(count) || count < 0 || count > digitsMax) throw failed(`a number can't be written with ${String(count)} decimals`);
  return { minimumFractionDigits: count, maximumFractionDigits: count };
}

function numberOf(input: unknown): number {
  const text = typeof input === 'string' ? input.trim() : input;
  const value = typeof text === 'number' ? text : typeof text === 'string' && text !== '' && text.length <= 64 ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw failed(`${describe(input)} is not a number`);
  return value;
}

function entriesOf(input: unknown, max = entriesMax): readonly unknown[] {
  if (!Array.isArray(input)) throw failed(`${describe(input)} is not a list`);
  if (input.length > max) throw failed(`the list has ${input.length} entries, more than ${max}`);
  return input;
}

function oneOf<Word extends string>(words: readonly Word[], wanted: unknown, what: string): Word {
  const found = words.find((word) => word === wanted);
  if (found === undefined) throw failed(`${describe(wanted)} is not ${what}; use ${words.join(', ')}`);
  return found;
}

/** Liquid hands `name: value` over as a pair. */
function named(args: readonly unknown[], name: string): unknown {
  for (const argument of args) if (Array.isArray(argument) && argument[0] === name) return argument[1];
  return undefined;
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : JSON.stringify(value).slice(0, 40);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function failed(message: string): ForeshadowError {
  return new ForeshadowError('feed-invalid', { source: 'origin', message });
}

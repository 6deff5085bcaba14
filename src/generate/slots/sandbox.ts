/**
 * Liquid, cut down to what is safe with values and templates that may be wrong or hostile: no files, no other templates, own properties only, the filters
 * named here and no others, and bounds on time, on what is made on the way and on what comes out. Unknown tags and filters are errors when a
 * template is compiled. Everything written with `{{ }}` is escaped for its place unless it ends in `raw`. Keeps no state between renderings but formatters.
 */
import { Liquid, type Template } from 'liquidjs';
import { ForeshadowError, messageOf } from '../../kernel/index.ts';
import { jsonText, languageFilters, textOf, where, type Speaker } from './filters.ts';
import { troubled, type Troubled } from './trouble.ts';

export type TemplatePlace = 'html' | 'json';

/** Of one filling, all its versions together. */
export const fillingBytesMax = 65_536;
/** A rendering takes some 10 µs; one that is not done after this never will be. */
const renderMsMax = 30;
/** Characters and list entries made on the way. */
const madeMax = 250_000;
/** Lists that filters go through. */
const filterEntriesMax = 10_000;
const templateCharactersMax = 65_536;

const allowedTags = new Set(['assign', 'capture', 'case', 'comment', 'if', 'unless', 'for', 'break', 'continue', 'cycle', 'echo', 'increment', 'decrement', 'liquid', 'raw', '#']);
/** Liquid's own that ask neither clock nor chance, and whose cost is bounded by what they are given. */
const allowedFilters = new Set([
  'append', 'prepend', 'capitalize', 'downcase', 'upcase', 'strip', 'lstrip', 'rstrip', 'squish', 'strip_newlines', 'strip_html',
  'replace', 'replace_first', 'replace_last', 'remove', 'remove_first', 'remove_last', 'split', 'truncate', 'truncatewords', 'url_encode', 'default', 'raw',
  'abs', 'ceil', 'floor', 'round', 'plus', 'minus', 'times', 'divided_by', 'modulo', 'at_least', 'at_most',
]);
const allowedListFilters = new Set(['join', 'size', 'first', 'last', 'slice', 'reverse', 'sort', 'sort_natural', 'uniq', 'compact', 'concat', 'map', 'sum']);

export interface Parsed {
  readonly templates: Template[];
  /** Names of variables it reads and does not make itself. */
  readonly reads: ReadonlySet<string>;
}

/** Gives every variable a template can see. */
export type Scope = Readonly<Record<string, unknown>>;

export class Sandbox {
  readonly #liquid: Liquid;
  readonly #speaker: Speaker = { language: 'en', value: undefined };

  constructor(place: TemplatePlace) {
    const liquid = new Liquid({
      templates: {}, cache: false, dynamicPartials: false, strictFilters: true, strictVariables: true, lenientIf: true, ownPropertyOnly: true,
      parseLimit: templateCharactersMax, renderLimit: renderMsMax, memoryLimit: madeMax,
      outputEscape: place === 'html' ? (value: unknown) => escapeHtml(textOf(value)) : (value: unknown) => jsonText(value),
    });
    for (const name of Object.keys(liquid.tags)) if (!allowedTags.has(name)) Reflect.deleteProperty(liquid.tags, name);
    for (const name of Object.keys(liquid.filters)) if (!allowedFilters.has(name) && !allowedListFilters.has(name)) liquid.unregisterFilter(name);
    for (const name of allowedListFilters) boundList(liquid, name);
    for (const [name, filter] of Object.entries(languageFilters(this.#speaker))) liquid.registerFilter(name, filter);
    liquid.registerFilter('json', jsonText);
    liquid.registerFilter('where', where);
    if (place === 'html') {
      liquid.registerFilter('escape', { raw: true, handler: (value: unknown) => escapeHtml(textOf(value)) });
      liquid.registerFilter('newline_to_br', { raw: true, handler: (value: unknown) => escapeHtml(textOf(value)).replaceAll(/\r?\n/g, '<br>\n') });
    }
    this.#liquid = liquid;
  }

  /** Throws with a sentence that names line and column. */
  parse(source: string): Parsed {
    try {
      if (source.length > templateCharactersMax) throw new ForeshadowError('config-invalid', { source: 'config', message: `it is longer than ${templateCharactersMax} characters` });
      const templates = this.#liquid.parse(source);
      return { templates, reads: new Set(this.#liquid.globalVariablesSync(templates)) };
    } catch (error) {
      throw new ForeshadowError('config-invalid', { source: 'config', message: sentenceOf(error) });
    }
  }

  render({ templates }: Parsed, scope: Scope, language: string): { readonly ok: true; readonly text: string } | Troubled {
    this.#speaker.language = language;
    this.#speaker.value = scope['value'];
    try {
      const text: unknown = this.#liquid.renderSync(templates, scope);
      return { ok: true, text: String(text) };
    } catch (error) {
      const message = sentenceOf(error);
      return /limit exceeded|Maximum call stack|Out of memory/i.test(message) ? troubled('too-slow', `it goes beyond what a rendering may take: ${message}`) : troubled('template-error', message);
    } finally {
      this.#speaker.value = undefined;
    }
  }

  /** Whether a name is a filter here; for the test that holds the configuration's list of language-dependent ones to these. */
  get filters(): readonly string[] {
    return Object.keys(this.#liquid.filters);
  }
}

/** Liquid's own list filters, for lists of a bounded length. */
function boundList(liquid: Liquid, name: string): void {
  const filter = liquid.filters[name];
  if (typeof filter !== 'function') return;
  liquid.registerFilter(name, function bounded(this, ...args) {
    for (const argument of args) {
      if (Array.isArray(argument) && argument.length > filterEntriesMax) throw new ForeshadowError('feed-invalid', { source: 'origin', message: `${name}: a list has ${argument.length} entries, more than ${filterEntriesMax}` });
    }
    return filter.apply(this, args) as unknown; // a filter gives anything
  });
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', '\'': '&#39;' };

/** For text and for attribute values in quotation marks. */
export function escapeHtml(text: string): string {
  return /[&<>"']/.test(text) ? text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '') : text;
}

/** Liquid ends its messages with `, line:1, col:4`. */
function sentenceOf(error: unknown): string {
  return messageOf(error).replace(/(?:, file:\S+)?, line:(\d+), col:(\d+)$/, ' (line $1, column $2)').slice(0, 300);
}

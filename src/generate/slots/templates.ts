/**
 * Templates of slots, compiled once: what a template may name is checked when the configuration is loaded, so that rendering fails only for what a feed
 * says. Without a template a slot shows the value itself. What comes out is bounded, is JSON where it stands in JSON, and brings no script in a link.
 */
import { messageOf } from '../../kernel/index.ts';
import { jsonText, textOf } from './filters.ts';
import { templateOutputs, type TemplateOutput } from './html-context.ts';
import { escapeHtml, fillingBytesMax, Sandbox, type Parsed, type Scope, type TemplatePlace } from './sandbox.ts';
import { troubled, type Troubled } from './trouble.ts';

export interface TemplateSurroundings {
  readonly place: TemplatePlace;
  /** Parts of the route and dimensions with values. */
  readonly names: readonly string[];
  /** A fallback is rendered without a value. */
  readonly fallback: boolean;
}

export type RenderedText = { readonly ok: true; readonly text: string } | Troubled;

export interface Template {
  /** Whether it reads the whole document, not only the value. */
  readonly readsFeed: boolean;
  render(scope: Scope, language: string): RenderedText;
}

/** Makes templates; keeps the two sandboxes they run in. */
export class Templates {
  readonly #html = new Sandbox('html');
  readonly #json = new Sandbox('json');

  /** Throws `config-invalid` for a template that `problem` finds fault with. */
  compile(source: string, place: TemplatePlace): Template {
    const sandbox = place === 'html' ? this.#html : this.#json;
    const parsed = sandbox.parse(source);
    const mayScript = /(?:java|vb)script:|data:text\/html/i.test(source);
    return {
      readsFeed: parsed.reads.has('feed'),
      render(scope, language) {
        const rendered = sandbox.render(parsed, scope, language);
        return rendered.ok ? finished(rendered.text, place, mayScript) : rendered;
      },
    };
  }

  /** The value itself: as text in HTML, as JSON in JSON. */
  plain(place: TemplatePlace): Template {
    return { readsFeed: false, render: ({ value }) => (place === 'html' ? plainText(value) : plainJson(value)) };
  }

  /** What is wrong with a template, as `reason; hint`; undefined: nothing that can be known without values. */
  problem(source: string, around: TemplateSurroundings): string | undefined {
    let parsed: Parsed;
    try {
      parsed = (around.place === 'html' ? this.#html : this.#json).parse(source);
    } catch (error) {
      return `is not a template that can be used: ${messageOf(error)}; see docs/templates.md for tags and filters`;
    }
    return unknownName(parsed, around) ?? (around.place === 'html' ? misplaced(source) : undefined);
  }
}

function unknownName({ reads }: Parsed, { names, fallback }: TemplateSurroundings): string | undefined {
  const known = new Set([...names, ...(fallback ? [] : ['value', 'feed', 'index'])]);
  const unknown = [...reads].find((name) => !known.has(name));
  if (unknown === undefined) return undefined;
  return `names ${unknown}, which is nothing a ${fallback ? 'fallback' : 'template'} can see; use ${[...known].join(', ') || 'plain text'}`;
}

const dangers: Readonly<Record<NonNullable<TemplateOutput['danger']>, string>> = {
  unquoted: 'stands in an attribute without quotation marks; put them round it',
  tag: 'stands inside a tag; put it into the value of an attribute, in quotation marks',
  script: 'stands in a script or style, where escaping does not help; end it with | json | raw, without quotation marks round it',
  handler: 'stands in an event handler, style or srcdoc, where escaping does not help; end it with | json, without quotation marks round it, or move it to a data attribute',
};

/** Values where HTML escaping is no protection are refused. JSON as the filter `json` makes it is harmless in scripts and, escaped once more, in handlers. */
function misplaced(source: string): string | undefined {
  for (const { at, code, danger } of templateOutputs(source)) {
    const asJson = danger === 'script' ? /\|\s*json\s*\|\s*raw\s*-?\s*$/.test(code) : danger === 'handler' && /\|\s*json\s*-?\s*$/.test(code);
    if (danger === undefined || asJson) continue;
    const before = source.slice(0, at).split('\n');
    return `{{${code.slice(0, 40)}}} (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}) ${dangers[danger]}`;
  }
  return undefined;
}

function plainText(value: unknown): RenderedText {
  if (typeof value === 'object') return troubled('wrong-kind', `${Array.isArray(value) ? 'a list' : 'an object'} is no text; give the slot a template, or a value that names one of its fields`);
  return bounded(escapeHtml(textOf(value)));
}

function plainJson(value: unknown): RenderedText {
  try {
    return bounded(jsonText(value));
  } catch (error) {
    return troubled('too-large', messageOf(error));
  }
}

function finished(text: string, place: TemplatePlace, mayScript: boolean): RenderedText {
  if (place === 'json') {
    const trimmed = text.trim();
    if (!isJson(trimmed)) return troubled('not-json', `what the template makes is not JSON: ${trimmed.slice(0, 60)}; values are written as JSON, with their quotation marks, by themselves`);
    return bounded(trimmed);
  }
  return !mayScript && linksToScript(text) ? troubled('unsafe-url') : bounded(text);
}

function bounded(text: string): RenderedText {
  const bytes = text.length > fillingBytesMax ? text.length : Buffer.byteLength(text);
  return bytes > fillingBytesMax ? troubled('too-large', `it has ${bytes} bytes, more than ${fillingBytesMax}`) : { ok: true, text };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const linkAttribute = /\b(?:href|src|action|formaction|data|poster|background|srcset)\s*=\s*(?:"([^"]*)|'([^']*)|([^\s"'>]*))/gi;

/** Browsers ignore control characters and blanks before and inside a scheme (WHATWG URL, 4.4). */
function linksToScript(html: string): boolean {
  for (const [, double, single, bare] of html.matchAll(linkAttribute)) {
    const url = (double ?? single ?? bare ?? '').slice(0, 256).replaceAll(/[^\u0021-\uffff]/g, '');
    if (/^(?:(?:java|vb)script:|data:text\/html)/i.test(url)) return true;
  }
  return false;
}

/**
 * Finds places in HTML: the content of elements that selectors name, forms that write, attributes that hold tokens, the top of the body.
 * The page goes through the streaming rewriter (lol-html) once, which puts marks in where the places are; their positions, less the
 * marks before them, are positions in the original. Never guesses: an element that has no end tag of its own is no place. Pure.
 */
import type { TokenConfig } from '../config/index.ts';
import { attributeValue } from './attribute.ts';
import { limitEffort } from './effort.ts';
import { markOf, markOffsets, unusedMark } from './marks.ts';
import type { Hole } from './types.ts';

export interface HtmlWants {
  /** `select` of each slot, by name, in declared order. */
  readonly slots: readonly { readonly name: string; readonly select: string }[];
  readonly forms: boolean;
  readonly tokens: readonly TokenConfig[];
  readonly notice: boolean;
  /** Whether content of elements in which character references mean nothing (script, style) may be replaced. */
  readonly rawText: boolean;
}

/** One element that a selector found. Marks `3a` and `3b` stand where the place of the fourth begins and ends. */
interface Sighting {
  readonly what: { readonly kind: 'slot'; readonly slot: string } | { readonly kind: 'form' | 'notice' } | { readonly kind: 'token'; readonly token: TokenConfig };
  readonly tagName: string;
}

const rawTextElements: ReadonlySet<string> = new Set(['script', 'style', 'xmp', 'iframe', 'noembed', 'noframes', 'plaintext']);
/** Undefined when nothing can be found for certain: the rewriter gave up, or there are more than `placesMax`. */
export function htmlPlaces(body: Uint8Array, wants: HtmlWants, placesMax: number): readonly Hole[] | undefined {
  if (wants.slots.length === 0 && !wants.forms && wants.tokens.length === 0 && !wants.notice) return [];
  const page = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const mark = unusedMark(page);
  if (mark === undefined) return undefined;
  const sightings: Sighting[] = [];
  const marked = markedPage(page, mark, wants, sightings, placesMax);
  const offsets = marked && sightings.length <= placesMax ? markOffsets(page, marked, mark) : undefined;
  return offsets && sightings.flatMap((sighting, at) => placesOf(sighting, page, offsets.get(`${at}a`), offsets.get(`${at}b`)));
}

/** Handlers of one element are called in the order in which they were registered, so sightings of slots in one place are in declared order. */
function markedPage(page: Buffer, mark: string, wants: HtmlWants, sightings: Sighting[], placesMax: number): Buffer | undefined {
  const raw = { html: true };
  const see = (what: Sighting['what'], tagName: string): { readonly start: string; readonly end: string } => {
    const at = sightings.length;
    sightings.push({ what, tagName });
    return { start: markOf(mark, `${at}a`), end: markOf(mark, `${at}b`) };
  };
  const content = (element: HTMLRewriterTypes.Element, what: Sighting['what']): void => {
    if (!element.canHaveContent || sightings.length > placesMax) return;
    const { start, end } = see(what, element.tagName);
    element.prepend(start, raw);
    element.append(end, raw); // onEndTag would tell the end tag's name, but of several handlers only the last is called
  };
  const rewriter = new HTMLRewriter();
  try {
    for (const { name, select } of wants.slots) {
      rewriter.on(select, { element: (element) => {
        if (wants.rawText || !rawTextElements.has(element.tagName)) content(element, { kind: 'slot', slot: name });
      } });
    }
    if (wants.forms) rewriter.on('form[method="post" i]', { element: (element) => { content(element, { kind: 'form' }); } });
    for (const token of wants.tokens) {
      rewriter.on(token.select, { element: (element) => {
        if (sightings.length > placesMax) return;
        const { start, end } = see({ kind: 'token', token }, element.tagName);
        element.before(start, raw);
        if (element.canHaveContent) element.prepend(end, raw);
        else element.after(end, raw);
      } });
    }
    if (wants.notice) {
      rewriter.on('body', { element: (element) => {
        if (!sightings.some(({ what }) => what.kind === 'notice')) element.prepend(see({ kind: 'notice' }, element.tagName).start, raw);
      } });
    }
    limitEffort(rewriter, page, [...wants.slots, ...wants.tokens].map(({ select }) => select));
    return Buffer.from(rewriter.transform(page));
  } catch {
    return undefined; // a selector it does not know, or a page it can't read or that takes too much effort
  }
}

function placesOf({ what, tagName }: Sighting, page: Buffer, from: number | undefined, to: number | undefined): readonly Hole[] {
  if (from === undefined) return [];
  if (what.kind === 'notice') return [{ kind: 'notice', from, to: from }];
  if (to === undefined || (what.kind !== 'token' && !hasEndTag(page, to, tagName))) return [];
  switch (what.kind) {
    case 'slot': return [{ kind: 'slot', from, to, slot: what.slot }];
    case 'form': return [{ kind: 'form-start', from, to: from }, { kind: 'form-end', from: to, to }];
    case 'token': {
      const value = attributeValue(page.toString('latin1', from, to), what.token.attribute);
      return value === undefined ? [] : [{ kind: 'token', from: from + value.from, to: from + value.to, cookie: what.token.cookie, quoted: value.quoted }];
    }
  }
}

/** `tagName` is in lower case. Whether the end tag here is the element's own: what ends with its parent's end tag may have ended earlier, where browsers see it. */
function hasEndTag(page: Buffer, at: number, tagName: string): boolean {
  const end = at + 2 + tagName.length;
  return page.toString('latin1', at, end).toLowerCase() === `</${tagName}` && /[\s/>]/.test(page.toString('latin1', end, end + 1));
}

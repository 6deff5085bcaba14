/**
 * Finds places in HTML: the content of elements that selectors name, forms that write, attributes that hold tokens, the top of the body.
 * The page goes through the streaming rewriter (lol-html) once, which puts marks in where the places are; the marks' positions, less the
 * marks before them, are positions in the original. A mark begins with bytes that the page has nowhere, and whatever is left when the marks are
 * taken out must be the page to the byte: else nothing was found. Never guesses: an element that has no end tag of its own is none. Pure.
 */
import type { TokenConfig } from '../config/index.ts';
import { attributeValue } from './attribute.ts';
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

/** One element that a selector found, and where its marks were. */
interface Sighting {
  readonly what: { readonly kind: 'slot'; readonly slot: string } | { readonly kind: 'form' | 'notice' } | { readonly kind: 'token'; readonly token: TokenConfig };
  readonly tagName: string;
  from: number;
  to: number;
}

const rawTextElements: ReadonlySet<string> = new Set(['script', 'style', 'xmp', 'iframe', 'noembed', 'noframes', 'plaintext']);
/** Tries at a beginning of marks that the page does not have. Each is 5 bytes, of which only a hostile page has the first hundred. */
const markTries = 100;
const markEnd = 0x03;

/** Undefined when nothing can be found for certain: the rewriter gave up, or there are more than `placesMax`. */
export function htmlPlaces(body: Uint8Array, wants: HtmlWants, placesMax: number): readonly Hole[] | undefined {
  if (wants.slots.length === 0 && !wants.forms && wants.tokens.length === 0 && !wants.notice) return [];
  const page = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const mark = unusedMark(page);
  if (mark === undefined) return undefined;
  const sightings: Sighting[] = [];
  const marked = markedPage(page, mark, wants, sightings, placesMax);
  if (marked === undefined || sightings.length > placesMax || !readMarks(page, marked, mark, sightings)) return undefined;
  return sightings.toSorted((a, b) => rank(a, wants) - rank(b, wants)).flatMap((sighting) => placesOf(sighting, page));
}

/** Handlers of one element are called in no particular order; slots count in declared order. */
function rank({ what }: Sighting, { slots }: HtmlWants): number {
  return what.kind === 'slot' ? slots.findIndex(({ name }) => name === what.slot) : slots.length;
}

/** STX and three digits of base 36: begins with what it does not contain again, so it can't overlap with itself. */
function unusedMark(page: Buffer): string | undefined {
  for (let i = 0; i < markTries; i++) {
    const mark = `\x02fs${i.toString(36).padStart(2, '0')}`;
    if (!page.includes(mark, 0, 'latin1')) return mark;
  }
  return undefined;
}

function markedPage(page: Buffer, mark: string, wants: HtmlWants, sightings: Sighting[], placesMax: number): Buffer | undefined {
  const raw = { html: true };
  const see = (what: Sighting['what'], tagName: string): { readonly start: string; readonly end: string } => {
    const at = sightings.length;
    sightings.push({ what, tagName, from: -1, to: -1 });
    return { start: `${mark}<${at}\x03`, end: `${mark}>${at}\x03` };
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
    return Buffer.from(rewriter.transform(page));
  } catch {
    return undefined; // a selector it does not know, or a page it can't read
  }
}

/** Fills in where the marks are; false unless the rest is the page itself. */
function readMarks(page: Buffer, marked: Buffer, mark: string, sightings: readonly Sighting[]): boolean {
  let at = 0;
  let taken = 0;
  for (;;) {
    const found = marked.indexOf(mark, at, 'latin1');
    const to = found < 0 ? marked.length : found;
    if (to - taken > page.length || marked.compare(page, at - taken, to - taken, at, to) !== 0) return false;
    if (found < 0) return to - taken === page.length;
    const end = marked.indexOf(markEnd, found);
    const word = marked.toString('latin1', found + mark.length, end);
    const sighting = sightings[Number(word.slice(1))];
    if (end < 0 || sighting === undefined) return false;
    if (word.startsWith('<')) sighting.from = found - taken;
    else sighting.to = found - taken;
    taken += end + 1 - found;
    at = end + 1;
  }
}

function placesOf({ what, tagName, from, to }: Sighting, page: Buffer): readonly Hole[] {
  if (from < 0) return [];
  if (what.kind === 'notice') return [{ kind: 'notice', from, to: from }];
  if (to < from || (what.kind !== 'token' && !hasEndTag(page, to, tagName))) return [];
  switch (what.kind) {
    case 'slot': return [{ kind: 'slot', from, to, slot: what.slot }];
    case 'form': return [{ kind: 'form-start', from, to: from }, { kind: 'form-end', from: to, to }];
    case 'token': {
      const value = attributeValue(page.toString('latin1', from, to), what.token.attribute);
      return value === undefined ? [] : [{ kind: 'token', from: from + value.from, to: from + value.to, cookie: what.token.cookie, quoted: value.quoted }];
    }
  }
}

/** Whether the end tag here is the element's own: what ends with its parent's end tag may have ended earlier, where browsers see it. */
function hasEndTag(page: Buffer, at: number, tagName: string): boolean {
  const end = at + 2 + tagName.length;
  return page.toString('latin1', at, end).toLowerCase() === `</${tagName.toLowerCase()}` && /[\s/>]/.test(page.toString('latin1', end, end + 1));
}

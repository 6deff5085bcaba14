/**
 * From the bytes of a page to its tree. Never throws; bytes that are no ESI markup come out as they are. It reads ESI only: HTML around it, comments
 * and scripts too, is text (the specification says nothing else). Markup that is not as it should be means:
 * - a container that is never closed ends with what it is in; a closing tag of nothing open is taken out;
 * - `when`, `otherwise`, `attempt`, `except` begin where the one before ends, closed or not; outside their parent they are taken out, what is in them stays;
 * - text directly in `choose` and `try` is left out; a second `otherwise`, `attempt` or `except` too;
 * - unknown elements (`esi:inline`, `esi:assign`) are taken out, what is in them stays; `remove` that is never closed removes nothing;
 * - an include is always empty; one without `src` takes its `alt`, and one without either is taken out;
 * - a tag without its `>` within 8 KiB, and `<!--esi` without `-->`, are text.
 */
import { parseExpression } from './expression.ts';
import type { EsiNode, EsiPage, EsiWhen, Template } from './page.ts';
import { readTag, type Tag } from './tag.ts';
import { readVariable, type Variable } from './variable.ts';

/** Tags, variables and stretches of text of one page; a page with more is not processed. */
export const nodesMax = 1_000;
/** Elements inside each other; a page with more is not processed. */
export const nestingMax = 32;

type ContainerName = 'vars' | 'choose' | 'when' | 'otherwise' | 'try' | 'attempt' | 'except';
const containers: ReadonlySet<string> = new Set<ContainerName>(['vars', 'choose', 'when', 'otherwise', 'try', 'attempt', 'except']);
const parents: Readonly<Record<string, string>> = { when: 'choose', otherwise: 'choose', attempt: 'try', except: 'try' };

interface Frame {
  readonly name: string;
  readonly nodes: EsiNode[];
  readonly whens: EsiWhen[];
  /** Nodes of `otherwise`, `attempt` and `except`. */
  readonly parts: Map<string, EsiNode[]>;
}

const marks = /<\/?esi:|<!--esi(?![A-Za-z0-9])|-->|\$\(/g;

/** Whether there is any ESI markup. */
export function hasEsi(body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return bytes.includes('<esi:') || bytes.includes('<!--esi');
}

/** Undefined where the page is beyond the limits. */
export function parseEsi(body: Uint8Array): EsiPage | undefined {
  if (!hasEsi(body)) return { body, nodes: body.byteLength === 0 ? [] : [{ kind: 'text', from: 0, to: body.byteLength }] };
  const nodes = new PageReader(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')).read();
  return nodes && { body, nodes };
}

class PageReader {
  readonly #page: string;
  readonly #stack: Frame[] = [frame('page')];
  #count = 0;
  /** Where text begins that is in no node yet. */
  #textFrom = 0;
  #inComment = false;
  #inVars = 0;
  #tooMuch = false;
  /** Looked for once, so that many openings without an end cost one pass. */
  #lastCommentEnd: number | undefined;
  #lastRemoveEnd: number | undefined;

  constructor(page: string) {
    this.#page = page;
  }

  read(): readonly EsiNode[] | undefined {
    marks.lastIndex = 0;
    let at = 0;
    for (;;) {
      marks.lastIndex = at;
      const match = marks.exec(this.#page);
      if (!match || this.#tooMuch) break;
      const to = this.#mark(match[0], match.index);
      at = to ?? match.index + match[0].length;
    }
    this.#text(this.#page.length);
    while (this.#stack.length > 1) this.#close();
    return this.#tooMuch ? undefined : this.#top.nodes;
  }

  get #top(): Frame {
    const top = this.#stack.at(-1);
    if (!top) throw new Error('broken invariant: the page itself is never closed');
    return top;
  }

  /** Reads what begins with a mark, and gives where it ends; undefined where it is text after all. */
  #mark(mark: string, at: number): number | undefined {
    if (mark === '-->' || mark === '<!--esi') return this.#comment(mark, at);
    if (mark === '$(') return this.#inVars > 0 ? this.#variable(at) : undefined;
    this.#one();
    const tag = readTag(this.#page, at);
    if (!tag) return undefined;
    this.#text(at);
    this.#textFrom = this.#element(tag);
    return this.#textFrom;
  }

  #comment(mark: string, at: number): number | undefined {
    if ((mark === '-->') !== this.#inComment) return undefined;
    if (mark === '<!--esi') {
      this.#one();
      this.#lastCommentEnd ??= this.#page.lastIndexOf('-->');
      if (this.#lastCommentEnd < at) return undefined;
    }
    this.#text(at);
    this.#inComment = !this.#inComment;
    this.#textFrom = at + mark.length;
    return this.#textFrom;
  }

  #variable(at: number): number | undefined {
    const read = readVariable(this.#page, at);
    if (!read) return undefined;
    this.#text(at);
    this.#add({ kind: 'variable', variable: inUtf8(read.variable) });
    this.#textFrom = read.to;
    return read.to;
  }

  /** Gives where it ends: for `remove`, with what is in it. */
  #element(tag: Tag): number {
    const { name, attributes } = tag;
    if (tag.closing) this.#closeNamed(name);
    else if (name === 'include') this.#include(attributes);
    else if (name === 'remove' && !tag.empty) return this.#endOfRemoved(tag.to);
    else if (containers.has(name)) this.#open(name, attributes.get('test'), tag.empty);
    return tag.to;
  }

  #include(attributes: Tag['attributes']): void {
    const src = attributes.get('src') ?? attributes.get('alt');
    const alt = attributes.has('src') ? attributes.get('alt') : undefined;
    if (src === undefined) return;
    this.#add({ kind: 'include', src: templateOf(src), alt: alt === undefined ? undefined : templateOf(alt), optional: attributes.get('onerror') === 'continue' });
  }

  #endOfRemoved(from: number): number {
    this.#lastRemoveEnd ??= this.#page.lastIndexOf('</esi:remove>');
    return this.#lastRemoveEnd < from ? from : this.#page.indexOf('</esi:remove>', from) + '</esi:remove>'.length;
  }

  #open(name: string, test: string | undefined, empty: boolean): void {
    const parent = parents[name];
    if (parent !== undefined) {
      if (parents[this.#top.name] === parent) this.#close();
      if (this.#top.name !== parent) return;
    }
    const opened = frame(name);
    if (name === 'when') this.#top.whens.push({ test: test === undefined ? undefined : parseExpression(test), nodes: opened.nodes });
    else if (parent !== undefined && !this.#top.parts.has(name)) this.#top.parts.set(name, opened.nodes);
    if (name === 'vars') this.#inVars++;
    this.#stack.push(opened);
    if (this.#stack.length > nestingMax + 1) this.#tooMuch = true;
    if (empty) this.#close();
  }

  #closeNamed(name: string): void {
    if (!containers.has(name) || !this.#stack.some((open) => open.name === name)) return;
    while (this.#top.name !== name) this.#close();
    this.#close();
  }

  #close(): void {
    const closed = this.#stack.pop();
    if (!closed) return;
    const { name, nodes, whens, parts } = closed;
    if (name === 'vars') {
      this.#inVars--;
      this.#top.nodes.push(...nodes);
    } else if (name === 'choose') {
      this.#add({ kind: 'choose', whens, otherwise: parts.get('otherwise') ?? [] });
    } else if (name === 'try') {
      this.#add({ kind: 'try', attempt: parts.get('attempt') ?? [], except: parts.get('except') });
    }
  }

  /** The text before `to` that is in no node yet. */
  #text(to: number): void {
    if (to > this.#textFrom) this.#add({ kind: 'text', from: this.#textFrom, to });
    this.#textFrom = to;
  }

  #add(node: EsiNode): void {
    this.#one();
    this.#top.nodes.push(node);
  }

  #one(): void {
    this.#count++;
    if (this.#count > nodesMax) this.#tooMuch = true;
  }
}

function frame(name: string): Frame {
  return { name, nodes: [], whens: [], parts: new Map() };
}

function templateOf(text: string): Template {
  const parts: (string | Variable)[] = [];
  let from = 0;
  for (let at = text.indexOf('$('); at >= 0; at = text.indexOf('$(', at)) {
    const read = readVariable(text, at);
    if (!read) {
      at += 2;
      continue;
    }
    if (at > from) parts.push(text.slice(from, at));
    parts.push(read.variable);
    from = read.to;
    at = read.to;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}

/** Attributes are decoded when their tag is read; of a variable in text, key and default still have to be. */
function inUtf8({ name, key, fallback }: Variable): Variable {
  const decode = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');
  return { name, key: key === undefined ? undefined : decode(key), fallback: decode(fallback) };
}

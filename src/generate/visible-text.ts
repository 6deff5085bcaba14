/**
 * What a person would read in an answer: its title, its text block by block, which of it is main text and which is frame (links, menus, header,
 * footer, forms), and where it links to. What judges copies by their words (admission) and compares them with live pages (fidelity) goes by
 * this, so that scripts, styles, comments and hidden fields count for neither. One streaming pass; pure; bounded; never throws.
 */
import { Parser } from 'htmlparser2';

export interface TextBlock {
  readonly text: string;
  readonly words: number;
  /** Whether it is neither a link nor part of menus, header, footer or forms. */
  readonly main: boolean;
  readonly heading: boolean;
}

export interface VisibleText {
  readonly title: string;
  readonly blocks: readonly TextBlock[];
  readonly words: number;
  readonly mainWords: number;
  /** Targets as written, each once. */
  readonly links: readonly string[];
}

/** Characters of text read of one body; what is beyond is left out. */
export const textCharactersMax = 1_000_000;
/** Links read of one body. */
export const textLinksMax = 2000;

const unread = new Set(['script', 'style', 'template', 'noscript', 'svg', 'math']);
const frame = new Set(['a', 'nav', 'header', 'footer', 'form', 'button', 'select', 'textarea', 'label', 'dialog']);
/** Within these a block goes on: their text belongs to one sentence with what is round them. */
const inline = new Set(['a', 'abbr', 'b', 'bdi', 'bdo', 'br', 'cite', 'code', 'data', 'dfn', 'em', 'i', 'img', 'kbd', 'mark', 'q', 's', 'samp', 'small', 'span', 'strong', 'sub', 'sup', 'time', 'u', 'var', 'wbr', 'font']);
const headings = new Set(['h1']);
const word = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}]+/gu;

/** Words in lower case. Scripts written without spaces count each character. */
export function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(word) ?? [];
}

/** Text that is not HTML: one block of main text for each line. */
export function plainText(text: string): VisibleText {
  const blocks = text.slice(0, textCharactersMax).split('\n').flatMap((line): TextBlock[] => {
    const words = wordsOf(line).length;
    return words === 0 ? [] : [{ text: line.trim(), words, main: true, heading: false }];
  });
  const words = blocks.reduce((sum, block) => sum + block.words, 0);
  return { title: '', blocks, words, mainWords: words, links: [] };
}

export function visibleText(html: string): VisibleText {
  const reading = new Reading();
  const parser = new Parser({
    onopentag: (name, attributes) => { reading.open(name, attributes); },
    ontext: (text) => { reading.text(text); },
    onclosetag: (name) => { reading.close(name); },
  }, { decodeEntities: true });
  parser.end(html);
  return reading.result();
}

class Reading {
  readonly #blocks: TextBlock[] = [];
  readonly #links = new Set<string>();
  #title = '';
  #text = '';
  #characters = 0;
  /** How deep inside unread elements, frame elements, headings, the title. */
  #unread = 0;
  #frame = 0;
  #heading = 0;
  #inTitle = false;
  /** Whether the link being read began a block: a link within a sentence is part of the sentence. */
  #linkAlone = false;
  /** What the block that is being gathered is. */
  #main = true;

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (!inline.has(name)) this.#endBlock();
    if (name === 'a') this.#linkAlone = this.#text.trim() === '';
    if (unread.has(name)) this.#unread++;
    if (frame.has(name)) this.#frame++;
    if (headings.has(name)) this.#heading++;
    if (name === 'title') this.#inTitle = this.#unread === 0;
    this.#main = this.#frame === 0;
    const href = name === 'a' ? attributes['href'] : undefined;
    if (href !== undefined && this.#links.size < textLinksMax) this.#links.add(href);
    if (name === 'br') this.text(' ');
    if (name === 'img' && attributes['alt']) this.text(` ${attributes['alt']} `);
  }

  close(name: string): void {
    if (!inline.has(name) || (name === 'a' && this.#linkAlone)) this.#endBlock();
    if (unread.has(name)) this.#unread--;
    if (frame.has(name)) this.#frame--;
    if (headings.has(name)) this.#heading--;
    if (name === 'title') this.#inTitle = false;
    this.#main = this.#frame === 0;
  }

  text(text: string): void {
    if (this.#characters >= textCharactersMax) return;
    if (this.#inTitle && this.#title.length < 500) this.#title += text;
    if (this.#inTitle || this.#unread > 0) return;
    this.#characters += text.length;
    this.#text += text;
  }

  result(): VisibleText {
    this.#endBlock();
    let words = 0;
    let mainWords = 0;
    for (const block of this.#blocks) {
      words += block.words;
      if (block.main) mainWords += block.words;
    }
    return { title: this.#title.replace(/\s+/g, ' ').trim(), blocks: this.#blocks, words, mainWords, links: [...this.#links] };
  }

  #endBlock(): void {
    if (this.#text === '') return;
    const text = this.#text.replace(/\s+/g, ' ').trim();
    this.#text = '';
    const words = wordsOf(text).length;
    if (words > 0) this.#blocks.push({ text, words, main: this.#main, heading: this.#heading > 0 });
  }
}

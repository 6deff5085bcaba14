/** A copy's body as a person reads it: the text of a page, line by line, and what changed in it. Pure. */
import { Parser } from 'htmlparser2';
import { createTwoFilesPatch } from 'diff';
import { contentKind } from '../catalog/index.ts';

const previewLinesMax = 24;
const lineCharactersMax = 160;

interface Body {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

export function previewOf(body: Body): string {
  const lines = linesOf(body);
  if (lines === undefined) return `${body.contentType === '' ? 'a body' : body.contentType} that is no text\n`;
  const shown = lines.slice(0, previewLinesMax).map((line) => `  | ${line.length > lineCharactersMax ? `${line.slice(0, lineCharactersMax - 1)}…` : line}`);
  const more = lines.length > previewLinesMax ? [`  | … ${lines.length - previewLinesMax} more lines; --body prints all of it`] : [];
  return `${[...shown, ...more].join('\n')}\n`;
}

/** A unified diff of the two texts; for what is no text, whether they differ. */
export function diffOfBodies(name: string, before: Body & { readonly version: number }, after: Body & { readonly version: number }): string {
  const from = linesOf(before);
  const to = linesOf(after);
  if (Buffer.compare(before.bytes, after.bytes) === 0) return `${name}: the same in version ${before.version} and ${after.version}\n`;
  if (from === undefined || to === undefined) return `${name}: ${before.bytes.byteLength} bytes in version ${before.version}, ${after.bytes.byteLength} other bytes in version ${after.version}\n`;
  if (from.join('\n') === to.join('\n')) return `${name}: the same text in version ${before.version} and ${after.version}; markup differs\n`;
  return createTwoFilesPatch(`${name} v${before.version}`, `${name} v${after.version}`, `${from.join('\n')}\n`, `${to.join('\n')}\n`, undefined, undefined, { context: 2 });
}

function linesOf({ bytes, contentType }: Body): string[] | undefined {
  const kind = contentKind(contentType);
  if (kind === 'other') return undefined;
  const text = new TextDecoder().decode(bytes);
  if (kind === 'html') return visibleLines(text);
  return (kind === 'data' ? pretty(text) : text).split('\n').filter((line) => line.trim() !== '');
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const blocks = new Set(['address', 'article', 'aside', 'blockquote', 'br', 'button', 'dd', 'div', 'dl', 'dt', 'fieldset', 'footer', 'form', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'header', 'hr', 'li', 'main', 'nav', 'ol', 'option', 'p', 'pre', 'section', 'table', 'td', 'th', 'title', 'tr', 'ul']);
const unseen = new Set(['script', 'style', 'template', 'noscript', 'svg']);

function visibleLines(html: string): string[] {
  const lines: string[] = [];
  let line = '';
  let hidden = 0;
  const end = (): void => {
    const clean = line.replaceAll(/\s+/g, ' ').trim();
    if (clean !== '') lines.push(clean);
    line = '';
  };
  const parser = new Parser({
    onopentag(name) {
      if (unseen.has(name)) hidden++;
      if (blocks.has(name)) end();
    },
    ontext(text) {
      if (hidden === 0) line += text;
    },
    onclosetag(name) {
      if (unseen.has(name)) hidden--;
      if (blocks.has(name)) end();
    },
  }, { decodeEntities: true });
  parser.end(html);
  end();
  return lines;
}

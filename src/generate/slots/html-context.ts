/**
 * Where in its HTML a template puts values. Escaping makes a value harmless as text and inside quotation marks; it does not in a script, a style, an event
 * handler or an attribute without quotation marks, and a template that puts one there is refused before it meets a hostile feed. One pass over the
 * source, tags of Liquid taken as nothing. A guard for the owner of templates, not a parser of all of HTML. Pure.
 */

export interface TemplateOutput {
  /** Offset of `{{` in the source. */
  readonly at: number;
  readonly code: string;
  /** What makes escaping insufficient there; undefined: nothing. */
  readonly danger: 'script' | 'handler' | 'unquoted' | 'tag' | undefined;
}

interface State {
  /** `text`, inside a start tag, in a quoted or bare attribute value, in the content of script or style, in a comment. */
  in: 'text' | 'tag' | 'quoted' | 'bare' | 'raw-text' | 'comment';
  tag: string;
  attribute: string;
  quote: string;
}

export function templateOutputs(source: string): TemplateOutput[] {
  const outputs: TemplateOutput[] = [];
  const state: State = { in: 'text', tag: '', attribute: '', quote: '' };
  let at = 0;
  while (at < source.length) {
    if (source.startsWith('{{', at)) {
      const end = source.indexOf('}}', at);
      const to = end < 0 ? source.length : end;
      outputs.push({ at, code: source.slice(at + 2, to), danger: dangerOf(state, source.slice(0, at)) });
      if (state.in === 'tag' && source[at - 1] === '=') state.in = 'bare';
      at = to + 2;
    } else if (source.startsWith('{%', at)) {
      at = afterTag(source, at);
    } else {
      at += step(source, at, state);
    }
  }
  return outputs;
}

/** A `raw` or `comment` block is skipped whole. */
function afterTag(source: string, at: number): number {
  const end = source.indexOf('%}', at);
  if (end < 0) return source.length;
  const word = /^\{%-?\s*(raw|comment)\b/.exec(source.slice(at, at + 64))?.[1];
  if (word === undefined) return end + 2;
  const close = new RegExp(`\\{%-?\\s*end${word}\\s*-?%\\}`, 'g');
  close.lastIndex = end;
  const found = close.exec(source);
  return found ? found.index + found[0].length : source.length;
}

/** Takes what begins at `at`; gives its length. */
function step(source: string, at: number, state: State): number {
  const character = source[at] ?? '';
  switch (state.in) {
    case 'text': return stepText(source, at, state);
    case 'comment':
      if (!source.startsWith('-->', at)) return 1;
      state.in = 'text';
      return 3;
    case 'raw-text':
      if (source.slice(at, at + state.tag.length + 2).toLowerCase() !== `</${state.tag}`) return 1;
      state.in = 'tag';
      return state.tag.length + 2;
    case 'quoted':
      if (character === state.quote) state.in = 'tag';
      return 1;
    case 'bare':
      if (/\s/.test(character)) state.in = 'tag';
      else if (character === '>') endTag(source, at, state);
      return 1;
    case 'tag': return stepTag(source, at, state);
  }
}

function stepText(source: string, at: number, state: State): number {
  if (source.startsWith('<!--', at)) {
    state.in = 'comment';
    return 4;
  }
  const name = source[at] === '<' ? /^<([A-Za-z][A-Za-z0-9:-]*)/.exec(source.slice(at, at + 64))?.[1] : undefined;
  if (name === undefined) return 1;
  Object.assign(state, { in: 'tag', tag: name.toLowerCase(), attribute: '' });
  return name.length + 1;
}

function stepTag(source: string, at: number, state: State): number {
  const character = source[at] ?? '';
  if (character === '>') {
    endTag(source, at, state);
    return 1;
  }
  const named = /^([^\s"'<>/={]+)\s*=\s*(["']?)/.exec(source.slice(at, at + 256));
  if (!named) return 1;
  state.attribute = (named[1] ?? '').toLowerCase();
  state.quote = named[2] ?? '';
  const next = source[at + named[0].length] ?? '';
  if (state.quote !== '') state.in = 'quoted';
  else if (next !== '{' && next !== '>') state.in = 'bare';
  return named[0].length;
}

function endTag(source: string, at: number, state: State): void {
  const opens = (state.tag === 'script' || state.tag === 'style') && !closesAt(source, at, state.tag);
  state.in = opens ? 'raw-text' : 'text';
}

/** Whether the tag that ends at `at` is an end tag. */
function closesAt(source: string, at: number, tag: string): boolean {
  const begin = source.lastIndexOf('<', at);
  return source.slice(begin, begin + tag.length + 2).toLowerCase() === `</${tag}`;
}

function dangerOf(state: State, before: string): TemplateOutput['danger'] {
  if (state.in === 'raw-text') return 'script';
  if (state.in === 'bare') return 'unquoted';
  if (state.in === 'tag') return /=\s*$/.test(before) ? 'unquoted' : 'tag';
  if (state.in !== 'quoted') return undefined;
  return /^on|^srcdoc$|^style$/.test(state.attribute) ? 'handler' : undefined;
}

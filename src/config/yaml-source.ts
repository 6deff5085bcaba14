/**
 * The configuration's text: YAML 1.2 (so also JSON) to plain data, and from a path in that data back to line and column.
 * Syntax errors, duplicate keys and unknown tags are findings; aliases are bounded by the parser against expansion bombs.
 * Of several syntax errors the first is told, as the others mostly follow from it; duplicate keys are all told.
 */
import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import { messageOf } from '../kernel/index.ts';
import { shieldReferences } from './environment.ts';
import { maxima } from './maxima.ts';
import type { Finding, Path, Problem } from './problems.ts';
import { finding, formatPath } from './problems.ts';

export interface ConfigSource {
  /** Plain data; an empty object for an empty file. */
  readonly data: unknown;
  readonly problems: readonly Problem[];
  /** A finding with its place in the text. */
  locate(found: Finding): Problem;
}

export function parseSource(text: string): ConfigSource {
  if (text.length > maxima.configBytes) return unreadable(finding([], `is larger than ${maxima.configBytes} bytes`));
  const lines = new LineCounter();
  const document = parseDocument(shieldReferences(text), { lineCounter: lines, prettyErrors: false, uniqueKeys: true, logLevel: 'silent' });
  const errors = [...document.errors, ...document.warnings];
  const firstOther = errors.find((error) => error.code !== 'DUPLICATE_KEY');
  const problems = errors.filter((error) => error === firstOther || error.code === 'DUPLICATE_KEY').map((error): Problem => {
    const { line, col } = lines.linePos(error.pos[0]);
    const reason = error.code === 'DUPLICATE_KEY' ? 'the key is there already' : `is not valid YAML: ${error.message}`;
    return { path: '', line, column: col, reason, hint: error.code === 'DUPLICATE_KEY' ? 'keep one of the two' : 'the problem may begin a little before' };
  });
  const locate = (found: Finding): Problem => {
    const offset = offsetOf(document, found.path, found.atKey ?? false);
    const place = offset === undefined ? undefined : lines.linePos(offset);
    return { path: formatPath(found.path), line: place?.line, column: place?.col, reason: found.reason, hint: found.hint };
  };
  if (problems.length > 0) return { data: {}, problems, locate };
  try {
    return { data: document.toJS() ?? {}, problems, locate };
  } catch (thrown) {
    return unreadable(finding([], `is not valid YAML: ${messageOf(thrown)}`));
  }
}

function unreadable(found: Finding): ConfigSource {
  const locate = (other: Finding): Problem => ({ path: formatPath(other.path), line: undefined, column: undefined, reason: other.reason, hint: other.hint });
  return { data: {}, problems: [locate(found)], locate };
}

/** Where the path's value (or key) starts; for what isn't there, where its nearest parent that is there starts. */
function offsetOf(document: Document.Parsed, path: Path, atKey: boolean): number | undefined {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const [depth, step] of path.entries()) {
    if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      offset = startOf(node) ?? offset;
      continue;
    }
    const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step)) : undefined;
    if (!pair) return offset;
    const keyWanted = atKey && depth === path.length - 1;
    offset = (keyWanted ? undefined : startOf(pair.value)) ?? startOf(pair.key) ?? offset;
    node = pair.value;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined; // `isNode` narrows to a union whose members all have `range`
}

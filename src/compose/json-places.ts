/**
 * Finds places in JSON: the values that JSON Pointers (RFC 6901) name. The body must be JSON as RFC 8259 has it, in UTF-8 (a byte order
 * mark is let pass), without comments: else nothing is found. Of names that occur twice the last counts, as in every parser browsers have. Pure.
 */
import { parseTree, type Node } from 'jsonc-parser';
import type { Hole } from './types.ts';

export interface JsonWant {
  readonly name: string;
  readonly pointer: string;
}

/** In the order of `wants`; undefined when the body can't be read for certain. */
export function jsonPlaces(body: Uint8Array, wants: readonly JsonWant[]): readonly Hole[] | undefined {
  if (wants.length === 0) return [];
  const read = readTree(body);
  if (read === undefined) return undefined;
  const found = wants.flatMap(({ name, pointer }) => {
    const node = nodeAt(read.root, pointer);
    return node === undefined ? [] : [{ name, from: node.offset, to: node.offset + node.length }];
  });
  const toBytes = byteOffsets(read.text, read.markBytes, found.flatMap(({ from, to }) => [from, to]));
  return found.map(({ name, from, to }) => ({ kind: 'slot', from: toBytes.get(from) ?? 0, to: toBytes.get(to) ?? 0, slot: name }));
}

function readTree(body: Uint8Array): { readonly text: string; readonly root: Node; readonly markBytes: number } | undefined {
  try {
    const marked = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(marked ? body.subarray(3) : body);
    JSON.parse(text); // the strict word on whether it is JSON; the tree is read by a more lenient one
    const root = parseTree(text, [], { disallowComments: true });
    return root && { text, root, markBytes: marked ? 3 : 0 };
  } catch {
    return undefined; // not UTF-8, not JSON, or nested deeper than the stack
  }
}

function nodeAt(root: Node, pointer: string): Node | undefined {
  if (pointer === '') return root;
  let node: Node | undefined = root;
  for (const escaped of pointer.split('/').slice(1)) {
    if (node === undefined) return undefined;
    const step = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    if (node.type === 'array') node = /^(?:0|[1-9]\d*)$/.test(step) ? node.children?.[Number(step)] : undefined;
    else if (node.type === 'object') node = node.children?.findLast((property) => property.children?.[0]?.value === step)?.children?.[1];
    else return undefined;
  }
  return node;
}

/** Offsets in UTF-16 code units to offsets in bytes, each stretch of text measured once. */
function byteOffsets(text: string, markBytes: number, offsets: readonly number[]): ReadonlyMap<number, number> {
  const byOffset = new Map<number, number>();
  let at = 0;
  let bytes = markBytes;
  for (const offset of offsets.toSorted((a, b) => a - b)) {
    bytes += Buffer.byteLength(text.slice(at, offset));
    at = offset;
    byOffset.set(offset, bytes);
  }
  return byOffset;
}

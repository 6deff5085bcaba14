/**
 * A body cut at its holes, once, and put together many times. Segments are views into the body: nothing is copied until an answer is
 * made, and then everything once, into one allocation. Pure.
 */
import { assert } from '../kernel/index.ts';
import type { Hole } from './types.ts';

export interface Seed {
  readonly body: Uint8Array;
  readonly holes: readonly Hole[];
  /** What lies before, between and after the holes: one more than there are holes. Views into `body`. */
  readonly segments: readonly Uint8Array[];
  /** What the body has in each hole; empty where something is only put in. Views into `body`. */
  readonly originals: readonly Uint8Array[];
}

/** `holes` in order and not overlapping, as `findHoles` gives them. */
export function compileSeed(body: Uint8Array, holes: readonly Hole[]): Seed {
  const segments: Uint8Array[] = [];
  const originals: Uint8Array[] = [];
  let at = 0;
  for (const { from, to } of holes) {
    assert(at <= from && from <= to && to <= body.byteLength, 'holes lie in order within the body');
    segments.push(body.subarray(at, from));
    originals.push(body.subarray(from, to));
    at = to;
  }
  segments.push(body.subarray(at));
  return { body, holes, segments, originals };
}

/** The body with `contents[i]` in hole `i`; undefined leaves what the origin had there (where something is only put in: nothing). */
export function assemble(seed: Seed, contents: readonly (Uint8Array | undefined)[]): Uint8Array {
  const { segments, originals } = seed;
  assert(contents.length === originals.length, 'each hole has its content');
  let bytes = seed.body.byteLength;
  for (let i = 0; i < contents.length; i++) {
    const content = contents[i];
    if (content !== undefined) bytes += content.byteLength - (originals[i]?.byteLength ?? 0);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i];
    if (segment === undefined) continue;
    whole.set(segment, at);
    at += segment.byteLength;
    const content = contents[i] ?? originals[i];
    if (content === undefined) continue;
    whole.set(content, at);
    at += content.byteLength;
  }
  return whole;
}

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { chooseFilling } from './choice.ts';
import { composedTag } from './composed-tag.ts';
import { digestOutside } from './outside.ts';
import { assemble, compileSeed } from './seed.ts';
import type { FeedKey, Filling, FillingId, Hole, Profile } from './types.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

interface Cut { readonly body: Uint8Array; readonly holes: readonly Hole[] }

/** A body and holes anywhere in it, some empty, some touching. */
const anyCut: fc.Arbitrary<Cut> = fc.uint8Array({ maxLength: 200 }).chain((body) =>
  fc.array(fc.nat(body.byteLength), { maxLength: 12 }).map((ends): Cut => {
    const sorted = ends.toSorted((a, b) => a - b);
    const holes: Hole[] = [];
    for (let i = 0; i + 1 < sorted.length; i += 2) holes.push({ kind: 'slot', from: sorted[i] ?? 0, to: sorted[i + 1] ?? 0, slot: `s${i}` });
    return { body, holes };
  }));

test('with nothing in the holes the bytes are the original ones', () => {
  fc.assert(fc.property(anyCut, ({ body, holes }) => {
    const whole = assemble(compileSeed(body, holes), holes.map(() => undefined));
    expect(Buffer.from(whole).equals(body)).toBe(true);
    expect(whole.buffer).not.toBe(body.buffer);
  }), { seed: 7, numRuns: 300 });
});

test('contents land exactly between the neighbours their holes had, and nothing else changes', () => {
  fc.assert(fc.property(anyCut, fc.array(fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }), { minLength: 6, maxLength: 6 }), ({ body, holes }, some) => {
    const contents = holes.map((_, i) => some[i]);
    const expected: Uint8Array[] = [];
    let at = 0;
    holes.forEach(({ from, to }, i) => {
      expected.push(body.subarray(at, from), contents[i] ?? body.subarray(from, to));
      at = to;
    });
    expected.push(body.subarray(at));
    expect(Buffer.from(assemble(compileSeed(body, holes), contents)).equals(Buffer.concat(expected))).toBe(true);
  }), { seed: 8, numRuns: 300 });
});

test('no output holds a byte of another variation', () => {
  // Every text of filling f, version v consists of its own private-use character only.
  const own = (filling: number, version: number): string => String.fromCodePoint(0xf0000 + filling * 16 + version);
  const filling = (at: number, versions: number, fallback: boolean): Filling => ({
    id: `f${at}` as FillingId, feed: 'feed' as FeedKey, maxAgeMs: 1000, valueTimeMs: 0, version: 1, fallback: fallback ? own(at, 15).repeat(3) : undefined, // names that only this test reads
    versions: Array.from({ length: versions }, (_, v) => ({ text: own(at, v).repeat(at + 1), profile: versions > 1 ? new Map([[String(v), 1]]) : undefined })),
  });
  const shape = fc.record({ versions: fc.nat(4), fallback: fc.boolean(), heardMs: fc.option(fc.nat(3000), { nil: undefined }) });
  const visitor = fc.option(fc.nat(4).map((at): Profile => new Map([[String(at), 1]])), { nil: undefined });
  fc.assert(fc.property(anyCut, fc.array(shape, { minLength: 6, maxLength: 6 }), visitor, fc.nat(3000), ({ body, holes }, shapes, profile, nowMs) => {
    const allowed = new Set<string>();
    const contents = holes.map((_, at) => {
      const { versions = 0, fallback = false, heardMs } = shapes[at] ?? {};
      const choice = chooseFilling(filling(at, versions, fallback), heardMs, profile, nowMs);
      if (choice.kind === 'origin') return undefined;
      allowed.add(choice.kind === 'version' ? own(at, choice.index) : own(at, 15));
      if (choice.kind === 'version' && versions > 1) expect(choice.index).toBe(Math.max(0, [...profile?.keys() ?? []].map(Number).find((name) => name < versions) ?? 0));
      return bytes(choice.text);
    });
    const whole = Buffer.from(assemble(compileSeed(body.map((byte) => byte & 0x7f), holes), contents)).toString();
    const strange = (whole.match(/[^\0-\x7f]/gu) ?? []).filter((character) => !allowed.has(character));
    expect(strange).toEqual([]);
  }), { seed: 9, numRuns: 300 });
});

test('holes out of order, outside the body, or with contents missing are a broken invariant', () => {
  const hole = (from: number, to: number): Hole => ({ kind: 'nonce', from, to });
  for (const holes of [[hole(2, 3), hole(1, 2)], [hole(1, 3), hole(2, 4)], [hole(3, 2)], [hole(0, 6)]]) expect(() => compileSeed(bytes('abcde'), holes)).toThrow('holes lie in order');
  expect(() => assemble(compileSeed(bytes('abcde'), [hole(1, 2)]), [])).toThrow('each hole has its content');
});

test('the tag of a composed body: the same for the same, another for anything else', () => {
  const contents = [bytes('a'), undefined, bytes('bc')];
  const tag = composedTag('d1', contents);
  expect(tag).toMatch(/^"[\w-]{27}"$/);
  expect(composedTag('d1', [bytes('a'), undefined, bytes('bc')])).toBe(tag);
  const others = [composedTag('d2', contents), composedTag('d1', [bytes('ab'), undefined, bytes('c')]), composedTag('d1', [bytes('a'), bytes(''), bytes('bc')]), composedTag('d1', [undefined, bytes('a'), bytes('bc')]), composedTag('d1', [bytes('a'), undefined, bytes('bd')])];
  expect(new Set([tag, ...others]).size).toBe(6);
});

test('what is outside the holes: their content does not count, everything else does', () => {
  const at = (text: string, from: number, to: number, slot = 'a'): string => digestOutside(bytes(text), [{ kind: 'slot', from, to, slot }]);
  const page = at('<p>12</p>', 3, 5);
  expect(page).toBe(at('<p>99999</p>', 3, 8));
  expect(page).toBe(at('<p></p>', 3, 3));
  expect(new Set([page, at('<b>12</p>', 3, 5), at('<p>12</p> ', 3, 5), at('<p>12</p>', 4, 5), at('<p></12p>', 5, 7), at('<p>12</p>', 3, 5, 'b'), digestOutside(bytes('<p>12</p>'), [])]).size).toBe(7);
  expect(digestOutside(bytes('abc'), [])).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { FeedKey } from '../../compose/types.ts';
import { readSnapshot, snapshotBytesMax, snapshotValuesMax, writeSnapshot, type SnapshotValue } from './snapshot.ts';

function value(name: string, over: Partial<SnapshotValue> = {}): SnapshotValue {
  return { key: name as FeedKey, fingerprint: 'f', validators: { etag: undefined, lastModified: undefined }, valueTimeMs: 1, heardMs: 2, bytes: new Uint8Array([0x31]), ...over }; // a name is a key here
}

test('what is written is read again', () => {
  const validator = fc.option(fc.string({ minLength: 1 }), { nil: undefined });
  const any = fc.record({
    name: fc.string({ minLength: 1 }), fingerprint: fc.string(), etag: validator, lastModified: validator, bytes: fc.uint8Array({ maxLength: 100 }), valueTimeMs: fc.nat(), laterMs: fc.nat(),
  });
  fc.assert(fc.property(fc.array(any, { maxLength: 10 }), (list) => {
    const values = list.map(({ name, etag, lastModified, laterMs, ...rest }) => value(name.toWellFormed(), {
      ...rest, fingerprint: rest.fingerprint.toWellFormed(), heardMs: rest.valueTimeMs + laterMs, validators: { etag: etag?.toWellFormed(), lastModified: lastModified?.toWellFormed() },
    }));
    const read = readSnapshot(writeSnapshot(values));
    expect([...read].sort((a, b) => (a.key < b.key ? -1 : 1))).toHaveLength(values.length);
    for (const one of values) expect(read).toContainEqual(one);
  }), { seed: 4, numRuns: 100 });
});

test('what is written is bounded: those heard longest ago are left out', () => {
  const MiB = new Uint8Array(1024 * 1024);
  const large = Array.from({ length: 20 }, (_, index) => value(`large${index}`, { bytes: MiB, heardMs: index }));
  const written = writeSnapshot(large);
  expect(written.length).toBeLessThan(snapshotBytesMax + 10_000);
  expect(readSnapshot(written).map(({ key }) => String(key))).toEqual(Array.from({ length: 16 }, (_, index) => `large${19 - index}`));
  const many = readSnapshot(writeSnapshot(Array.from({ length: snapshotValuesMax + 1 }, (_, index) => value(`v${index}`, { heardMs: index }))));
  expect(many).toHaveLength(snapshotValuesMax);
  expect(many.some(({ key }) => key === 'v0')).toBe(false);
});

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { digestBytes, digestFromBytes, digestOf } from '../digest.ts';
import { checkSegmentHeader, encodeRecord, encodeSegmentHeader, encodeSidecar, parseSidecar, scanRecords } from './index.ts';

function segmentOf(bodies: readonly Uint8Array[], segment = 7): Buffer {
  return Buffer.concat([encodeSegmentHeader(segment), ...bodies.flatMap((body) => encodeRecord(digestBytes(digestOf(body)), body))]);
}

const found = (file: Uint8Array): string[] => [...scanRecords(file)].map((record) => digestFromBytes(record.digest));
const bodies = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 });
const options = { seed: 20_261_123, numRuns: 200 };

test('a scan finds every record, in order, with its body', () => {
  fc.assert(fc.property(bodies, (list) => {
    const file = segmentOf(list);
    const records = [...scanRecords(file)];
    expect(records.map(({ bodyOffset, bodyBytes }) => file.subarray(bodyOffset, bodyOffset + bodyBytes).toString('hex')))
      .toEqual(list.map((body) => Buffer.from(body).toString('hex')));
  }), options);
});

test('one damaged byte costs one record at most, and never shows a wrong one', () => {
  fc.assert(fc.property(bodies.filter((list) => list.length > 0), fc.nat(), fc.integer({ min: 1, max: 255 }), (list, at, flip) => {
    const file = segmentOf(list);
    const whole = found(file);
    const place = 32 + (at % (file.byteLength - 32));
    file[place] = (file[place] ?? 0) ^ flip;
    const left = found(file);
    expect(left.length).toBeGreaterThanOrEqual(whole.length - 1);
    expect(left.every((digest) => whole.includes(digest))).toBe(true);
  }), options);
});

test('a torn tail keeps all whole records before it', () => {
  fc.assert(fc.property(bodies, fc.nat(), (list, cut) => {
    const file = segmentOf(list);
    const end = 32 + (cut % (file.byteLength - 31));
    let at = 32;
    const whole = list.filter((body) => (at += Math.ceil((56 + body.byteLength) / 8) * 8) <= end + ((8 - ((56 + body.byteLength) % 8)) % 8));
    expect(found(file.subarray(0, end))).toEqual(whole.map((body) => digestOf(body)));
  }), options);
});

test('a segment knows its number and refuses a newer format', () => {
  const header = Buffer.from(encodeSegmentHeader(7));
  expect(checkSegmentHeader(header, 7)).toBe('ok');
  expect(checkSegmentHeader(header, 8)).toBe('bad');
  expect(checkSegmentHeader(header.subarray(0, 20), 7)).toBe('bad');
  header.writeUInt32LE(2, 8);
  expect(checkSegmentHeader(header, 7)).toBe('bad');
  header.writeBigUInt64LE(Bun.hash.xxHash3(header.subarray(0, 24)), 24);
  expect(checkSegmentHeader(header, 7)).toBe('newer');
});

test('a list is believed whole or not at all', () => {
  const entries = [1, 2, 3].map((n) => ({ digest: digestBytes(digestOf(Buffer.from([n]))), bodyOffset: n * 100, bodyBytes: n }));
  const file = Buffer.from(encodeSidecar(7, 4096, entries));
  const read = parseSidecar(file, 7);
  expect(read?.coveredBytes).toBe(4096);
  expect([...(read?.entries() ?? [])].map(({ bodyOffset, bodyBytes }) => [bodyOffset, bodyBytes])).toEqual([[100, 1], [200, 2], [300, 3]]);
  expect(parseSidecar(file, 8)).toBeUndefined();
  for (let at = 0; at < file.byteLength; at++) {
    const bad = Buffer.from(file);
    bad[at] = (bad[at] ?? 0) ^ 16;
    expect(parseSidecar(bad, 7)).toBeUndefined();
    expect(parseSidecar(file.subarray(0, at), 7)).toBeUndefined();
  }
});

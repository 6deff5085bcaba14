import { expect, test } from 'bun:test';
import { ByteWriter, ForeshadowError, type ResourceKey } from '../kernel/index.ts';
import { Changes } from './changes.ts';
import { History } from './history.ts';
import { Ledger } from './ledger.ts';
import { readMemory, writeMemory } from './memory.ts';

const nowMs = 1_700_000_000_000;
const key = (text: string): ResourceKey => text as ResourceKey; // spelled as resourceKey would

function memory() {
  const ledger = new Ledger();
  ledger.refused('/a\n', 'private', undefined, nowMs);
  ledger.refused('/b\nd=x', 'shrunken', { reason: 'shrunken', sightings: 2, firstMs: nowMs - 5000 }, nowMs);
  ledger.refused('/a\n', 'origin-timeout', undefined, nowMs + 1);
  const changes = new Changes();
  changes.observe(key('/ü'), 90_000, true);
  changes.observe(key('/ü'), 600_000, false);
  const history = new History();
  for (const bytes of [5000, 7000]) history.observe('/a\n', { bytes, words: 70, mainWords: 50 });
  return { ledger, changes, history, passing: new Set([key('/p'), key('/q')]), feeds: new Uint8Array([1, 2, 0, 255]) };
}

test('what is written is read again, in its order', () => {
  const before = memory();
  const after = readMemory(writeMemory(before), nowMs);
  expect([...after.ledger.entries()]).toEqual([...before.ledger.entries()]);
  expect([...after.changes.entries()]).toEqual([...before.changes.entries()]);
  // What is known of the page itself is exact; what it tells of others is summed up anew.
  expect(after.changes.rate(key('/ü')) / before.changes.rate(key('/ü'))).toBeCloseTo(1, 1);
  expect([...after.history.entries()]).toEqual([...before.history.entries()]);
  expect([...after.passing]).toEqual([...before.passing]);
  expect(after.feeds).toEqual(before.feeds);
  expect(readMemory(writeMemory({ ...before, feeds: undefined }), nowMs).feeds).toBeUndefined();
});

test('what earlier versions wrote is still read', () => {
  const written = (version: number, changed: (writer: ByteWriter) => void, last?: (writer: ByteWriter) => void): Uint8Array => {
    const writer = new ByteWriter('FSGM', version);
    for (const value of [0, 1]) writer.uint(value);
    writer.string('/a');
    changed(writer);
    writer.uint(1);
    writer.string('/p');
    last?.(writer);
    return writer.finish();
  };
  const observations = (writer: ByteWriter): void => {
    writer.uint(1);
    writer.double(1.5);
    writer.uint(1);
  };
  const evidence = (writer: ByteWriter): void => { for (const value of [2, 3]) writer.double(value); };
  const feeds = (writer: ByteWriter): void => { writer.uint(0); };
  for (const bytes of [written(1, observations), written(2, evidence), written(3, evidence, feeds)]) {
    const { changes, passing, feeds } = readMemory(bytes, nowMs);
    expect([[...changes.entries()].map(([resource]) => resource), [...passing], feeds]).toEqual([[key('/a')], [key('/p')], undefined]);
  }
  expect(codeOf(() => readMemory(written(5, evidence), nowMs))).toBe('bytes-invalid');
});

test('a clock that was put back can not make a wait longer than the longest', () => {
  const { ledger } = readMemory(writeMemory(memory()), nowMs - 365 * 86_400_000);
  expect(ledger.get('/a\n')?.notBeforeMs).toBe(nowMs - 364 * 86_400_000);
});

test('what is written is bounded, the longest untouched left out', () => {
  const ledger = new Ledger();
  for (let i = 0; i < 50_003; i++) ledger.refused(`/${i}`, 'private', undefined, nowMs);
  const passing = new Set(Array.from({ length: 3000 }, (_, i) => key(`/${String(i).padStart(4, '0')}${'x'.repeat(8000)}`)));
  const after = readMemory(writeMemory({ ledger, changes: new Changes(), history: new History(), passing }), nowMs);
  expect([after.ledger.size, after.ledger.get('/2'), after.ledger.get('/3')?.times]).toEqual([50_000, undefined, 1]);
  expect(after.passing.size).toBe(Math.floor((4 * 1024 * 1024) / 8005));
  expect([...after.passing].at(-1)).toStartWith('/2999');
});

function codeOf(read: () => unknown): string {
  try {
    read();
    return 'no error';
  } catch (error) {
    return error instanceof ForeshadowError ? error.code : String(error);
  }
}

test('nothing but what the writer makes is read: every cut, every flipped byte', () => {
  const good = writeMemory(memory());
  for (let at = 0; at < good.length; at++) {
    const flipped = good.slice();
    flipped[at] = (flipped[at] ?? 0) ^ 0x41;
    expect(codeOf(() => readMemory(flipped, nowMs))).toBe('bytes-invalid');
    expect(codeOf(() => readMemory(good.slice(0, at), nowMs))).toBe('bytes-invalid');
  }
});

test('whole bytes that mean nothing are refused too', () => {
  const written = (write: (writer: ByteWriter) => void): Uint8Array => {
    const writer = new ByteWriter('FSGM', 2);
    write(writer);
    return writer.finish();
  };
  const entry = (reason: string, notBeforeMs: number) => (writer: ByteWriter): void => {
    writer.uint(1);
    writer.string('/a\n');
    writer.string(reason);
    writer.double(notBeforeMs);
    for (const value of [1, 0, 0, 0]) writer.uint(value);
  };
  expect(codeOf(() => readMemory(written(entry('private', 5)), nowMs))).toBe('no error');
  for (const bad of [entry('toString', 5), entry('private', Number.NaN), entry('private', -1), (writer: ByteWriter) => { writer.uint(50_001); }]) {
    expect(codeOf(() => readMemory(written(bad), nowMs))).toBe('bytes-invalid');
  }
  const evidence = (shape: number, minutes: number) => (writer: ByteWriter): void => {
    for (const value of [0, 1]) writer.uint(value);
    writer.string('/a');
    writer.double(shape);
    writer.double(minutes);
    writer.uint(0);
  };
  expect(codeOf(() => readMemory(written(evidence(1, 1)), nowMs))).toBe('no error');
  for (const bad of [evidence(-1, 1), evidence(1, Number.POSITIVE_INFINITY), evidence(Number.NaN, 2)]) expect(codeOf(() => readMemory(written(bad), nowMs))).toBe('bytes-invalid');
});

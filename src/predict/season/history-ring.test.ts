import { expect, test } from 'bun:test';
import { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { HistoryRing, binsKept } from './history-ring.ts';

test('the last 15 days are kept, and what is missing is told', () => {
  const ring = new HistoryRing();
  for (let bin = 1000; bin < 1000 + binsKept + 50; bin++) {
    ring.open(bin);
    ring.set(0, bin);
    if (bin % 7 !== 0) ring.set(1, 1);
  }
  const last = 1000 + binsKept + 49;
  expect([ring.at(0, last), ring.at(0, last - binsKept + 1), ring.at(0, last - binsKept), ring.at(0, last + 1), ring.at(2, last)]).toEqual([last, last - binsKept + 1, -1, -1, -1]);
  const sums = ring.sums(0, last + 1, 6);
  expect([sums.length, sums.at(-1)]).toEqual([binsKept / 6, 6 * last - 15]);
  // A bin in seven is missing: of steps of six, the one in seven without it is whole.
  expect(ring.sums(1, last + 1, 6).filter((sum) => !Number.isNaN(sum)).every((sum) => sum === 6)).toBe(true);
  // A gap leaves what is before it, and is unknown itself.
  ring.open(last + 10);
  expect([ring.at(0, last), ring.at(0, last + 5), ring.at(0, last + 10)]).toEqual([last, -1, -1]);
  const writer = new ByteWriter('TEST', 1);
  ring.write(writer, [0, 1]);
  const again = new HistoryRing();
  again.read(new ByteReader(writer.finish(), 'TEST', 1, 'a ring'), [0, 1]);
  expect([again.last, again.at(0, last), again.at(1, last - 1), again.sums(0, last + 1, 6)]).toEqual([ring.last, last, ring.at(1, last - 1), ring.sums(0, last + 1, 6)]);
  ring.open(last + 10 + 2 * binsKept);
  expect(ring.sums(0, ring.last + 1, 6).length).toBe(0);
});

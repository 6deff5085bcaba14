import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { keptMin, MinuteMarks } from './minute-marks.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_040_000;
const one = Int32Array.of(0);

describe('MinuteMarks', () => {
  test('tell times of the last 34 days to the minute, and older ones as at least as old as that', () => {
    const step = fc.integer({ min: 0, max: 20_000 });
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat({ max: 4 }), step), { minLength: 1, maxLength: 40 }), (events) => {
      const last = new MinuteMarks();
      const first = new MinuteMarks();
      for (const marks of [last, first]) marks.grow(5);
      const exact = new Map<number, { first: number; last: number }>();
      let nowMs = startMs;
      for (const [index, minutes] of events) {
        nowMs += minutes * minuteMs;
        last.raiseAll(Int32Array.of(index), nowMs + 59_999);
        first.beginAll(Int32Array.of(index), nowMs);
        exact.set(index, { first: exact.get(index)?.first ?? nowMs, last: nowMs });
      }
      for (let index = 0; index < 5; index++) {
        const known = exact.get(index);
        expect([last.has(index), first.has(index)]).toEqual([known !== undefined, known !== undefined]);
        for (const [told, asked] of [[last.at(index), known?.last], [first.at(index), known?.first]] as const) {
          if (asked === undefined) expect(told).toBe(0);
          else if (nowMs - asked < keptMin * minuteMs) expect(told).toBe(asked);
          else expect(told >= asked && nowMs - told >= (keptMin - 1) * minuteMs).toBe(true);
        }
      }
    }), { seed: 5, numRuns: 300 });
  });

  test('what is late changes nothing, nor does time that is skipped', () => {
    const marks = new MinuteMarks();
    marks.grow(2);
    for (const minute of [0, 5, 3]) marks.raiseAll(one, startMs + minute * minuteMs);
    expect([marks.at(0), marks.at(1)]).toEqual([startMs + 5 * minuteMs, 0]);
    marks.skip(120 * minuteMs);
    expect([marks.at(0), marks.at(1)]).toEqual([startMs + 125 * minuteMs, 0]);
    marks.clear(0);
    expect([marks.has(0), marks.at(0)]).toEqual([false, 0]);
  });

  test('come back from bytes as they were', () => {
    const marks = new MinuteMarks();
    marks.grow(3);
    marks.raiseAll(Int32Array.of(2), startMs);
    const writer = new ByteWriter('TEST', 1);
    marks.write(writer, 3);
    const back = new MinuteMarks();
    back.grow(3);
    back.read(new ByteReader(writer.finish(), 'TEST', 1, 'marks'), 3);
    expect([0, 1, 2].map((index) => back.at(index))).toEqual([0, 0, startMs]);
  });
});

import { describe, expect, test } from 'bun:test';
import { ByteReader, ByteWriter, seededRandom } from '../../kernel/index.ts';
import { finish } from './kin-identity.ts';
import { KinTable } from './kin-table.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_040_000;

function countOf(table: KinTable, hash: number, scale: number, nowMs: number): number {
  const entry = table.find(hash);
  return entry < 0 ? 0 : (table.columns[scale]?.[entry] ?? 0) * (table.factors(nowMs)[scale] ?? 0);
}

describe('KinTable', () => {
  test('decays as it should, over weeks and moved landmarks', () => {
    const table = new KinTable(64, [10, 1440]);
    const random = seededRandom(3);
    const exact = [0, 0];
    for (let minute = 0; minute < 20_000; minute++) {
      const nowMs = startMs + minute * minuteMs;
      [10, 1440].forEach((tau, scale) => { exact[scale] = (exact[scale] ?? 0) * Math.exp(-1 / tau); });
      if (random.next() > 0.3) continue;
      table.advance(nowMs);
      table.add(77, 2, table.weights(nowMs));
      [0, 1].forEach((scale) => { exact[scale] = (exact[scale] ?? 0) + 2; });
    }
    const nowMs = startMs + 19_999 * minuteMs;
    [0, 1].forEach((scale) => { expect(countOf(table, 77, scale, nowMs) / (exact[scale] ?? 1)).toBeCloseTo(1, 3); });
    table.skip(60 * minuteMs);
    expect(countOf(table, 77, 0, nowMs + 60 * minuteMs) / (exact[0] ?? 1)).toBeCloseTo(1, 3);
  });

  test('keeps what is asked for most when a flood of families comes', () => {
    const table = new KinTable(256, [60, 1440]);
    const often = Array.from({ length: 60 }, (_, i) => finish(i + 1));
    for (let minute = 0; minute < 200; minute++) {
      const nowMs = startMs + minute * minuteMs;
      table.advance(nowMs);
      for (const hash of often) table.add(hash, 1, table.weights(nowMs));
      for (let i = 0; i < 50; i++) table.add(finish(1000 + minute * 50 + i), 1, table.weights(nowMs));
    }
    const known = often.filter((hash) => countOf(table, hash, 1, startMs + 200 * minuteMs) > 150).length;
    expect(known).toBeGreaterThanOrEqual(58);
    expect(table.bytes).toBe(256 * 12);
  });

  test('is the same after writing and reading; numbers that can be no counts become 0', () => {
    const table = new KinTable(64, [60, 1440]);
    table.advance(startMs);
    for (let i = 1; i < 50; i++) table.add(finish(i), i, table.weights(startMs));
    const column = table.columns[0];
    if (column) column[table.find(finish(7))] = NaN;
    const writer = new ByteWriter('TEST', 1);
    table.write(writer);
    const copy = new KinTable(64, [60, 1440]);
    copy.read(new ByteReader(writer.finish(), 'TEST', 1, 'a table'));
    for (let i = 1; i < 50; i++) expect(countOf(copy, finish(i), 1, startMs + minuteMs)).toBe(countOf(table, finish(i), 1, startMs + minuteMs));
    expect(countOf(copy, finish(7), 0, startMs)).toBe(0);
  });
});

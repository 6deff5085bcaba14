import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSyntheticTrace } from './synthetic-trace.ts';

let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'foreshadow-synthetic-')); });
afterAll(() => { rmSync(folder, { recursive: true }); });

test('equal seeds, equal traces; regions have their own day, news is born and fades', () => {
  const read = (name: string, seed: number): string => {
    writeSyntheticTrace(join(folder, name), { days: 1, viewsPerMinute: 10, seed });
    return readFileSync(join(folder, name), 'utf8');
  };
  const text = read('a.ndjson', 3);
  expect(read('b.ndjson', 3)).toBe(text);
  expect(read('c.ndjson', 4)).not.toBe(text);
  const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as { readonly time: number; readonly url: string; readonly region: string });
  expect(lines.every(({ time }, i) => time >= (lines[i - 1]?.time ?? 0))).toBe(true);
  const hourOf = (time: number): number => new Date(time).getUTCHours();
  const at = (region: string, hour: number): number => lines.filter((line) => line.region === region && Math.abs(hourOf(line.time) - hour) <= 1).length;
  expect(at('eu', 14)).toBeGreaterThan(3 * at('eu', 2));
  expect(at('as', 6)).toBeGreaterThan(3 * at('as', 18));
  const ages = lines.flatMap(({ time, url }) => {
    const bornHour = /^\/news\/(\d+)-/.exec(url)?.[1];
    return bornHour === undefined || Number(bornHour) > 12 ? [] : [hourOf(time) - Number(bornHour)];
  });
  expect(ages.length).toBeGreaterThan(200);
  expect(Math.min(...ages)).toBeGreaterThanOrEqual(0);
  expect(ages.filter((age) => age < 4).length).toBeGreaterThan(2 * ages.filter((age) => age >= 8 && age < 12).length);
});

import { expect, test } from 'bun:test';
import { configJsonSchema } from '../../src/config/index.ts';
import { catalogueProblems, compare, tableRows, unknownAbsentKeys } from '../../tools/catalogues.ts';
import { keyRows } from '../../tools/configuration-reference.ts';

test('the documents say what the code has', () => {
  expect(catalogueProblems()).toEqual([]);
});

test('every key of the configuration has a description, and a default, or says what happens without it', () => {
  const rows = keyRows(configJsonSchema());
  expect(rows.length).toBeGreaterThan(80);
  expect(rows.filter((row) => row.description === '').map((row) => row.path)).toEqual([]);
  const without = rows.filter((row) => row.fallback === '' && row.unit !== 'keys' && row.unit !== 'list');
  const silent = without.filter((row) => !/Without it|Required/.test(row.description)).map((row) => row.path);
  // A place, an address or a header that is left out is simply not there; the rest belongs to features to come.
  expect(silent.filter((path) => !/^(?:feeds\.|routes\[\]\.slots|store\.s3|bus\.nats|store\.volumes\.(?:data|parity|replicateBelow)|origin\.(?:metrics|urls|limits\.cpu)|dimensions\.NAME\.match)/.test(path)))
    .toEqual(['regions[].at', 'regions[].publicUrl', 'clientRegion.header']);
});

test('every key that is refused as not available is a key of the schema', () => {
  expect(unknownAbsentKeys()).toEqual([]);
});

test('a catalogue lists each thing once and nothing else', () => {
  expect(tableRows('text\n| name | x |\n|---|---|\n| `a` | 1 \\| 2 |\n| `b` | |\n')).toEqual([['a', '1 \\| 2'], ['b', '']]);
  expect(compare('page', ['a', 'b', 'b'], ['a', 'c'])).toEqual([
    'page does not list c', 'page lists b, which the code does not have', 'page lists b, which the code does not have', 'page lists b twice',
  ]);
});

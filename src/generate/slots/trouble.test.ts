import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { FillingId } from '../../compose/types.ts';
import { Prepared, preparedCharactersMax, preparedMax } from './prepared.ts';
import { fillingTroubles } from './trouble.ts';

test('docs/generation.md explains every trouble a filling can have, and no other', () => {
  const page = readFileSync(new URL('../../../docs/generation.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('| trouble |'));
  const rows = [...table.matchAll(/^\| `([\w-]+)` \| ([^|]+) \|/gm)].map(([, word, meaning]) => [word, meaning]);
  expect(rows).toEqual(Object.entries(fillingTroubles).map(([word, meaning]) => [word, meaning]));
});

test('prepared fillings are bounded, in number and in characters', () => {
  const prepared = new Prepared();
  const id = (number: number): FillingId => `f${number}` as FillingId; // spelled as fillingId would
  const of = (text: string) => ({ ok: true, versions: [{ text, profile: undefined }] }) as const;
  for (let i = 0; i <= preparedMax; i++) prepared.put(id(i), 1, of('x'));
  expect([prepared.size, prepared.find(id(0), 1), prepared.find(id(1), 1)?.ok, prepared.find(id(1), 2), prepared.hits]).toEqual([preparedMax, undefined, true, undefined, 1]);
  const large = 'x'.repeat(preparedCharactersMax / 4);
  for (let i = 0; i < 6; i++) prepared.put(id(i), 1, of(large));
  expect([prepared.size, prepared.has(id(1), 1), prepared.has(id(2), 1)]).toEqual([4, false, true]);
  prepared.put(id(5), 1, of('small'));
  expect(prepared.size).toBe(4);
});

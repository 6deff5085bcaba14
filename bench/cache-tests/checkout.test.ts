import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCheckout, parseResults, readPublished, readTests } from './checkout.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'foreshadow-cache-tests-'));
  for (const part of ['tests', 'results', 'test-engine']) mkdirSync(join(folder, part));
  writeFileSync(join(folder, 'test-engine/cli.mjs'), '');
  writeFileSync(join(folder, 'tests/index.mjs'), 'export default [{ tests: [{ id: "a", name: "A" }, { id: "b", name: "B", kind: "check" }, { id: "c", name: "C", browser_only: true }] }]');
  writeFileSync(join(folder, 'results/squid.json'), '{"a": true, "b": ["Assertion", "no"]}');
});
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

test('finds a checkout, and says when the folder is none', () => {
  expect(findCheckout(folder)).toBe(folder);
  expect(() => findCheckout(join(folder, 'tests'))).toThrow('is no checkout');
});

test('reads the tests of shared caches with their kinds', async () => {
  expect(await readTests(folder)).toEqual([{ id: 'a', name: 'A', kind: 'required' }, { id: 'b', name: 'B', kind: 'check' }]);
});

test('reads published results that are there', () => {
  expect([...readPublished(folder, ['squid', 'nobody'])]).toEqual([['squid', { a: true, b: ['Assertion', 'no'] }]]);
  expect(() => parseResults('3')).toThrow('no object');
});

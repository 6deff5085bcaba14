import { expect, test } from 'bun:test';
import { Condenser, countsOf } from '../../tools/test.ts';

test('counts are those of the report', () => {
  expect(countsOf('<?xml version="1.0"?>\n<testsuites name="bun test" tests="10" assertions="5" failures="2" skipped="1" time="0.1">')).toEqual({ passed: 7, failed: 2, skipped: 1 });
  expect(countsOf('<testsuites name="x" tests="1"')).toBeUndefined();
  expect(countsOf('')).toBeUndefined();
});

test('a line for each file, and what failing tests say', () => {
  const lines: string[] = [];
  const condenser = new Condenser((line) => { lines.push(line); }, () => 0);
  for (const line of ['src/a.test.ts:', 'chatter', '(pass) one [1ms]', '', 'src/b.test.ts:', 'error: not equal', '(fail) two', '(pass) three', '1 tests failed:', '(fail) two', ' 2 pass']) condenser.line(line);
  condenser.end();
  expect(lines).toEqual(['ok   src/a.test.ts (1 passed, 0.0 s)', 'error: not equal', '(fail) two', 'FAIL src/b.test.ts (1 passed, 1 failed, 0.0 s)', '1 tests failed:', '(fail) two']);
});

test('an error outside any test is passed on', () => {
  const lines: string[] = [];
  const condenser = new Condenser((line) => { lines.push(line); }, () => 0);
  for (const line of ['src/a.test.ts:', '# Unhandled error between tests', 'boom']) condenser.line(line);
  condenser.end();
  expect(lines.slice(0, 2)).toEqual(['# Unhandled error between tests', 'boom']);
});

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCheck } from './check.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'foreshadow-check-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function check(text: string | undefined, ...args: string[]) {
  let out = '';
  let err = '';
  const file = join(folder, 'foreshadow.yaml');
  if (text !== undefined) writeFileSync(file, text);
  const options = text === undefined ? args : ['--config', file, ...args];
  const code = runCheck(options, { out: (part) => { out += part; }, err: (part) => { err += part; }, isTty: false, env: { PORT: '3000' } });
  return { code, out: out.replaceAll(file, 'F'), err: err.replaceAll(file, 'F') };
}

test('a good file has no problems', () => {
  expect(check('origin: { url: "http://h:${env:PORT}" }')).toEqual({ code: 0, out: 'F: no problems\n', err: '' });
});

test('a bad one has all of them, and exit code 1', () => {
  expect(check('origin: { url: h }\nlogg: 1\n')).toEqual({
    code: 1, out: '', err: 'F:1:16: origin.url: is not a URL; write it whole, like http://127.0.0.1:3000\nF:2:1: logg: is not a known key; did you mean log?\n2 problems\n',
  });
});

test('--print shows the resolved configuration', () => {
  const { code, out } = check('origin: { url: "http://h:${env:PORT}" }', '--print');
  expect(code).toBe(0);
  expect(out).toContain('url: http://h:3000');
  expect(out).toContain('serveStaleFor: 1d');
});

test('wrong usage is exit code 2, an unreadable file 1', () => {
  expect(check(undefined).code).toBe(2);
  expect(check(undefined, '--nonsense').code).toBe(2);
  expect(check(undefined, '--config', join(folder, 'gone.yaml'))).toMatchObject({ code: 1, err: expect.stringContaining('can\'t be read') });
});

test('a template that can not be used is told with its place in the file and in itself', () => {
  writeFileSync(join(folder, 'recs.liquid'), '<ul>\n{% include "x" %}</ul>');
  const slots = (...facts: readonly string[]): string => `origin: { url: "http://h" }\nfeeds: { f: { file: f.json } }\nroutes:\n  - match: /p/:id\n    slots:\n${facts.map((fact, at) => `      - { name: s${at}, feed: f, ${fact} }\n`).join('')}`;
  const { code, err } = check(slots('select: p, template: "{{ value | mony }}"', 'select: p, templateFile: recs.liquid', 'pointer: /a, template: "{{ price }}"', 'select: p, fallback: { template: "{{ value }}" }', 'select: p, template: "<a title={{ id }}>"'));
  expect([code, err.split('\n').slice(0, -2)]).toEqual([1, [
    'F:6:51: routes[0].slots[0].template: is not a template that can be used: undefined filter: mony (line 1, column 1); see docs/templates.md for tags and filters',
    'F:7:55: routes[0].slots[1].templateFile: is not a template that can be used: tag "include" not found (line 2, column 1); see docs/templates.md for tags and filters',
    'F:8:53: routes[0].slots[2].template: names price, which is nothing a template can see; use id, value, feed, index',
    'F:9:63: routes[0].slots[3].fallback.template: names value, which is nothing a fallback can see; use id',
    'F:10:51: routes[0].slots[4].template: {{ id }} (line 1, column 10) stands in an attribute without quotation marks; put them round it',
  ]]);
});

import { expect, test } from 'bun:test';
import { parseLog } from './log.ts';

test('a log is read in order of time, odd lines and failures counted apart', () => {
  const log = parseLog([
    'b.example - - [09/Jul/1995:00:00:07 -0400] "GET /late.gif HTTP/1.0" 200 363',
    'a.example - - [09/Jul/1995:00:00:00 -0400] "GET /early.html HTTP/1.0" 304 0',
    'a.example - - [09/Jul/1995:00:00:01 -0400] "GET /gone HTTP/1.0" 404 -',
    'a.example - - [09/Jul/1995:00:00:02 -0400] "POST /form HTTP/1.0" 200 5',
    'a.example - - [09/Jul/1995:00:00:03 -0400] "GET /no-version" 200 786',
    'not a line at all',
    'a.example - - [09/Jul/1995:00:00:03 -0400] "" 400 -',
    '',
  ].join('\n'));
  expect(log.requests).toEqual([
    { atMs: Date.UTC(1995, 6, 9, 4, 0, 0), url: '/early.html' },
    { atMs: Date.UTC(1995, 6, 9, 4, 0, 3), url: '/no-version' },
    { atMs: Date.UTC(1995, 6, 9, 4, 0, 7), url: '/late.gif' },
  ]);
  expect(log.odd).toBe(2);
  expect(log.otherMethodsOrFailures).toBe(2);
});

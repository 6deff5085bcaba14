import { describe, expect, test } from 'bun:test';
import { prefersJson, problem } from './problem.ts';

test('problem', () => {
  expect(problem(503, 'Service Unavailable')).toEqual({ type: 'about:blank', title: 'Service Unavailable', status: 503 });
  expect(problem(400, 'Bad', { type: 'https://x/y', detail: 'd', problems: [1] })).toEqual({ type: 'https://x/y', title: 'Bad', status: 400, detail: 'd', problems: [1] });
});

describe('prefersJson', () => {
  test.each([
    [null, false], ['*/*', false], ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false], ['application/json', true], ['application/problem+json', true],
    ['application/json, text/html;q=0.5', true], ['application/json;q=0.5, text/html', false], ['application/json, text/plain, */*', true], ['application/json;q=0', false], ['', false],
  ])('%p: %p', (accept, expected) => {
    expect(prefersJson(accept)).toBe(expected);
  });
});

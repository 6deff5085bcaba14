import { describe, expect, test } from 'bun:test';
import type { ShadowRecord } from '../catalog/shadow-record.ts';
import type { HeaderList } from '../http/index.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';
import { Changes, sectionOf } from './changes.ts';

const nowMs = Date.UTC(2026, 10, 23, 12);
const minuteMs = 60_000;
const key = (text: string): ResourceKey => text as ResourceKey; // spelled as resourceKey would

function copy(atMs: number, headers: HeaderList = [], path = '/p'): ShadowRecord {
  return {
    resource: key(path), variation: '' as VariationKey, vary: [], status: 200, headers, body: `${atMs}` as BlobDigest, bodyBytes: 1, // any name will do
    requestTimeMs: atMs, responseTimeMs: atMs, madeBy: 'generate', version: 1,
  };
}

function rateAfter(pairs: readonly (readonly [before: HeaderList, after: HeaderList])[], changed: boolean): number {
  const changes = new Changes();
  for (const [at, [before, after]] of pairs.entries()) changes.observeCopy(copy(nowMs + (at + 1) * 10 * minuteMs, after), copy(nowMs + at * 10 * minuteMs, before), changed);
  return changes.rate(key('/p'));
}

const dated = (atMs: number): HeaderList => [['last-modified', new Date(atMs).toUTCString()]];
const tagged = (etag: string): HeaderList => [['etag', etag]];
const ten = <Value>(value: (turn: number) => Value): Value[] => Array.from({ length: 10 }, (_, turn) => value(turn));

describe('what a new copy tells', () => {
  const bits = rateAfter(ten(() => [[], []] as const), true);
  const none = rateAfter(ten(() => [[], []] as const), false);

  test('bodies that differ are a change, equal ones are none', () => {
    expect(bits).toBeGreaterThan(1 / 30);
    expect(none).toBeLessThan(1 / 1440);
  });

  test('equal entity tags are an equal page whatever the body, weak or not; other tags are not', () => {
    expect(rateAfter(ten(() => [tagged('"a"'), tagged('W/"a"')] as const), true)).toBe(none);
    expect(rateAfter(ten((turn) => [tagged(`"${turn}"`), tagged(`"${turn + 1}"`)] as const), true)).toBe(bits);
    expect(rateAfter(ten(() => [dated(nowMs - 1e9), dated(nowMs - 1e9)] as const), true)).toBe(none);
  });

  test('a date between two copies is when it last changed; one of this very minute says nothing', () => {
    const lately = rateAfter(ten((turn) => [dated(nowMs), dated(nowMs + (turn + 1) * 10 * minuteMs - 2 * minuteMs)] as const), true);
    expect(lately).toBeGreaterThan(1.5 * bits);
    expect(rateAfter(ten((turn) => [[], dated(nowMs + (turn + 1) * 10 * minuteMs - 1000)] as const), true)).toBe(bits);
  });

  test('the date of a first copy says how calm it is; a second variation adds nothing', () => {
    const changes = new Changes();
    changes.observeCopy(copy(nowMs, dated(nowMs - 30 * 1440 * minuteMs)), undefined, true);
    const rate = changes.rate(key('/p'));
    expect(rate).toBeLessThan(1 / 10_000);
    changes.observeCopy({ ...copy(nowMs, dated(nowMs - 30 * 1440 * minuteMs)), variation: 'd=b' as VariationKey }, undefined, true); // any variation
    expect(changes.rate(key('/p'))).toBe(rate);
  });
});

test('a page nothing is known of is like others of its section, a section like the site', () => {
  const changes = new Changes();
  const before = changes.rate(key('/news/new'));
  for (let i = 0; i < 50; i++) {
    changes.observe(key(`/news/${i}`), 10 * minuteMs, true);
    changes.observe(key(`/about/${i}`), 600 * minuteMs, false);
  }
  expect(changes.rate(key('/news/new'))).toBeGreaterThan(20 * before);
  expect(changes.rate(key('/about/new'))).toBeLessThan(changes.rate(key('/news/new')) / 20);
  expect(changes.rate(key('/shop/new'))).toBeGreaterThan(before);
});

test.each([['/', ''], ['/a', ''], ['/news/7?page=2', '/news'], ['/static/js/app.js', '/static.js'], ['/index.html', '.html'], ['/v1.2/x', '/v1.2']])('%s is of the section "%s"', (path, section) => {
  expect(sectionOf(key(path))).toBe(section);
});

test('what is learned is bounded: the longest untouched goes', () => {
  const changes = new Changes();
  for (let i = 0; i <= 100_000; i++) changes.observe(key(`/s${i % 1500}/${i}`), minuteMs, false);
  const known = [...changes.entries()];
  expect([known.length, known[0]?.[0]]).toEqual([100_000, key('/s1/1')]);
});

import { expect, test } from 'bun:test';
import type { DimensionConfig, FeedConfig } from '../../config/types.ts';
import { addressesOf } from './instances.ts';

const dimension = (name: string, values: readonly string[]): DimensionConfig =>
  ({ name, from: { kind: 'cookie', name }, values, fallback: values[0] ?? '', exact: true, obtain: {}, match: 'value' });
const feed = (url: string, dimensions: readonly string[] = []): FeedConfig =>
  ({ name: 'recs', source: { kind: 'poll', url, everyMs: 1000 }, dimensions, maxAgeMs: 60_000, headers: {}, schema: undefined });
const both = [dimension('audience', ['new', 'v+p']), dimension('language', ['en', 'de'])];

test('one address for each combination of the values in the URL, named as pages name it', () => {
  const addresses = addressesOf(feed('http://h:1/{language}/recs?a={audience}&b={language}', ['language', 'audience']), both);
  expect(addresses.map(({ key, address }) => [String(key), address])).toEqual([
    ['recs?language=en&audience=new', 'http://h:1/en/recs?a=new&b=en'],
    ['recs?language=en&audience=v%2Bp', 'http://h:1/en/recs?a=v%2Bp&b=en'],
    ['recs?language=de&audience=new', 'http://h:1/de/recs?a=new&b=de'],
    ['recs?language=de&audience=v%2Bp', 'http://h:1/de/recs?a=v%2Bp&b=de'],
  ]);
  expect(new Set(addresses.map(({ fingerprint }) => fingerprint)).size).toBe(4);
});

test('what may be secret is not shown', () => {
  const shown = (url: string, dimensions: readonly string[] = []): string => addressesOf(feed(url, dimensions), both)[0]?.shown ?? '';
  expect(shown('https://h/p?key=s3cret&flag&a={audience}&b=x{audience}#s3cret', ['audience'])).toBe('https://h/p?key=…&…&a=new&b=…');
  expect(shown('https://user:s3cret@h/p')).toBe('https://h/p');
  expect(shown('https://h/p')).toBe('https://h/p');
  expect(shown('https://h/p?k=a=s3cret?s3cret')).toBe('https://h/p?k=…');
  const file: FeedConfig = { ...feed(''), source: { kind: 'file', path: '/data/a?b#c.json', everyMs: 1000 } };
  expect(addressesOf(file, [])[0]).toMatchObject({ key: 'recs', address: '/data/a?b#c.json', shown: '/data/a?b#c.json' });
});

test('dimensions without values and too many combinations are refused', () => {
  expect(() => addressesOf(feed('http://h/{audience}', ['audience']), [])).toThrow('{audience} is no dimension with values');
  const wide = ['a', 'b'].map((name) => dimension(name, Array.from({ length: 17 }, (_, index) => `v${index}`)));
  expect(() => addressesOf(feed('http://h/{a}/{b}', ['a', 'b']), wide)).toThrow('more than 256 addresses');
});

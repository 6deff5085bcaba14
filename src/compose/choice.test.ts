import { describe, expect, test } from 'bun:test';
import { chooseFilling } from './choice.ts';
import type { FeedKey, Filling, FillingId } from './types.ts';

const startMs = 1_000_000;
const filling: Filling = {
  id: '/p#price' as FillingId, feed: 'prices' as FeedKey, maxAgeMs: 5000, valueTimeMs: startMs, version: 3, fallback: 'ask us', // names that only this test reads
  versions: [{ text: '9.90', profile: undefined }],
};
const origin = { kind: 'origin' } as const;
const fallback = { kind: 'fallback', text: 'ask us' } as const;
const versionUntil = (untilMs: number) => ({ kind: 'version', index: 0, text: '9.90', untilMs }) as const;

describe('a filling is shown while its feed was heard within maxAge', () => {
  test('until exactly maxAge after it was last heard', () => {
    expect(chooseFilling(filling, startMs + 2000, undefined, startMs + 6999)).toEqual(versionUntil(startMs + 7000));
    expect(chooseFilling(filling, startMs + 2000, undefined, startMs + 7000)).toEqual(fallback);
  });

  test('the value it was made from was heard too, though nobody has confirmed it since, or word of that is older', () => {
    expect(chooseFilling(filling, undefined, undefined, startMs + 4999)).toEqual(versionUntil(startMs + 5000));
    expect(chooseFilling(filling, startMs - 9000, undefined, startMs + 4999)).toEqual(versionUntil(startMs + 5000));
    expect(chooseFilling(filling, undefined, undefined, startMs + 5000)).toEqual(fallback);
  });

  test('a clock that runs ahead a little is believed, one that runs ahead a lot is not', () => {
    expect(chooseFilling(filling, startMs + 60_000, undefined, startMs)).toEqual(versionUntil(startMs + 65_000));
    expect(chooseFilling(filling, startMs + 60_001, undefined, startMs)).toEqual(versionUntil(startMs + 5000));
  });

  test('without a fallback, without a value, without a filling', () => {
    expect(chooseFilling({ ...filling, fallback: undefined }, startMs, undefined, startMs + 5000)).toEqual(origin);
    expect(chooseFilling({ ...filling, versions: [] }, startMs, undefined, startMs)).toEqual(fallback);
    expect(chooseFilling({ ...filling, versions: [], fallback: undefined }, startMs, undefined, startMs)).toEqual(origin);
    expect(chooseFilling({ ...filling, fallback: '' }, startMs, undefined, startMs + 5000)).toEqual({ kind: 'fallback', text: '' });
    expect(chooseFilling(undefined, startMs, undefined, startMs)).toEqual(origin);
  });
});

test('of several versions the one most similar to the visitor, and the most usual without a profile', () => {
  const several = { ...filling, versions: ['books', 'garden', 'music'].map((name) => ({ text: name, profile: new Map([[name, 1]]) })) };
  const chosen = (profile: ReadonlyMap<string, number> | undefined): unknown => {
    const choice = chooseFilling(several, startMs, profile, startMs);
    return choice.kind === 'version' && [choice.index, choice.text];
  };
  expect(chosen(new Map([['books', 0.1], ['garden', 0.7]]))).toEqual([1, 'garden']);
  expect(chosen(new Map([['cars', 1]]))).toEqual([0, 'books']);
  expect(chosen(undefined)).toEqual([0, 'books']);
});

import { describe, expect, test } from 'bun:test';
import { shadowId, type CatalogState, type ShadowRecord } from '../../catalog/index.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../../kernel/index.ts';
import { compareStates } from './comparison.ts';
import { hitBy, listShadows } from './listing.ts';
import type { ShadowQuery } from './views.ts';

const nowMs = 1_000_000;

function record(path: string, facts: Partial<Omit<ShadowRecord, 'variation' | 'body'>> & { readonly variation?: string; readonly body?: string } = {}): ShadowRecord {
  return {
    vary: [], status: 200, headers: [['content-type', 'text/html']], bodyBytes: 100, requestTimeMs: nowMs - 60_000, responseTimeMs: nowMs - 60_000, madeBy: 'generate', version: 4,
    ...facts, resource: path as ResourceKey, variation: (facts.variation ?? '') as VariationKey, body: (facts.body ?? path) as BlobDigest, // tests make brands of plain words
  };
}

function list(records: readonly ShadowRecord[], query: Partial<ShadowQuery>) {
  const byResource = Map.groupBy(records, ({ resource }) => resource);
  return listShadows({ version: 9, byResource, perMinute: (resource) => resource.length, slotsOf: () => [], nowMs }, { match: undefined, tag: undefined, limit: 100, cursor: undefined, ...query });
}

describe('the list of shadows', () => {
  const records = [
    record('/b', { variation: 'd=1', responseTimeMs: nowMs - 5000 }), record('/b', { variation: 'd=2', madeBy: 'capture' }), record('/b', { variation: 'd=3', body: 'other', bodyBytes: 50 }),
    record('/a/x'), record('/a/y', { headers: [['surrogate-key', 'news home']] }), record('/c?q=1'),
  ];

  test('sums up each resource: equal bodies are counted once, ages are of the youngest and the oldest', () => {
    expect(list(records, { match: '/b' }).items).toEqual([{
      resource: '/b', copies: 3, variations: 3, bytes: 150, newestAgeS: 5, oldestAgeS: 60, status: 200, contentType: 'text/html', madeBy: ['generate', 'capture'], version: 4, perMinute: 2, slots: [], tags: [],
    }]);
  });

  test('goes through all of them in the order of names, a page at a time, each once', () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = list(records, { limit: 2, cursor });
      seen.push(...page.items.map(({ resource }) => resource));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(['/a/x', '/a/y', '/b', '/c?q=1']);
  });

  test('takes the beginning of a name, a pattern, or a tag', () => {
    const names = (query: Partial<ShadowQuery>): string[] => list(records, query).items.map(({ resource }) => resource);
    expect(names({ match: '/a/' })).toEqual(['/a/x', '/a/y']);
    expect(names({ match: '/*' })).toEqual(['/b', '/c?q=1']);
    expect(names({ match: '/a/:page' })).toEqual(['/a/x', '/a/y']);
    expect(names({ tag: 'home' })).toEqual(['/a/y']);
    expect(names({ match: '/b', tag: 'home' })).toEqual([]);
  });

  test('what targets hit', () => {
    const hit = (...targets: Parameters<typeof hitBy>[0]): string[] => hitBy(targets, records).map(({ resource }) => resource);
    expect(hit({ kind: 'resource', resource: '/c?q=1' as ResourceKey }, { kind: 'tag', tag: 'news' })).toEqual(['/a/y', '/c?q=1']); // a brand of a plain word
    expect(hit({ kind: 'pattern', pattern: '/a/**' })).toEqual(['/a/x', '/a/y']);
    expect(hit({ kind: 'site' })).toHaveLength(records.length);
  });
});

test('what differs between two versions: changes before what only grew younger, all counted, the first listed', () => {
  const state = (records: readonly ShadowRecord[]): CatalogState => ({ records: new Map(records.map((one) => [shadowId(one), one])), fillings: new Map(), heard: new Map(), rules: [] });
  const before = state([record('/gone'), record('/same'), record('/young'), record('/other', { body: 'old', bodyBytes: 10 })]);
  const after = state([record('/new'), record('/same'), record('/young', { responseTimeMs: nowMs }), record('/other', { body: 'new', bodyBytes: 20, status: 404 })]);
  const diff = compareStates(3, before, 5, after, 3);
  expect(diff.counts).toEqual({ added: 1, removed: 1, changed: 1, renewed: 1 });
  expect(diff.changes.map(({ resource, change }) => `${change} ${resource}`)).toEqual(['removed /gone', 'added /new', 'changed /other']);
  expect(diff.changes[2]).toMatchObject({ bytesBefore: 10, bytesAfter: 20, statusBefore: 200, statusAfter: 404 });
});

import { expect, test } from 'bun:test';
import { ManualClock, silentLog } from '../../kernel/index.ts';
import type { FeedConfig } from '../../config/types.ts';
import { FeedInstance, type Held } from './instance.ts';
import { addressesOf } from './instances.ts';

const feed: FeedConfig = { name: 'prices', source: { kind: 'file', path: '/prices.json', everyMs: 1000 }, dimensions: [], maxAgeMs: 60_000, headers: {}, schema: undefined };

test('bytes held are those of the values there are, and none after its end, whatever still comes', () => {
  const held: Held = { bytes: 0 };
  let changes = 0;
  const [address] = addressesOf(feed, []);
  if (!address) throw new Error('a feed has an address');
  const instance = new FeedInstance({ feed, address, schema: undefined, held, clock: new ManualClock(), log: silentLog, changed: () => { changes++; } });
  const take = (text: string): boolean => instance.take(new TextEncoder().encode(text), 1);
  expect([take('[1, 2]'), held.bytes]).toEqual([true, 6]);
  expect([take('[1,2]'), held.bytes]).toEqual([true, 5]);
  expect([take('[1,'), held.bytes]).toEqual([false, 5]);
  expect([take('[1,2,3]'), held.bytes]).toEqual([true, 7]);
  expect(instance.adopt(new TextEncoder().encode('9'), { valueTimeMs: 1, heardMs: 1 }, { etag: undefined, lastModified: undefined })).toBe(false);
  instance.retire();
  expect([take('[4]'), held.bytes, instance.kept]).toEqual([false, 0, undefined]);
  instance.confirm(2);
  instance.refuse({ kind: 'refused', reason: 'cut', message: 'too late' });
  expect(instance.state()).toMatchObject({ state: 'never', refused: { 'not-json': 1 }, heardMs: undefined });
  expect(changes).toBe(2);
});

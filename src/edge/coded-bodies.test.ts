import { expect, test } from 'bun:test';
import { sampleRecord } from '../../test/store/sample-record.ts';
import { headerReader } from '../http/index.ts';
import { CodedBodies } from './coded-bodies.ts';
import { Copies, type Copy, type CopySource } from './copies.ts';
import { makeOf } from './made-copy.ts';
import { PreparedMemory } from './prepared-memory.ts';

const nowhere: CopySource = { records: () => [], variations: () => [], body: () => undefined, hasBody: () => false, put: () => Promise.resolve(), remove: () => Promise.resolve() };
const browser = headerReader([['accept-encoding', 'gzip, br']]);

/** A page as it is when it was put together. */
function page(n: number, bytes = 2_000): Copy {
  const { copy } = new Copies(nowhere, { memoryCacheBytes: 1 << 20, variantsPerVariation: 8 }).keep(sampleRecord(n), new Uint8Array(10));
  return makeOf(copy, { headers: [['content-type', 'text/html'], ['etag', '"p"']], body: new Uint8Array(bytes), validators: copy.validators });
}

function coder(): { readonly coded: CodedBodies; readonly waiting: ((bytes: number | Error) => void)[] } {
  const waiting: ((bytes: number | Error) => void)[] = [];
  const gzip = (): Promise<Uint8Array> => new Promise((resolve, reject) => {
    waiting.push((bytes) => { if (typeof bytes === 'number') resolve(new Uint8Array(bytes)); else reject(bytes); });
  });
  return { coded: new CodedBodies({ memory: new PreparedMemory(1 << 20), read: () => undefined, gzip }), waiting };
}

const settled = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

test('a page is compressed on its second use, once, and nobody waits for it', async () => {
  const { coded, waiting } = coder();
  const sent = page(1);
  expect([coded.coded(sent, browser), waiting.length]).toEqual([sent, 0]);
  for (let n = 0; n < 5; n++) expect(coded.coded(sent, browser)).toBe(sent);
  expect(waiting).toHaveLength(1);
  waiting[0]?.(500);
  await settled();
  const zipped = coded.coded(sent, browser);
  expect([zipped.body.byteLength, zipped.record.headers.find(([name]) => name === 'content-encoding')?.[1], zipped.sending?.selection]).toEqual([500, 'gzip', 'whole']);
  expect(coded.coded(sent, headerReader([]))).toBe(sent);
});

test('what does not get smaller, can\'t be compressed, or is short goes out plain', async () => {
  const { coded, waiting } = coder();
  const [larger, broken, short] = [page(1), page(2), page(3, 1_023)];
  for (const sent of [larger, broken, short]) for (let n = 0; n < 3; n++) coded.coded(sent, browser);
  expect(waiting).toHaveLength(2);
  waiting[0]?.(2_000);
  waiting[1]?.(new Error('no memory'));
  await settled();
  for (const sent of [larger, broken, short]) expect(coded.coded(sent, browser)).toBe(sent);
});

test('pages being compressed at once are bounded; the others follow with a later use', async () => {
  const { coded, waiting } = coder();
  const pages = Array.from({ length: 10 }, (_, n) => page(n));
  for (let n = 0; n < 3; n++) for (const sent of pages) coded.coded(sent, browser);
  expect(waiting).toHaveLength(4);
  for (const done of waiting.splice(0)) done(100);
  await settled();
  for (const sent of pages) coded.coded(sent, browser);
  expect(waiting).toHaveLength(4);
});

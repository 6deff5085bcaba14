/** Records that look like a shop's, the same for the same number. */
import type { ShadowRecord } from '../../src/catalog/index.ts';
import type { ResourceKey, VariationKey } from '../../src/kernel/index.ts';
import { digestOf } from '../../src/store/index.ts';

export function sampleBody(n: number, bytes = 200): Uint8Array {
  return Buffer.from(`<!doctype html><title>Product ${n}</title>`.padEnd(bytes, `body ${n} `));
}

export function sampleRecord(n: number, changes: Partial<ShadowRecord> = {}): ShadowRecord {
  const body = sampleBody(n);
  return {
    // Tests may make keys by hand; the real ones come from http/.
    resource: `/products/${n}` as ResourceKey,
    variation: `device=${n % 2 === 0 ? 'mobile' : 'desktop'}` as VariationKey,
    vary: [],
    status: 200,
    headers: [
      ['content-type', 'text/html; charset=utf-8'],
      ['cache-control', 'public, max-age=60'],
      ['etag', `"${n}-5f3e"`],
      ['last-modified', new Date(1_700_000_000_000 + n * 1000).toUTCString()],
      ['date', new Date(1_700_000_000_000 + n * 1500).toUTCString()],
      ['content-language', 'en'],
    ],
    body: digestOf(body),
    bodyBytes: body.byteLength,
    requestTimeMs: 1_700_000_000_000 + n,
    responseTimeMs: 1_700_000_000_020 + n,
    madeBy: 'generate',
    version: 0,
    ...changes,
  };
}

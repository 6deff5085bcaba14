/** Content codings that the generator prepared: who gets which, under which tag, and what becomes of conditions and ranges. */
import { afterEach, describe, expect, test } from 'bun:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import type { BlobDigest } from '../../src/kernel/index.ts';
import { Brain } from './brain-stand-in.ts';
import { stage, strike, type Stage } from './stage.ts';
import { ask, origin, reply, value, values, verdict, type Asked } from './wire.ts';

afterEach(strike);

const body = 'a style sheet of some length. '.repeat(100);
const plainFields = { 'content-type': 'text/css', 'cache-control': 'max-age=600', 'etag': '"v1"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT', 'accept-ranges': 'bytes', 'content-digest': 'sha-256=:AA==:' };

async function prepared(fields: Readonly<Record<string, string>> = plainFields, lose?: 'br'): Promise<Stage & { readonly brain: Brain; readonly asked: readonly Asked[] }> {
  const brain = await Brain.open();
  const site = await origin((asked, socket) => {
    const same = value(asked, 'if-none-match') === '"v1"';
    socket.write(same ? Buffer.from('HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n') : reply('live', ['ETag: "v2"']));
  });
  const started = await stage(site.url, '', brain);
  const br = lose === 'br' ? { body: 'f'.repeat(64) as BlobDigest, bodyBytes: 10 } : brain.store(brotliCompressSync(body)); // of the digest's form
  await brain.publish({ put: [brain.record('/a.css', body, fields, { codings: [{ coding: 'br', ...br }, { coding: 'gzip', ...brain.store(gzipSync(body)) }] })] });
  await started.edge.pull();
  return { ...started, brain, asked: site.asked };
}

const accept = (what: string): readonly string[] => [`Accept-Encoding: ${what}`];

describe('who gets what', () => {
  test.each([
    ['br', ['gzip, deflate, br, zstd', 'br', '*', 'gzip;q=0.8, br;q=0.9', 'identity;q=0, *', 'BR;Q=1']],
    ['gzip', ['gzip', 'x-gzip', 'gzip;q=1, br;q=0.5', 'br;q=0, *', 'identity;q=0.5, gzip;q=0.6']],
    [undefined, ['', 'identity', 'zstd', 'gzip;q=0, br;q=0', '*;q=0', 'identity, gzip;q=0.5', 'gzip;q=x', 'identity;q=0']],
  ] as const)('%s', async (coding, fields) => {
    const { url, asked } = await prepared();
    for (const field of fields) {
      const answer = await ask(url, 'GET /a.css', accept(field));
      expect([field, value(answer, 'content-encoding')]).toEqual([field, coding]);
      const decoded = coding === 'br' ? brotliDecompressSync(answer.body) : coding === 'gzip' ? gunzipSync(answer.body) : answer.body;
      expect(decoded.toString()).toBe(body);
      expect([verdict(answer), value(answer, 'content-length'), value(answer, 'content-type')]).toEqual(['shadow fresh', String(answer.body.length), 'text/css']);
      expect(values(answer, 'vary').join().toLowerCase()).toBe('accept-encoding');
      expect(value(answer, 'etag')).toBe(coding === undefined ? '"v1"' : `"v1~fs-${coding}"`);
      expect(value(answer, 'content-digest')).toBe(coding === undefined ? plainFields['content-digest'] : undefined);
    }
    expect(value(await ask(url, 'GET /a.css'), 'content-encoding')).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test('HEAD tells what GET would send', async () => {
    const { url } = await prepared();
    const head = await ask(url, 'HEAD /a.css', accept('br'));
    expect([value(head, 'content-encoding'), value(head, 'content-length'), value(head, 'etag')]).toEqual(['br', String(brotliCompressSync(body).length), '"v1~fs-br"']);
  });

  test('no-transform: nobody gets what the origin did not send', async () => {
    const { url } = await prepared({ ...plainFields, 'cache-control': 'max-age=600, no-transform' });
    const answer = await ask(url, 'GET /a.css', accept('br, gzip'));
    expect([value(answer, 'content-encoding'), value(answer, 'etag'), value(answer, 'vary')]).toEqual([undefined, '"v1"', undefined]);
  });

  test('a coding whose body is lost costs the coding only', async () => {
    const { url } = await prepared(plainFields, 'br');
    expect(value(await ask(url, 'GET /a.css', accept('br')), 'content-encoding')).toBeUndefined();
    expect(value(await ask(url, 'GET /a.css', accept('gzip')), 'content-encoding')).toBe('gzip');
  });

  test('a weak tag stays weak, and Vary names the field once', async () => {
    const { url } = await prepared({ ...plainFields, etag: 'W/"v1"', vary: 'Accept-Encoding' });
    const answer = await ask(url, 'GET /a.css', accept('br'));
    expect([value(answer, 'etag'), values(answer, 'vary')]).toEqual(['W/"v1~fs-br"', ['Accept-Encoding']]);
  });
});

describe('conditions', () => {
  test('hold in any coding, and the answer names the tag the client holds', async () => {
    const { url, asked } = await prepared();
    for (const [held, field] of [['"v1"', 'br'], ['"v1~fs-br"', 'br'], ['"v1~fs-br"', 'gzip'], ['"v1~fs-gzip"', ''], ['"v1"', '']] as const) {
      const answer = await ask(url, 'GET /a.css', [...accept(field), `If-None-Match: "other", ${held}`]);
      expect([held, answer.status, value(answer, 'etag')]).toEqual([held, 304, held]);
    }
    expect((await ask(url, 'GET /a.css', [...accept('br'), 'If-None-Match: "v2~fs-br"'])).status).toBe(200);
    expect((await ask(url, 'GET /a.css', [...accept('br'), 'If-Match: "v1~fs-br"'])).status).toBe(200);
    expect((await ask(url, 'GET /a.css', [...accept('br'), 'If-Match: "v2"'])).status).toBe(412);
    expect(asked).toEqual([]);
  });

  test('the origin is asked by its own tags, and its 304 given the client\'s', async () => {
    const { url, asked } = await prepared();
    const answer = await ask(url, 'GET /b.css', ['If-None-Match: "v1~fs-br"']);
    expect([answer.status, value(answer, 'etag'), asked.map((request) => value(request, 'if-none-match'))]).toEqual([304, '"v1~fs-br"', ['"v1"']]);
  });

  test('a range is of the plain body', async () => {
    const { url } = await prepared();
    const part = await ask(url, 'GET /a.css', [...accept('br'), 'Range: bytes=2-6', 'If-Range: "v1"']);
    expect([part.status, part.body.toString(), value(part, 'content-encoding'), value(part, 'etag')]).toEqual([206, 'style', undefined, '"v1"']);
    expect((await ask(url, 'GET /a.css', [...accept('br'), 'Range: bytes=2-6', 'If-Range: "v1~fs-br"'])).status).toBe(200);
  });
});

test('an answer with the same body keeps the codings that were prepared of it', async () => {
  const brain = await Brain.open();
  const site = await origin((_, socket) => { socket.write(reply(body, ['Content-Type: text/css', 'Cache-Control: max-age=600'])); });
  const { url, edge, kept } = await stage(site.url, '', brain);
  const old = { requestTimeMs: Date.now() - 900_000, responseTimeMs: Date.now() - 900_000 };
  await brain.publish({ put: [brain.record('/a.css', body, { 'content-type': 'text/css', 'cache-control': 'max-age=600' }, { ...old, codings: [{ coding: 'br', ...brain.store(brotliCompressSync(body)) }] })] });
  await edge.pull();
  expect(verdict(await ask(url, 'GET /a.css'))).toBe('origin origin-well');
  await kept(1);
  const answer = await ask(url, 'GET /a.css', accept('br'));
  expect([verdict(answer), value(answer, 'content-encoding')]).toEqual(['shadow fresh', 'br']);
});

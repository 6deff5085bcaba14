/** With no slots declared a shadow is what the origin sent, byte for byte. */
import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { until } from '../../bench/machine/program.ts';
import { makeSite } from './made-site.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const cycle = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);

const bodies: Readonly<Record<string, readonly [type: string, body: Uint8Array]>> = {
  '/plain.html': ['text/html; charset=utf-8', bytes('<!doctype html><title>é</title><p id="price">1</p><!--esi <p> --><esi:include src="/x"/>')],
  '/crlf.html': ['text/html', bytes('<HTML>\r\n<Body onload=a>\r\n<p>no end\r\n\t<br/ >')],
  '/latin1.html': ['text/html; charset=iso-8859-1', new Uint8Array([...bytes('<p>Gr'), 0xfc, 0xdf, 0xe9, ...bytes('</p>')])],
  '/utf16.html': ['text/html; charset=utf-16le', new Uint8Array(Buffer.from('\ufeff<p>16 bits</p>', 'utf16le'))],
  '/wrong.html': ['text/html; charset=utf-8', new Uint8Array([0xff, 0xfe, 0x00, 0xc3, 0x28, ...bytes('<p>')])],
  '/bom.json': ['application/json', bytes('\ufeff{"a": 1, "a": 2 , "b":"\\u0000"}\n\n')],
  '/nul.txt': ['text/plain', new Uint8Array([0, 0, 65, 0])],
  '/empty.css': ['text/css', new Uint8Array(0)],
  '/one.bin': ['application/octet-stream', new Uint8Array([7])],
  '/large.bin': ['application/octet-stream', cycle(1_048_576)],
  '/large.html': ['text/html', bytes(`<html><body>${'<p class="x">one more</p>\n'.repeat(42_000)}</body></html>`)],
  '/packed.gz': ['application/gzip', new Uint8Array(gzipSync(bytes('packed '.repeat(500))))],
};

test('fetched and captured bodies are published as they came, odd ones too, and their codings give them back', async () => {
  await using site = await makeSite({
    answer: (path) => {
      const [type, body] = bodies[path] ?? [];
      return type === undefined ? new Response('no', { status: 404 }) : new Response(body ?? null, { headers: { 'content-type': type, 'cache-control': 'max-age=60' } });
    },
    rates: () => Object.fromEntries(Object.keys(bodies).filter((path) => path !== '/latin1.html').map((path) => [path, 3])),
  });
  const gzipped = new Uint8Array(gzipSync(bytes('<p>coded</p>'.repeat(200))));
  const capture = (path: string, body: Uint8Array, headers: readonly (readonly [string, string])[]): void => {
    site.capture({ resource: path as never, variation: '' as never, vary: [], status: 200, headers: [['cache-control', 'max-age=60'], ...headers], requestTimeMs: Date.now(), responseTimeMs: Date.now() }, body); // plain paths are keys
  };
  capture('/coded.html', gzipped, [['content-type', 'text/html'], ['content-encoding', 'gzip']]);
  capture('/latin1.html', bodies['/latin1.html']?.[1] ?? new Uint8Array(), [['content-type', 'text/html; charset=iso-8859-1']]);
  await until('every copy', () => site.catalog.size === Object.keys(bodies).length + 1);
  await until('codings', () => (site.record('/large.html')?.codings?.length ?? 0) > 0);
  for (const [path, [, body]] of [...Object.entries(bodies), ['/coded.html', ['', gzipped]] as const]) {
    const record = site.record(path);
    const kept = record && await site.blobs.get(record.body);
    expect([path, record?.bodyBytes, Buffer.compare(kept ?? Buffer.from('missing'), body)]).toEqual([path, body.length, 0]);
  }
  for (const { coding, body } of site.record('/large.html')?.codings ?? []) {
    const coded = await site.blobs.get(body);
    const plain = new Response(new Blob([coded ?? new Uint8Array()]).stream().pipeThrough(new DecompressionStream(coding === 'br' ? 'brotli' : coding)));
    expect(Buffer.compare(await plain.bytes(), bodies['/large.html']?.[1] ?? new Uint8Array())).toBe(0);
  }
  expect(site.record('/coded.html')?.codings).toBeUndefined();
});

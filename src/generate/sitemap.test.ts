import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readSitemap } from './sitemap.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const urlset = (inner: string): string => `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${inner}</urlset>`;

test('entries with their dates, priorities and entities', () => {
  const sitemap = readSitemap(bytes(urlset(`
    <url><loc>https://shop.example/a?x=1&amp;y=2</loc><lastmod>2026-01-02</lastmod><priority>0.9</priority></url>
    <url><loc> https://shop.example/b </loc><lastmod>yesterday</lastmod><priority>7</priority><image:image><image:loc>https://shop.example/i.png</image:loc></image:image></url>
    <url><loc>https://shop.example/c</loc><news:news><news:publication><news:name>N</news:name></news:publication><news:publication_date>2026-01-03T04:00:00Z</news:publication_date></news:news></url>
    <url><lastmod>2026-01-02</lastmod></url>`)));
  expect(sitemap).toEqual({
    kind: 'urls', cut: false, entries: [
      { url: 'https://shop.example/a?x=1&y=2', changedMs: Date.UTC(2026, 0, 2), priority: 0.9 },
      { url: 'https://shop.example/b', changedMs: undefined, priority: 0.5 },
      { url: 'https://shop.example/c', changedMs: Date.UTC(2026, 0, 3, 4), priority: 0.5 },
    ],
  });
});

test('an index, also with a namespace prefix', () => {
  expect(readSitemap(bytes('<s:sitemapindex xmlns:s="x"><s:sitemap><s:loc>https://shop.example/1.xml.gz</s:loc></s:sitemap></s:sitemapindex>')))
    .toEqual({ kind: 'index', sitemaps: ['https://shop.example/1.xml.gz'], cut: false });
});

test('gzip, byte order mark, plain lines', () => {
  expect(readSitemap(gzipSync(bytes(urlset('<url><loc>https://a/1</loc></url>'))))).toMatchObject({ kind: 'urls', entries: [{ url: 'https://a/1' }] });
  expect(readSitemap(bytes(`\uFEFF${urlset('<url><loc>https://a/1</loc></url>')}`))).toMatchObject({ kind: 'urls', entries: [{ url: 'https://a/1' }] });
  expect(readSitemap(bytes('https://a/1\r\nnoise\nhttps://a/2\n'))).toMatchObject({ kind: 'urls', entries: [{ url: 'https://a/1' }, { url: 'https://a/2' }] });
});

test('an empty sitemap is one', () => {
  expect(readSitemap(bytes(urlset('')))).toEqual({ kind: 'urls', entries: [], cut: false });
});

test('what is not a sitemap is named, never thrown', () => {
  const problem = (input: Uint8Array): unknown => readSitemap(input);
  expect(problem(bytes(''))).toEqual({ kind: 'problem', problem: 'empty' });
  expect(problem(bytes('<!doctype html><html><body><a href="/login">log in</a></body></html>'))).toEqual({ kind: 'problem', problem: 'not-a-sitemap' });
  expect(problem(bytes('{"error": "no"}'))).toEqual({ kind: 'problem', problem: 'not-a-sitemap' });
  expect(problem(bytes('<rss><channel><item><link>https://a/1</link></item></channel></rss>'))).toEqual({ kind: 'problem', problem: 'not-a-sitemap' });
  expect(problem(new Uint8Array([0x1f, 0x8b, 1, 2, 3]))).toEqual({ kind: 'problem', problem: 'bad-gzip' });
});

test('a gzip bomb and too many entries are bounded', () => {
  expect(readSitemap(gzipSync(new Uint8Array(1_000_000)), 10_000)).toEqual({ kind: 'problem', problem: 'too-large' });
  const many = readSitemap(bytes(urlset('<url><loc>https://a/1</loc></url>'.repeat(30))), 1_000_000, 10);
  expect(many).toMatchObject({ kind: 'urls', cut: true });
  expect(many.kind === 'urls' && many.entries.length).toBe(10);
});

test('any bytes at all come back as an answer', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, wrapped) => {
    const input = wrapped ? new Uint8Array([...bytes('<urlset><url><loc>'), ...noise]) : noise;
    expect(['urls', 'index', 'problem']).toContain(readSitemap(input).kind);
  }), { seed: 11, numRuns: 300 });
});

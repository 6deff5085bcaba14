import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { readSyndication, syndicationBytesMax, syndicationEntriesMax } from './syndication.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const at = 'https://news.example/feed.xml';

test('RSS 2.0, 1.0 and Atom: the pages and when they came', () => {
  const rss = `<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>News</title><link>https://news.example/</link><atom:link href="/feed.xml" rel="self"/>
    <item><title>A &amp; B</title><link> https://news.example/a?x=1&amp;y=2 </link><pubDate>Tue, 03 Feb 2026 10:00:00 GMT</pubDate><guid>https://news.example/a</guid></item>
    <item><link><![CDATA[https://news.example/b]]></link><pubDate>some day</pubDate></item><item><title>without</title></item></channel></rss>`;
  expect(readSyndication(bytes(rss), at)).toEqual({ kind: 'entries', entries: [{ url: 'https://news.example/a?x=1&y=2', changedMs: Date.UTC(2026, 1, 3, 10) }, { url: 'https://news.example/b', changedMs: undefined }] });
  const rdf = '<rdf:RDF xmlns:rdf="r"><channel><link>https://news.example/</link></channel><item><link>https://news.example/c</link><dc:date>2026-02-03T10:00:00Z</dc:date></item></rdf:RDF>';
  expect(readSyndication(bytes(rdf), at)).toEqual({ kind: 'entries', entries: [{ url: 'https://news.example/c', changedMs: Date.UTC(2026, 1, 3, 10) }] });
  const atom = '<feed xmlns="http://www.w3.org/2005/Atom"><link href="/"/><entry><link rel="replies" href="/d/comments"/><link href="/d"/><published>2026-02-01T00:00:00Z</published><updated>2026-02-03T10:00:00Z</updated></entry><entry><link href="javascript:alert(1)"/></entry></feed>';
  expect(readSyndication(bytes(atom), at)).toEqual({ kind: 'entries', entries: [{ url: 'https://news.example/d', changedMs: Date.UTC(2026, 1, 3, 10) }] });
});

test('what is no feed, or too large, is said; entries are bounded', () => {
  expect(readSyndication(bytes('<!doctype html><html><a href="/x">x</a></html>'), at)).toEqual({ kind: 'problem', problem: 'not-a-feed' });
  expect(readSyndication(new Uint8Array(syndicationBytesMax + 1), at)).toEqual({ kind: 'problem', problem: 'too-large' });
  const many = readSyndication(bytes(`<rss><channel>${'<item><link>/a</link></item>'.repeat(syndicationEntriesMax + 5)}</channel></rss>`), at);
  expect(many.kind === 'entries' && many.entries.length).toBe(syndicationEntriesMax);
});

test('any bytes at all come back as an answer', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, wrapped) => {
    const input = wrapped ? new Uint8Array([...bytes('<rss><channel><item><link>'), ...noise]) : noise;
    expect(['entries', 'problem']).toContain(readSyndication(input, at).kind);
  }), { seed: 12, numRuns: 300 });
});

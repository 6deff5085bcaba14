import { describe, expect, test } from 'bun:test';
import { composedHeaders } from './composed-headers.ts';
import { cspNonce, restampCsp } from './csp-nonce.ts';
import { disabledFormMarkup, encodeMarkup, escapeHtml, noticeMarkup, tokenMarkup } from './markup.ts';

const textOf = (markup: string): string => markup.replace(/^<div role="status"[^>]*>/, '').replace(/<\/div>$/, '');

describe('the notice', () => {
  const timeMs = Date.UTC(2026, 10, 5, 14, 5, 59);
  test('the operator\'s text, with the age rounded up and the time in UTC', () => {
    expect(textOf(noticeMarkup('Made {time}, {age} ago', 61, timeMs))).toBe('Made <time datetime="2026-11-05T14:05:59.000Z">2026-11-05 14:05 UTC</time>, 61 s ago');
  });

  test.each([[0, '0 s'], [-5, '0 s'], [0.2, '1 s'], [119, '119 s'], [119.5, '2 min'], [120, '2 min'], [121, '3 min'], [7200, '2 h'], [7201, '3 h'], [172_800, '2 d'], [172_801, '3 d'], [Number.NaN, '0 s']])('%p s is %s', (ageS, expected) => {
    expect(textOf(noticeMarkup('{age}', ageS, timeMs))).toBe(expected);
  });

  test('nothing in its text is markup, and any time can be told', () => {
    expect(textOf(noticeMarkup('<b onclick="x">&{other}', 0, timeMs))).toBe('&lt;b onclick=&quot;x&quot;&gt;&amp;{other}');
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, -1, 9e15]) expect(noticeMarkup('{time}', 0, odd)).toContain(' UTC</time>');
  });
});

test('a disabled form says so, within a fieldset that disables its controls', () => {
  const { start, end } = disabledFormMarkup('Not now & <here>');
  expect(`${start}<input>${end}`).toMatch(/^<fieldset disabled [^>]*><p role="note">Not now &amp; &lt;here&gt;<\/p><input><\/fieldset>$/);
});

test('a token can\'t leave its attribute, quoted in the page or not', () => {
  const hostile = `x" onload='y'>&`;
  expect(tokenMarkup(hostile, { quoted: true })).toBe('x&quot; onload=&#39;y&#39;&gt;&amp;');
  expect(tokenMarkup('a b', { quoted: false })).toBe('"a b"');
  expect(tokenMarkup('', { quoted: false })).toBe('""');
  expect(escapeHtml('plain')).toBe('plain');
});

test('markup for pages that are not known to be UTF-8 is ASCII', () => {
  expect(Buffer.from(encodeMarkup('9,90 € 😀', true)).toString()).toBe('9,90 € 😀');
  expect(Buffer.from(encodeMarkup('9,90 € 😀', false)).toString('latin1')).toBe('9,90 &#8364; &#128512;');
});

test('of a seed\'s header fields a composed answer keeps what is not about its bytes', () => {
  const kept = [['content-type', 'text/html'], ['cache-control', 'max-age=60'], ['link', '</a.css>; rel=preload'], ['x-a', '1'], ['x-a', '2']] as const;
  const gone = ['content-length', 'etag', 'last-modified', 'content-md5', 'digest', 'content-digest', 'repr-digest', 'accept-ranges', 'content-range', 'signature', 'signature-input'].map((name) => [name, 'x'] as const);
  expect(composedHeaders([...gone, ...kept, ...gone])).toEqual([...kept]);
});

describe('the nonce of a policy', () => {
  const csp = 'content-security-policy';
  test('is the only one that the policies name', () => {
    expect(cspNonce([[csp, "script-src 'nonce-abc='; style-src 'nonce-abc='"], [`${csp}-report-only`, "script-src 'nonce-abc='"], ['x', "'nonce-zzz'"]])).toBe('abc=');
    expect(cspNonce([[csp, "script-src 'nonce-abc'"], [csp, "script-src 'nonce-abd'"]])).toBeUndefined();
    expect(cspNonce([[csp, "default-src 'self'; script-src nonce-abc 'nonce-' 'nonce-a b'"]])).toBeUndefined();
  });

  test('is replaced wherever they name it, and nowhere else', () => {
    expect(restampCsp([[csp, "script-src 'nonce-abc' 'nonce-abcd'; style-src 'nonce-abc'"], [`${csp}-report-only`, "script-src 'nonce-abc'"], ['x', "'nonce-abc'"]], 'abc', '$&new'))
      .toEqual([[csp, "script-src 'nonce-$&new' 'nonce-abcd'; style-src 'nonce-$&new'"], [`${csp}-report-only`, "script-src 'nonce-$&new'"], ['x', "'nonce-abc'"]]);
  });
});

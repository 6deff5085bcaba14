import { expect, test } from 'bun:test';
import type { Doubt, PreviousCopy } from '../catalog/index.ts';
import type { HeaderList } from '../http/index.ts';
import { believedAfterMs, goneAfterMs, judge, type AdmissionCase, type Candidate, type Suspicion, type Verdict } from './admission.ts';

const nowMs = 1_700_000_000_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const pageOf = (length: number, title = 'Red shoes'): Uint8Array => bytes(`<html><head><title>${title}</title></head><body>${'x'.repeat(length)}</body></html>`);

interface Facts {
  readonly status?: number;
  readonly headers?: HeaderList;
  readonly body?: Uint8Array;
  readonly framed?: boolean;
  readonly mayBeEncoded?: boolean;
  readonly policy?: AdmissionCase['policy'];
  readonly previous?: PreviousCopy;
  readonly suspicion?: Suspicion;
  readonly textDoubt?: Doubt;
  readonly atMs?: number;
}

function verdict(facts: Facts): Verdict {
  const candidate: Candidate = {
    status: facts.status ?? 200, headers: facts.headers ?? [['content-type', 'text/html; charset=utf-8'], ['cache-control', 'max-age=60']],
    body: facts.body ?? pageOf(5000), framed: facts.framed ?? true, mayBeEncoded: facts.mayBeEncoded ?? false, requestHeaders: [['cookie', 'segment=vip']], responseTimeMs: nowMs,
  };
  return judge({ candidate, policy: facts.policy ?? 'allowed', previous: facts.previous, textDoubt: facts.textDoubt, suspicion: facts.suspicion, nowMs: facts.atMs ?? nowMs });
}

function reason(facts: Facts): string {
  const result = verdict(facts);
  return result.kind === 'refuse' ? result.reason : result.kind;
}

const goodPage: PreviousCopy = { status: 200, contentType: 'text/html', bodyBytes: 5000 };
const html: HeaderList = [['content-type', 'text/html']];

test('a good page is admitted, with and without one before it', () => {
  expect(reason({})).toBe('admit');
  expect(reason({ previous: goodPage })).toBe('admit');
  expect(reason({ headers: html })).toBe('admit');
});

test.each([500, 502, 503, 504, 599, 429])('%d is an error, whatever its headers say', (status) => {
  expect(reason({ status, headers: [['cache-control', 'public, max-age=60']], policy: 'always' })).toBe('error-status');
});

test('what the headers and the route forbid stays forbidden', () => {
  expect(reason({ headers: [...html, ['set-cookie', 'sid=1']], policy: 'always' })).toBe('set-cookie');
  expect(reason({ headers: [...html, ['cache-control', 'private']] })).toBe('private');
  expect(reason({ headers: [...html, ['cache-control', 'no-store']] })).toBe('no-store');
  expect(reason({ headers: [...html, ['vary', '*']] })).toBe('vary-star');
  expect(reason({ policy: 'never' })).toBe('route');
  expect(reason({ status: 206 })).toBe('partial');
});

test('emptied and shrunken pages do not push out a good copy', () => {
  expect(reason({ body: new Uint8Array(0) })).toBe('emptied');
  expect(reason({ body: new Uint8Array(0), previous: goodPage })).toBe('emptied');
  expect(reason({ body: pageOf(600), previous: goodPage })).toBe('emptied');
  expect(reason({ body: pageOf(2000), previous: goodPage })).toBe('shrunken');
  expect(reason({ body: pageOf(2600), previous: goodPage })).toBe('admit');
  const css: HeaderList = [['content-type', 'text/css'], ['cache-control', 'max-age=60']];
  const sheet: PreviousCopy = { status: 200, contentType: 'text/css', bodyBytes: 5000 };
  expect(reason({ headers: css, body: bytes('a'.repeat(2000)), previous: sheet })).toBe('admit');
  expect(reason({ headers: css, body: bytes('a'.repeat(900)), previous: sheet })).toBe('emptied');
});

test('data may shrink, and small texts may change', () => {
  const json: HeaderList = [['content-type', 'application/json'], ['cache-control', 'max-age=60']];
  expect(reason({ headers: json, body: bytes('[]'), previous: { status: 200, contentType: 'application/json', bodyBytes: 9000 } })).toBe('admit');
  expect(reason({ body: pageOf(1), previous: { ...goodPage, bodyBytes: 400 } })).toBe('admit');
});

test('a page that stays short is believed in time, and only then', () => {
  let suspicion: Suspicion | undefined;
  const look = (atMs: number): string => {
    const result = verdict({ body: pageOf(2000), previous: goodPage, atMs, ...(suspicion ? { suspicion } : {}) });
    if (result.kind === 'refuse') suspicion = result.suspicion;
    return result.kind;
  };
  expect(look(nowMs)).toBe('refuse');
  expect(look(nowMs + 1000)).toBe('refuse');
  expect(look(nowMs + 2000)).toBe('refuse');
  expect(look(nowMs + believedAfterMs)).toBe('admit');
});

test('an empty page is never believed', () => {
  const suspicion: Suspicion = { reason: 'emptied', sightings: 1000, firstMs: 0 };
  expect(reason({ body: new Uint8Array(0), previous: goodPage, suspicion })).toBe('emptied');
});

test('two different doubts are not two sightings of one', () => {
  const suspicion: Suspicion = { reason: 'shrunken', sightings: 10, firstMs: 0 };
  const result = verdict({ body: pageOf(500), previous: goodPage, suspicion });
  expect(result).toEqual({ kind: 'refuse', reason: 'emptied', suspicion: { reason: 'emptied', sightings: 1, firstMs: nowMs } });
});

test('404 and 410 remove a copy only when said again, long enough apart', () => {
  for (const status of [404, 410]) {
    const first = verdict({ status, headers: html, previous: goodPage });
    expect(first).toEqual({ kind: 'refuse', reason: 'gone-unconfirmed', suspicion: { reason: 'gone-unconfirmed', sightings: 1, firstMs: nowMs } });
    const twice: Suspicion = { reason: 'gone-unconfirmed', sightings: 2, firstMs: nowMs };
    expect(reason({ status, headers: html, previous: goodPage, suspicion: twice, atMs: nowMs + goneAfterMs - 1 })).toBe('gone-unconfirmed');
    expect(reason({ status, headers: html, previous: goodPage, suspicion: { ...twice, sightings: 1 }, atMs: nowMs + goneAfterMs })).toBe('gone-unconfirmed');
    expect(reason({ status, headers: html, previous: goodPage, suspicion: twice, atMs: nowMs + goneAfterMs })).toBe('remove');
    expect(reason({ status, headers: html })).toBe('status');
  }
});

test('a hiccup between does not count as gone, and a good answer ends the doubt', () => {
  const twice: Suspicion = { reason: 'gone-unconfirmed', sightings: 2, firstMs: nowMs };
  const hiccup = verdict({ status: 503, previous: goodPage, suspicion: twice });
  expect(hiccup).toEqual({ kind: 'refuse', reason: 'error-status', suspicion: twice });
  expect(verdict({ previous: goodPage, suspicion: twice })).toEqual({ kind: 'admit' });
});

test('a page that becomes something else is doubted', () => {
  const json: HeaderList = [['content-type', 'application/json']];
  expect(reason({ headers: json, body: bytes('{}'), previous: goodPage })).toBe('type-changed');
  const redirect: HeaderList = [['location', '/login'], ['cache-control', 'max-age=60']];
  expect(reason({ status: 302, headers: redirect, body: new Uint8Array(0), previous: goodPage })).toBe('type-changed');
  expect(reason({ status: 302, headers: redirect, body: new Uint8Array(0) })).toBe('admit');
  expect(reason({ status: 302, headers: redirect, body: new Uint8Array(0), previous: { status: 302, contentType: '', bodyBytes: 10 } })).toBe('admit');
});

test.each([
  '503 Service Unavailable', 'Service temporarily unavailable', 'Error 500', 'Error', 'Internal Server Error', 'Site under maintenance', 'Just a moment...',
  'Bad gateway', 'We’ll be right back', '404 Not Found',
])('"%s" is an error page, even as the first copy', (title) => {
  expect(reason({ body: pageOf(500, title) })).toBe('error-page');
});

test.each(['Trial and error', 'The 500 best films', 'How to fix "Error 500"', '5020 watch', 'Maintenance plans', 'Our service'])('"%s" is a page', (title) => {
  expect(reason({ body: pageOf(500, title) })).toBe('admit');
});

test('a long page about errors is a page', () => {
  expect(reason({ body: pageOf(20_000, '503 Service Unavailable: what it means') })).toBe('admit');
});

test('so is a short one that has something to say about them', () => {
  const words = 'what it means and what can be done about it '.repeat(25);
  const about = bytes(`<html><head><title>503 Service Unavailable</title></head><body><p>${words}</p></body></html>`);
  expect(about.length).toBeLessThan(8192);
  expect(reason({ body: about })).toBe('admit');
  const notSaid = bytes(`<html><head><title>503 Service Unavailable</title></head><body><script>${words}</script><a href="/">${words}</a><p>Sorry.</p></body></html>`);
  expect(reason({ body: notSaid })).toBe('error-page');
});

test('what the page\'s words say counts as a doubt like any other; an error is never believed', () => {
  let suspicion: Suspicion | undefined;
  const look = (textDoubt: 'shrunken' | 'error-page', atMs: number): string => {
    const result = verdict({ textDoubt, previous: goodPage, atMs, ...(suspicion ? { suspicion } : {}) });
    if (result.kind === 'refuse') suspicion = result.suspicion;
    return result.kind === 'refuse' ? result.reason : result.kind;
  };
  expect([look('shrunken', nowMs), look('shrunken', nowMs + 1), look('shrunken', nowMs + believedAfterMs)]).toEqual(['shrunken', 'shrunken', 'admit']);
  suspicion = undefined;
  expect([0, 1, 2, 3, 4].map((i) => look('error-page', nowMs + i * believedAfterMs))).toEqual(Array.from({ length: 5 }, () => 'error-page'));
});

test('without a length a page must show its end', () => {
  expect(reason({ framed: false })).toBe('admit');
  expect(reason({ framed: false, body: pageOf(100).subarray(0, 90) })).toBe('maybe-cut');
  const png: HeaderList = [['content-type', 'image/png'], ['cache-control', 'max-age=60']];
  expect(reason({ framed: false, headers: png })).toBe('maybe-cut');
});

test('a compressed body nobody asked for is refused', () => {
  expect(reason({ headers: [...html, ['content-encoding', 'gzip']] })).toBe('encoded');
  expect(reason({ headers: [...html, ['content-encoding', 'identity']] })).toBe('admit');
  expect(reason({ headers: [...html, ['content-encoding', 'gzip']], mayBeEncoded: true })).toBe('admit');
});

import { describe, expect, test } from 'bun:test';
import { headerReader, type HeaderList } from './headers.ts';
import { cacheRefusal, keepRefusals, shadowRefusal, storableFields, type Exchange, type KeepRefusal, type ShadowPolicy } from './storage.ts';

const t0 = Date.UTC(2026, 10, 23);
type Case = { status?: number; method?: string; request?: HeaderList; otherCookies?: boolean };

function exchange(response: HeaderList, more: Case = {}): Exchange {
  return {
    method: more.method ?? 'GET', status: more.status ?? 200, request: headerReader(more.request ?? []),
    response: headerReader(response), responseTimeMs: t0, otherCookies: more.otherCookies ?? false,
  };
}
const cc = (value: string): HeaderList => [['cache-control', value]];
const authorization: Case = { request: [['authorization', 'x']] };
const cookies: Case = { request: [['cookie', 'sid=1']], otherCookies: true };
type Verdict = KeepRefusal | 'kept';

describe('as a shared cache', () => {
  test.each<[string, HeaderList, Case, Verdict]>([
    ['a lifetime', cc('max-age=9'), {}, 'kept'],
    ['a lifetime makes any status storable', cc('max-age=9'), { status: 599 }, 'kept'],
    ['Expires', [['expires', '0']], {}, 'kept'],
    ['a validator', [['etag', '"a"']], {}, 'kept'],
    ['nothing to go by', [], {}, 'no-lifetime'],
    ['a validator, but no status to guess for', [['etag', '"a"']], { status: 302 }, 'status'],
    ['public allows a guess', [['etag', '"a"'], ['cache-control', 'public']], { status: 302 }, 'kept'],
    ['POST', cc('max-age=9'), { method: 'POST' }, 'method'],
    ['HEAD', cc('max-age=9'), { method: 'HEAD' }, 'method'],
    ['206', cc('max-age=9'), { status: 206 }, 'partial'],
    ['a part that calls itself 200', [['cache-control', 'max-age=9'], ['content-range', 'bytes 0-4/10']], {}, 'partial'],
    ['a Content-Range that means nothing', [['cache-control', 'max-age=9'], ['content-range', 'abc']], {}, 'kept'],
    ['304', cc('max-age=9'), { status: 304 }, 'status'],
    ['103', cc('max-age=9'), { status: 103 }, 'status'],
    ['no-store', cc('max-age=9, no-store'), {}, 'no-store'],
    ['no-store of the request', cc('max-age=9'), { request: [['cache-control', 'foo, No-Store']] }, 'no-store'],
    ['private', cc('private, max-age=9'), {}, 'private'],
    ['private for some fields', cc('private="x", max-age=9'), {}, 'kept'],
    ['CDN no-store', [...cc('max-age=9'), ['cdn-cache-control', 'no-store']], {}, 'no-store'],
    ['CDN lifetime against no-store', [...cc('no-store'), ['cdn-cache-control', 'max-age=9']], {}, 'kept'],
    ['must-understand lifts no-store', cc('max-age=9, no-store, must-understand'), {}, 'kept'],
    ['must-understand of a status we do not know', cc('max-age=9, must-understand'), { status: 599 }, 'status'],
    ['Set-Cookie', [...cc('public, max-age=9'), ['set-cookie', 'a=b']], {}, 'set-cookie'],
    ['Vary: *', [...cc('max-age=9'), ['vary', 'foo, *']], {}, 'vary-star'],
    ['Authorization', cc('max-age=9'), authorization, 'authorization'],
    ['Authorization, public', cc('max-age=9, public'), authorization, 'kept'],
    ['Authorization, must-revalidate', cc('max-age=9, must-revalidate'), authorization, 'kept'],
    ['Authorization, s-maxage', cc('s-maxage=9'), authorization, 'kept'],
    ['cookies and a guess', [['etag', '"a"'], ['last-modified', 'Sun, 06 Nov 1994 08:49:37 GMT']], cookies, 'cookie'],
    ['cookies and a lifetime', cc('max-age=9'), cookies, 'kept'],
    ['cookies and no time at all', cc('max-age=0'), cookies, 'cookie'],
    ['cookies that the answer varies on', [...cc('public, max-age=9'), ['vary', 'Accept, Cookie']], cookies, 'cookie'],
    ['Vary: Cookie without cookies', [...cc('max-age=9'), ['vary', 'Cookie']], {}, 'kept'],
    ['Authorization that the answer varies on', [...cc('public, max-age=9'), ['vary', 'authorization']], authorization, 'authorization'],
    ['cookies and public', [...cc('public'), ['etag', '"a"']], cookies, 'kept'],
  ])('%s', (_name, response, more, verdict) => {
    expect(cacheRefusal(exchange(response, more)) ?? 'kept').toBe(verdict);
  });
});

describe('as a shadow', () => {
  test.each<[string, ShadowPolicy, HeaderList, Case, Verdict]>([
    ['nothing said', 'allowed', [], {}, 'kept'],
    ['nothing said, 404', 'allowed', [], { status: 404 }, 'status'],
    ['404 with a lifetime', 'allowed', cc('max-age=9'), { status: 404 }, 'kept'],
    ['404 with a lifetime of nothing', 'allowed', cc('max-age=0'), { status: 404 }, 'status'],
    ['302 of the moment', 'allowed', [], { status: 302 }, 'status'],
    ['301', 'allowed', [], { status: 301 }, 'kept'],
    ['an error with a lifetime', 'allowed', cc('max-age=9'), { status: 503 }, 'status'],
    ['must-revalidate', 'allowed', cc('max-age=0, must-revalidate'), {}, 'kept'],
    ['no-cache', 'allowed', cc('no-cache'), {}, 'kept'],
    ['no-store', 'allowed', cc('no-store'), {}, 'no-store'],
    ['private', 'allowed', cc('private'), {}, 'private'],
    ['Set-Cookie', 'allowed', [['set-cookie', 'a=b']], {}, 'set-cookie'],
    ['Authorization', 'allowed', [], authorization, 'authorization'],
    ['cookies', 'allowed', [], cookies, 'cookie'],
    ['cookies and a lifetime', 'allowed', cc('max-age=9'), cookies, 'kept'],
    ['the route says never', 'never', cc('max-age=9'), {}, 'route'],
    ['always goes over no-store', 'always', cc('no-store'), {}, 'kept'],
    ['always goes over private', 'always', cc('private'), {}, 'kept'],
    ['but not for a personal request', 'always', cc('private'), cookies, 'private'],
    ['nor with credentials', 'always', cc('private'), authorization, 'private'],
    ['Vary: Cookie on an always route', 'always', [['vary', 'Cookie']], cookies, 'kept'],
    ['cookies on an always route', 'always', [], cookies, 'kept'],
    ['always never keeps Set-Cookie', 'always', [['set-cookie', 'a=b']], {}, 'set-cookie'],
    ['always never keeps errors', 'always', cc('max-age=9'), { status: 500 }, 'status'],
    ['always never keeps Vary: *', 'always', [['vary', '*']], {}, 'vary-star'],
    ['always never keeps parts', 'always', [], { status: 206 }, 'partial'],
  ])('%s (%s)', (_name, policy, response, more, verdict) => {
    expect(shadowRefusal(exchange(response, more), policy) ?? 'kept').toBe(verdict);
  });
});

test('every refusal has an explanation', () => {
  for (const text of Object.values(keepRefusals)) expect(text).toMatch(/^[A-Z].*\.$/);
});

test('stored fields are end-to-end, without cookies and without what the origin withholds', () => {
  const list: HeaderList = [
    ['connection', 'a, close'], ['a', '1'], ['b', '2'], ['set-cookie', 'x=y'], ['keep-alive', 'timeout=5'], ['c', '3'],
    ['cache-control', 'max-age=9, no-cache="b"'], ['proxy-authentication-info', 'x'], ['link', '</x>'], ['link', '</y>'],
  ];
  expect(storableFields(list)).toEqual([['c', '3'], ['cache-control', 'max-age=9, no-cache="b"'], ['link', '</x>'], ['link', '</y>']]);
});

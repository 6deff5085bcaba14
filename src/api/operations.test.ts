import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { sampleSource } from '../../test/api/sample-source.ts';
import { silentLog } from '../kernel/index.ts';
import { startApi, type ApiServer } from './server.ts';

const source = sampleSource(() => Promise.reject(new Error('not asked for here')));
const sha256 = (secret: string): string => createHash('sha256').update(secret).digest('hex');
let open: ApiServer;
let guarded: ApiServer;
beforeAll(() => {
  const listen = { hostname: '127.0.0.1', port: 0 };
  open = startApi({ listen, tokens: [], source, log: silentLog });
  guarded = startApi({ listen, tokens: [{ name: 'look', role: 'viewer', sha256: sha256('see') }, { name: 'ops', role: 'operator', sha256: sha256('do') }], source, log: silentLog });
});
afterAll(async () => {
  await Promise.all([open.close(), guarded.close()]);
});

function order(path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST', server = open): Promise<Response> {
  return fetch(server.url + path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
}

describe('orders', () => {
  test('take what the schema knows, with its defaults', async () => {
    expect((await order('/api/v1/purge', { tags: ['news'], soft: true })).status).toBe(200);
    expect(source.orders.purges.at(-1)).toEqual({ urls: [], patterns: [], tags: ['news'], all: false, soft: true, dryRun: false });
    const wrong = await order('/api/v1/purge', { tag: 'news' });
    expect([wrong.status, wrong.headers.get('content-type')]).toEqual([422, 'application/problem+json']);
    expect(await wrong.json()).toMatchObject({ title: 'Unprocessable Content', detail: expect.stringContaining('tag') });
    expect((await order('/api/v1/rollback', {})).status).toBe(422);
    expect((await fetch(`${open.url}/api/v1/purge`, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } })).status).toBe(400);
  });

  test('are not taken from pages of other sites, nor in a form such a page could send unasked', async () => {
    expect((await order('/api/v1/purge', { all: true }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await order('/api/v1/purge', { all: true }, { 'content-type': 'text/plain' })).status).toBe(415);
    expect(source.orders.purges.some(({ all }) => all)).toBe(false);
  });

  test('are for operators; looking is for viewers', async () => {
    expect((await order('/api/v1/purge', { all: true }, { authorization: 'Bearer see' }, 'POST', guarded)).status).toBe(403);
    expect((await order('/api/v1/purge', { all: true }, {}, 'POST', guarded)).status).toBe(401);
    expect((await order('/api/v1/purge', { tags: ['x'] }, { authorization: 'Bearer do' }, 'POST', guarded)).status).toBe(200);
    expect((await fetch(`${guarded.url}/api/v1/shadows`, { headers: { authorization: 'Bearer see' } })).status).toBe(200);
    expect((await fetch(`${guarded.url}/api/v1/shadows`)).status).toBe(401);
  });

  test('a rollback names its resource in the path, escaped, or is of the site', async () => {
    await order(`/api/v1/shadows/${encodeURIComponent('/a?b=/c')}/rollback`, { to: 4 });
    expect(source.orders.rollbacks.at(-1)).toEqual({ to: 4, urls: ['/a?b=/c'], holdMs: 3_600_000, dryRun: false });
    await order('/api/v1/rollback', { to: 5, dryRun: true, holdMs: 0 });
    expect(source.orders.rollbacks.at(-1)).toEqual({ to: 5, urls: [], holdMs: 0, dryRun: true });
  });

  test('settings change only for who has seen them as they are', async () => {
    const read = await fetch(`${open.url}/api/v1/generator`);
    expect(read.status).toBe(500); // this source has no status
    expect((await order('/api/v1/generator', { paused: true }, {}, 'PATCH')).status).toBe(428);
    expect((await order('/api/v1/generator', { paused: true }, { 'if-match': '"old"' }, 'PATCH')).status).toBe(412);
    const changed = await order('/api/v1/generator', { paused: true }, { 'if-match': '*' }, 'PATCH');
    const tag = changed.headers.get('etag') ?? '';
    expect(await changed.json()).toMatchObject({ settings: { paused: true } });
    expect((await order('/api/v1/generator', { paused: false }, { 'if-match': tag }, 'PATCH')).status).toBe(200);
    expect((await order('/api/v1/generator', { paused: true }, { 'if-match': tag }, 'PATCH')).status).toBe(412);
  });
});

describe('looking', () => {
  test('lists take their filters, and refuse numbers out of bounds', async () => {
    await fetch(`${open.url}/api/v1/shadows?match=/products/*&tag=x&limit=5&cursor=/a`);
    expect(source.orders.queries.at(-1)).toEqual({ match: '/products/*', tag: 'x', limit: 5, cursor: '/a' });
    expect((await fetch(`${open.url}/api/v1/shadows?limit=0`)).status).toBe(422);
    expect((await fetch(`${open.url}/api/v1/diff?from=1`)).status).toBe(422);
  });

  test('one shadow, now or in a version; what is not there is a 404', async () => {
    const at = `${open.url}/api/v1/shadows/${encodeURIComponent('/a?b=/c')}`;
    expect(await (await fetch(at)).json()).toMatchObject({ resource: '/a?b=/c' });
    expect(await (await fetch(`${at}/versions/6`)).json()).toMatchObject({ perMinute: 6 });
    expect((await fetch(`${open.url}/api/v1/shadows/%2Fother`)).status).toBe(404);
    expect((await fetch(`${at}/versions/zero`)).status).toBe(404);
  });

  test('a body is handed out as a file, never as a page of this listener', async () => {
    const answer = await fetch(`${open.url}/api/v1/shadows/${encodeURIComponent('/a?b=/c')}/versions/6/body`);
    expect(await answer.text()).toBe('<script>alert(1)</script>');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    expect(answer.headers.get('content-disposition')).toBe('attachment');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('feeds by name or instance, plans by number', async () => {
    expect(await (await fetch(`${open.url}/api/v1/feeds/recs`)).json()).toMatchObject({ instances: [{ key: 'recs?audience=vip', value: { document: [1] }, forecast: [{ pointer: '/0', horizons: [{ horizonMin: 5, next: [{ value: 2, probability: 0.9 }] }] }] }] });
    expect((await fetch(`${open.url}/api/v1/feeds/nothing`)).status).toBe(404);
    expect(await (await fetch(`${open.url}/api/v1/plans/3?against=2`)).json()).toEqual({ from: 2, to: 3 });
    expect((await fetch(`${open.url}/api/v1/plans/4`)).status).toBe(404);
  });

  test('each path says which methods it takes', async () => {
    const answer = await fetch(`${open.url}/api/v1/generator`, { method: 'DELETE' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, PATCH']);
    expect((await fetch(`${open.url}/api/v1/purge`)).headers.get('allow')).toBe('POST');
  });
});

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleSource } from '../../test/api/sample-source.ts';
import { silentLog } from '../kernel/index.ts';
import { metrics } from './metrics.ts';
import { renderPage } from './page.ts';
import { startApi, type ApiServer } from './server.ts';
import type { Status } from './status.ts';

const status: Status = {
  version: '0.1.0', site: 'shop', roles: ['brain'], startedAtMs: 1, uptimeS: 12,
  edge: {
    startedAtMs: 1, reportedAtMs: 2, origin: { attempts: { ok: 7, refused: 2 }, inFlight: 1 },
    local: { records: 3, bodies: 3, bytes: 300, corrupt: 0, appliedVersion: 4 }, captures: { kept: 5 }, connections: 6,
  },
  regions: [{ name: 'eu', listen: '127.0.0.1:8080', failed: 1, answers: [{ source: 'shadow', reason: 'origin-down', count: 9 }] }],
  origin: { atMs: 2, view: { state: 'down', because: 'refused', share: 1, sinceMs: 1 }, latencyP95Ms: 250, usualP95Ms: undefined, requestsPerSecond: 0, inFlight: 0 },
  demand: { person: 10, crawler: 2, prefetch: 1, generated: 0, overflow: 0, suspect: 0 },
  catalog: { version: 4, records: 3, bytes: 300, corrupt: 0, replaced: 0, folderFailures: 0 },
  coverage: { demandPerMinute: 20, fresh: 0.75, any: 1, horizonMin: 15, freshForMs: 600_000 },
  generator: {
    budget: { ratePerSecond: 0, limitPerSecond: 20, inUse: 0, concurrency: 8, surge: false, wait: 0, pause: 'origin-down' },
    plan: { number: 5, atMs: 3, items: 1, planned: { 'too-old': 1 }, refused: { fresh: 2 }, durationMs: 4 },
    queued: 0, pending: 0, fetched: 8, admitted: { generate: 3, capture: 1 }, freshened: { generate: 0, capture: 0 }, captures: { offered: 1, dropped: 0 },
    removed: 0, evicted: 0, refused: { shrunken: 2 }, waiting: {}, holdings: { records: 3, resources: 2, bytes: 300 },
    discovered: { asset: 1, feed: 4, sitemap: 2, link: 3, refused: 0, forbidden: 0 }, discovery: undefined, publishFailures: 0, fidelity: { routes: [] }, codings: { bodies: 0, plainBytes: 0, codedBytes: 0, unpaid: 0, waiting: 0, dropped: 0 }, companions: { waiting: 0, late: 0 },
    feeds: [], fillings: { fillings: 0, resources: 0, left: 0, waiting: 0, rendered: 0, untouched: 0, prepared: 0, preparedMade: 0, preparedHits: 0, settledChanges: 0, settledMs: 0, troubles: {}, failing: 0, failures: [] },
  },
  store: { blobs: 3, bytes: 300, volumes: [{ path: './v1', state: 'ok', bytes: 300, freeBytes: 1000 }], corrupt: 0, repaired: 0 },
  forecaster: { keys: 2, bytes: 400, snapshotAtMs: undefined, fallenBack: ['region'], training: { done: 3, lost: 1, lastMs: 20 } }, bus: { dropped: 0 },
};

let open: ApiServer;
let guarded: ApiServer;
let why: string | undefined = 'no edge has reported yet';
const listen = { hostname: '127.0.0.1', port: 0 };
const source = sampleSource(async () => status, () => why);
const sha256 = (secret: string): string => createHash('sha256').update(secret).digest('hex');

beforeAll(() => {
  open = startApi({ listen, tokens: [], source, log: silentLog });
  guarded = startApi({ listen, tokens: [{ name: 'look', role: 'viewer', sha256: sha256('see') }], source, log: silentLog });
});
afterAll(async () => {
  await Promise.all([open.close(), guarded.close()]);
});

test('the status is the status', async () => {
  const answer = await fetch(`${open.url}/api/v1/status`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const body: unknown = await answer.json();
  expect(body).toEqual(JSON.parse(JSON.stringify(status)));
});

test('alive always, ready when it is', async () => {
  expect((await fetch(`${open.url}/livez`)).status).toBe(200);
  const answer = await fetch(`${open.url}/readyz`);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(await answer.json()).toEqual({ type: 'about:blank', title: 'Not ready', status: 503, detail: 'no edge has reported yet', instance: '/readyz' });
  why = undefined;
  expect((await fetch(`${open.url}/readyz`)).status).toBe(200);
});

test('metrics carry the numbers, and leave out what is not known', async () => {
  const answer = await fetch(`${open.url}/metrics`);
  expect(answer.headers.get('content-type')).toStartWith('text/plain; version=0.0.4');
  const lines = (await answer.text()).split('\n');
  for (const line of [
    'foreshadow_answers_total{region="eu",source="shadow",reason="origin-down"} 9', 'foreshadow_origin_state{state="down"} 1', 'foreshadow_origin_state{state="healthy"} 0',
    'foreshadow_origin_latency_p95_seconds 0.25', 'foreshadow_coverage_fresh_ratio 0.75', 'foreshadow_generator_refused_total{reason="shrunken"} 2',
    'foreshadow_generator_paused{reason="origin-down"} 1', '# TYPE foreshadow_generator_fetches_total counter',
  ]) expect(lines).toContain(line);
  expect(lines.some((line) => line.startsWith('foreshadow_origin_usual_latency_p95_seconds '))).toBe(false);
  const again = await (await fetch(`${open.url}/metrics`)).text();
  expect(again).toContain('foreshadow_generator_fetches_total 8\n');
});

test('the page shows what people want first, loads itself anew, and runs nothing', async () => {
  const answer = await fetch(open.url);
  expect(answer.headers.get('content-type')).toStartWith('text/html');
  expect(answer.headers.get('content-security-policy')).toStartWith("default-src 'none'; style-src 'sha256-");
  const page = await answer.text();
  for (const part of [
    'Foreshadow protects shop', '<meta http-equiv="refresh" content="2">', '<b class="bad">down</b>', ': refused<', '<b class="warn">100%</b>', '<b class="">75%</b>', 'version 4, 3 copies, 300 B; edge has version 4',
    '<td>shadow</td><td>origin-down</td><td class="n">9</td>', 'rests: origin-down; 8 fetches so far, 1 planned now', '3 bodies, 300 B; 1 of 1 volumes ok', 'href="/api/v1/status"', 'href="/metrics"',
  ]) expect(page).toContain(part);
  expect(page).not.toContain('<script');
  const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
  expect(answer.headers.get('content-security-policy')).toContain(createHash('sha256').update(style).digest('base64'));
});

test('the page escapes whatever comes from outside, and does without what is not known', async () => {
  const evil = '<img src=x onerror="alert(\'1\')">&';
  const view = { state: 'failing', because: evil, share: 0.5, sinceMs: 1 } as const;
  const page = (await renderPage({
    ...status, site: evil, version: evil, roles: [evil], origin: { atMs: 2, view, latencyP95Ms: 1, usualP95Ms: 1, requestsPerSecond: 1, inFlight: 1 },
    regions: [{ name: evil, listen: evil, failed: 2, answers: [{ source: evil, reason: evil, count: 3 }] }],
    store: { ...status.store, volumes: [{ path: evil, state: 'failed', bytes: 1, freeBytes: 1, error: evil }] },
  })).toString();
  expect(page).not.toContain('<img');
  expect(page).not.toContain('"alert');
  expect(page.split('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;').length - 1).toBe(11);
  const early = (await renderPage({ ...status, edge: undefined, origin: undefined, regions: [], coverage: { ...status.coverage, fresh: undefined, any: undefined } })).toString();
  for (const part of ['No edge has reported yet', 'not known yet', 'nothing to cover', 'none yet']) expect(early).toContain(part);
  expect(early).not.toContain('undefined');
});

test('docs/metrics.md and the code name the same metrics, in the same words', () => {
  const rows = readFileSync(join(import.meta.dir, '../../docs/metrics.md'), 'utf8').matchAll(/^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm);
  const documented = Object.fromEntries([...rows].map(([, name, kind, labels, help]) => [name, `${kind} ${labels} ${help}`]));
  const expected = Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, `${metric.kind} ${metric.labels.map((label) => `\`${label}\``).join(', ')} ${metric.help}`]));
  expect(documented).toEqual(expected);
});

test('tokens open what they open; liveness is for everybody', async () => {
  expect((await fetch(`${guarded.url}/livez`)).status).toBe(200);
  for (const path of ['/', '/metrics', '/api/v1/status']) {
    const refused = await fetch(guarded.url + path);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="foreshadow"');
    expect((await fetch(guarded.url + path, { headers: { authorization: 'Bearer see' } })).status).toBe(200);
    expect((await fetch(guarded.url + path, { headers: { authorization: 'Bearer sea' } })).status).toBe(401);
  }
});

test('a page under a name of its own can not reach the open listener', async () => {
  const answer = await fetch(`${open.url}/api/v1/status`, { headers: { host: 'evil.example' } });
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ title: 'Forbidden', detail: expect.stringContaining('loopback') });
});

test('what is not there and what is not read are problems too', async () => {
  const missing = await fetch(`${open.url}/api/v1/nothing`);
  expect([missing.status, missing.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  const posted = await fetch(`${open.url}/api/v1/status`, { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect((await fetch(`${open.url}/livez`, { method: 'HEAD' })).status).toBe(200);
});

test('a source that fails is an answer, not a hang', async () => {
  const broken = startApi({ listen, tokens: [], log: silentLog, source: sampleSource(() => Promise.reject(new Error('secret detail'))) });
  const answer = await fetch(`${broken.url}/api/v1/status`);
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('secret');
  await broken.close();
});

test('an address in use is said so', () => {
  expect(() => startApi({ listen: { hostname: '127.0.0.1', port: open.port }, tokens: [], source, log: silentLog })).toThrow('can not be opened');
});

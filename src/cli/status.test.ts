import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import type { ApiServer, Status } from '../api/index.ts';
import { sampleSource } from '../../test/api/sample-source.ts';
import { startApi } from '../api/index.ts';
import { silentLog } from '../kernel/index.ts';
import { runStatus } from './status.ts';

const status: Status = {
  version: '0.1.0', site: 'shop', roles: ['edge', 'brain'], startedAtMs: 1_000_000, uptimeS: 600,
  edge: {
    startedAtMs: 1, reportedAtMs: 2, origin: { attempts: {}, inFlight: 0 }, regions: [],
    local: { records: 3, bodies: 3, bytes: 300, corrupt: 0, appliedVersion: 4 }, captures: {}, connections: 1,
  } as Status['edge'], // has what edges report beside what the status keeps of it
  regions: [{ name: 'eu', listen: '127.0.0.1:8080', failed: 1, answers: [{ source: 'shadow', reason: 'origin-down', count: 9 }, { source: 'shadow', reason: 'fresh', count: 20 }, { source: 'none', reason: 'no-shadow', count: 1 }] }],
  origin: { atMs: 2, view: { state: 'down', because: 'connections are refused', share: 1, sinceMs: 1_420_000 }, latencyP95Ms: 250, usualP95Ms: 15, requestsPerSecond: 0, inFlight: 0 },
  demand: { person: 10, crawler: 2, prefetch: 1, generated: 0, overflow: 0, suspect: 0 },
  catalog: { version: 4, records: 3, bytes: 2048, corrupt: 0, replaced: 0, folderFailures: 0 },
  coverage: { demandPerMinute: 20, fresh: 0.755, any: 1, horizonMin: 15, freshForMs: 600_000 },
  generator: {
    budget: { ratePerSecond: 0, limitPerSecond: 20, inUse: 0, concurrency: 8, surge: false, wait: 0, pause: 'origin-down' }, plan: undefined,
    queued: 0, pending: 0, fetched: 8, admitted: { generate: 3, capture: 1 }, freshened: { generate: 0, capture: 0 }, captures: { offered: 1, dropped: 0 },
    removed: 0, evicted: 0, refused: { shrunken: 2 }, waiting: {}, holdings: { records: 3, resources: 2, bytes: 300 },
    discovered: { asset: 1, feed: 4, sitemap: 2, link: 3, refused: 0, forbidden: 0 }, discovery: undefined, publishFailures: 0, fidelity: { routes: [] }, codings: { bodies: 0, plainBytes: 0, codedBytes: 0, unpaid: 0, waiting: 0, dropped: 0 }, companions: { waiting: 0, late: 0 },
    feeds: [], fillings: { fillings: 0, resources: 0, left: 0, waiting: 0, rendered: 0, untouched: 0, prepared: 0, preparedMade: 0, preparedHits: 0, settledChanges: 0, settledMs: 0, troubles: {}, failing: 0, failures: [] },
  },
  store: { blobs: 1, bytes: 300, volumes: [{ path: './v1', state: 'ok', bytes: 300, freeBytes: 1000 }, { path: './v2', state: 'failed', bytes: 0, freeBytes: 0, error: 'read-only' }], corrupt: 0, repaired: 0 },
  forecaster: { keys: 2, bytes: 400, snapshotAtMs: undefined, fallenBack: ['region'], training: { done: 3, lost: 1, lastMs: 20 } }, bus: { dropped: 0 },
};

let api: ApiServer;
beforeAll(() => {
  const sha256 = createHash('sha256').update('see').digest('hex');
  api = startApi({ listen: { hostname: '127.0.0.1', port: 0 }, tokens: [{ name: 'look', role: 'viewer', sha256 }], source: sampleSource(async () => status), log: silentLog });
});
afterAll(async () => {
  await api.close();
});

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  let out = '';
  let err = '';
  const code = await runStatus(args, { out: (text) => { out += text; }, err: (text) => { err += text; }, isTty: false, env });
  return { code, out, err };
}

test('a person reads what matters', async () => {
  const { code, out } = await run(['--api', api.url], { FORESHADOW_TOKEN: 'see' });
  expect(code).toBe(0);
  expect(out).toBe(`site       shop, Foreshadow 0.1.0 (edge, brain), up 10 min
origin     down for 3 min (connections are refused); 100% of eligible traffic goes to shadows; 0 requests/s, 0 in flight, p95 250 ms (usually 15 ms)
coverage   100% of the next 15 min's requests have a shadow, 75.5% one of at most 10 min (20 requests/min expected)
catalog    version 4: 3 copies, 2 KiB
generator  rests: origin-down; 8 fetched, 4 admitted, 2 refused (shrunken 2)
store      1 body, 300 B; 1 of 2 volumes ok (./v2 failed: read-only)
edge       catalog version 4 applied; 3 copies at hand; 1 connection

region  listens on      origin  shadow  rescue  none  failed
eu      127.0.0.1:8080       0      29       0     1       1
`);
});

test('--json is the answer as it is', async () => {
  const { code, out } = await run(['--api', api.url, '--token', 'see', '--json']);
  expect([code, JSON.parse(out)]).toEqual([0, JSON.parse(JSON.stringify(status))]);
});

test('failures are one line: what, where, what to do', async () => {
  expect(await run(['--api', api.url])).toEqual({
    code: 1, out: '', err: `foreshadow status: ${api.url}/api/v1/status answered 401: send "Authorization: Bearer TOKEN"; give a token with --token or FORESHADOW_TOKEN\n`,
  });
  expect(await run(['--api', 'http://127.0.0.1:1'])).toMatchObject({ code: 1, err: expect.stringContaining('is Foreshadow up?') });
  expect(await run(['--api', 'nonsense'])).toMatchObject({ code: 2 });
  expect(await run(['--what'])).toMatchObject({ code: 2 });
});

import { afterEach, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IpcEnd, startManaged, type BrainToEdge, type EdgeStats, type EdgeToBrain, type OriginReport } from '../bus/index.ts';
import { catalogDirs, CatalogReader, type ShadowRecord } from '../catalog/index.ts';
import { loadConfig, type Config } from '../config/index.ts';
import type { Pace } from '../generate/index.ts';
import { createLog, silentLog, systemClock, type RegionName, type ResourceKey, type VariationKey } from '../kernel/index.ts';
import { digestOf, openLocalStore } from '../store/index.ts';
import { startBrain } from './brain.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function configFor(originUrl: string): Promise<Config> {
  const dataDir = await mkdtemp(join(tmpdir(), 'brain-'));
  cleanUps.push(() => rm(dataDir, { recursive: true, force: true }));
  const result = loadConfig({ file: undefined, overrides: { origin: originUrl, data: dataDir, admin: '127.0.0.1:0' }, env: {}, readFile: () => '' });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return { ...result.config, dataDir, store: { ...result.config.store, volumePaths: [join(dataDir, 'v1'), join(dataDir, 'v2')] }, budgets: { ...result.config.budgets, originRequestsPerSecond: 200 } };
}

function openOrigin(cacheControl = 'max-age=60') {
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1', port: 0, fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      if (pathname === '/sitemap.xml') return new Response('<urlset><url><loc>https://shop.example/listed</loc></url></urlset>');
      if (pathname === '/robots.txt') return new Response('no', { status: 404 });
      return new Response(`<html><head><title>${pathname}</title></head><body>${'x'.repeat(700)}</body></html>`, { headers: { 'content-type': 'text/html', 'cache-control': cacheControl } });
    },
  });
  cleanUps.push(() => server.stop(true));
  return { url: server.url.origin, asked };
}

/** A bus within this process: the edge's end is for the test. */
function busPair(state: OriginReport['view']['state'] = 'healthy') {
  const edge: IpcEnd<EdgeToBrain, BrainToEdge> = new IpcEnd((frame) => { brain.accept(structuredClone(frame)); });
  const brain: IpcEnd<BrainToEdge, EdgeToBrain> = new IpcEnd((frame) => { edge.accept(structuredClone(frame)); });
  const versions: number[] = [];
  edge.onMessage((message) => { if (message.type === 'catalog') versions.push(message.version); });
  edge.send({ type: 'origin', report: report(state) });
  return { edge, brain, versions };
}

async function until(condition: () => boolean | Promise<boolean>, what: string, deadlineMs = 8000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not in time: ${what}`);
    await Bun.sleep(10);
  }
}

const failOnError = createLog({ clock: systemClock, level: 'error', write: (line) => { throw new Error(line); } });
const pace: Pace = { planMs: 100, publishMs: 100, renewalsMs: 100, evictMs: 1000, passiveFirstMs: 200 };
const start = (config: Config, brain: IpcEnd<BrainToEdge, EdgeToBrain>) => startBrain({ config, bus: brain, clock: systemClock, log: failOnError, version: '0.0.0', pace });

const stats = (appliedVersion: number): EdgeStats => ({
  startedAtMs: 1, regions: [{ region: 'local', listen: '127.0.0.1:1', answers: { 'origin origin-well': 3, 'shadow origin-down': 1 }, failed: 0 }],
  origin: { attempts: { ok: 3 }, inFlight: 0 }, local: { records: 0, bodies: 0, bytes: 0, corrupt: 0, appliedVersion }, captures: { kept: 1 }, connections: 2,
});
const report = (state: OriginReport['view']['state']): OriginReport => ({
  atMs: Date.now(), view: { state, because: 'test', share: state === 'healthy' ? 0 : 1, sinceMs: 1 }, latencyP95Ms: 20, usualP95Ms: 20, requestsPerSecond: 3, inFlight: 0,
});

async function publishedIn(config: Config): Promise<string[]> {
  const reader = new CatalogReader({ dirs: catalogDirs(config.store.volumePaths), log: silentLog });
  const records = new Map<string, ShadowRecord>();
  for await (const delta of reader.since(0)) for (const record of delta.put) records.set(record.resource, record);
  return [...records.keys()].sort();
}

test('demand reported a moment ago and a sitemap become published copies; status and readiness tell', async () => {
  const origin = openOrigin();
  const config = await configFor(origin.url);
  const { edge, brain: end, versions } = busPair();
  const brain = await start(config, end);
  cleanUps.push(() => brain.close());
  edge.send({ type: 'demand', window: { fromMs: Date.now() - 1000, toMs: Date.now(), overflow: 0, suspect: 0, steps: [], sweeps: [], totals: { person: 2, crawler: 1, prefetch: 0, generated: 0 }, counts: [{ resource: '/asked' as ResourceKey, variation: '' as VariationKey, region: 'local' as RegionName, count: 2 }] } }); // spelled as their makers would
  edge.send({ type: 'stats', stats: stats(0) });
  edge.send({ type: 'origin', report: report('healthy') });
  await until(async () => (await publishedIn(config)).join() === '/asked,/listed', 'both published');
  await until(async () => (await brain.status()).catalog.records === 2, 'the catalog to say so');
  expect(versions.length).toBeGreaterThan(0);
  expect((await fetch(`${brain.url}/readyz`)).status).toBe(200);
  const status = await (await fetch(`${brain.url}/api/v1/status`)).json();
  expect(status).toMatchObject({
    site: config.site, roles: ['brain', 'edge'], demand: { person: 2, crawler: 1 }, origin: { view: { state: 'healthy' } }, coverage: { fresh: 1, any: 1, horizonMin: 15 },
    regions: [{ name: 'local', answers: [{ source: 'origin', reason: 'origin-well', count: 3 }, { source: 'shadow', reason: 'origin-down', count: 1 }] }],
    catalog: { records: 2 }, generator: { admitted: { generate: 2 } }, store: { blobs: 2 },
  });
  expect(await (await fetch(`${brain.url}/metrics`)).text()).toContain('foreshadow_catalog_records 2\n');
});

test('a restart knows what was published and learned, and asks the origin for nothing it has', async () => {
  const origin = openOrigin();
  const config = await configFor(origin.url);
  const first = busPair();
  const before = await start(config, first.brain);
  await until(async () => (await publishedIn(config)).join() === '/listed', 'published');
  await before.close();
  const asked = origin.asked.length;
  const second = busPair();
  const after = await start(config, second.brain);
  cleanUps.push(() => after.close());
  expect(second.versions[0]).toBe((await after.status()).catalog.version);
  await until(async () => ((await after.status()).generator.plan?.number ?? 0) >= 2, 'planned');
  expect(origin.asked.slice(asked)).toEqual(['/robots.txt', '/sitemap.xml']);
});

test('a restart knows what the origin refused; a damaged file of it is set aside, and said so', async () => {
  const origin = openOrigin('private');
  const config = await configFor(origin.url);
  const before = await start(config, busPair().brain);
  await until(async () => (await before.status()).generator.refused.private === 1, 'refused');
  await before.close();
  const asked = (path: string): number => origin.asked.filter((one) => one === path).length;
  const after = await start(config, busPair().brain);
  await until(async () => ((await after.status()).generator.plan?.refused['backing-off'] ?? 0) === 1, 'still waiting');
  expect((await after.status()).generator.waiting).toEqual({ private: 1 });
  expect(asked('/listed')).toBe(1);
  await after.close();
  const path = join(config.dataDir, 'generator.snapshot');
  await Bun.write(path, 'not a snapshot');
  const warned: string[] = [];
  const log = createLog({ clock: systemClock, level: 'warn', write: (line) => warned.push(line) });
  const anew = await startBrain({ config, bus: busPair().brain, clock: systemClock, log, version: '0.0.0', pace });
  cleanUps.push(() => anew.close());
  expect(warned.join()).toContain('generator-memory-unreadable');
  expect(await Bun.file(`${path}.unreadable`).text()).toBe('not a snapshot');
  await until(() => asked('/listed') === 2, 'asked anew');
});

test('what the edge captured becomes durable without a word to the origin; while that is down nothing is asked', async () => {
  const origin = openOrigin();
  const config = await configFor(origin.url);
  const local = openLocalStore({ path: join(config.dataDir, 'edge'), clock: systemClock, log: silentLog, limits: { variantsPerVariation: 4, storageBytes: 1e8 } });
  cleanUps.push(() => local.close());
  const body = new TextEncoder().encode(`<html><title>captured</title>${'y'.repeat(600)}</html>`);
  const record: ShadowRecord = {
    resource: '/captured' as ResourceKey, variation: '' as VariationKey, vary: [], status: 200, headers: [['content-type', 'text/html'], ['cache-control', 'max-age=9']], // spelled as their makers would
    body: digestOf(body), bodyBytes: body.length, requestTimeMs: Date.now(), responseTimeMs: Date.now(), madeBy: 'capture', version: 0,
  };
  await local.put(record, body);
  const { edge, brain: end } = busPair('down');
  edge.send({ type: 'captured', records: [record] });
  const brain = await start(config, end);
  cleanUps.push(() => brain.close());
  await until(async () => (await publishedIn(config)).join() === '/captured', 'durable');
  expect(origin.asked).toEqual([]);
  expect((await brain.status()).generator).toMatchObject({ admitted: { capture: 1 }, budget: { pause: 'origin-down' } });
});

test('an edge that is behind is told again', async () => {
  const origin = openOrigin();
  const config = await configFor(origin.url);
  const { edge, brain: end, versions } = busPair();
  const brain = await start(config, end);
  cleanUps.push(() => brain.close());
  await until(() => versions.length > 0, 'first word');
  const told = versions.length;
  edge.send({ type: 'stats', stats: stats(0) });
  await until(() => versions.length > told, 'told again');
});

const hostScript = `
import { runBrain } from ${JSON.stringify(join(import.meta.dir, 'brain-process.ts'))};
const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => stop.abort());
process.exit(await runBrain(process.argv.slice(2), { out() {}, err(text) { process.stderr.write(text); }, isTty: false, env: {} }, { port: process, stop: stop.signal, version: '0' }));
`;

test('as a process: started by its parent, stopped by SIGTERM with 0, and refused on its own', async () => {
  const origin = openOrigin();
  const config = await configFor(origin.url);
  const script = join(config.dataDir, 'host.ts');
  await Bun.write(script, hostScript);
  const child = startManaged<EdgeToBrain, BrainToEdge>({ command: [process.execPath, script, '--managed'], env: process.env, config: { ...config, log: { ...config.log, level: 'error' } }, log: silentLog });
  const versions: number[] = [];
  child.bus.onMessage((message) => { if (message.type === 'catalog') versions.push(message.version); });
  await until(() => versions.length > 0, 'a published version');
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
  expect(await publishedIn(config)).toEqual(['/listed']);
  const alone = Bun.spawn([process.execPath, script, '--config', 'f.yaml'], { stdio: ['ignore', 'ignore', 'pipe'] });
  expect(await alone.exited).toBe(2);
  expect(await new Response(alone.stderr).text()).toContain('not available yet');
}, 15_000);

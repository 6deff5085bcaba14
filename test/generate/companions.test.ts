/** A page and its own assets change together: in what was published, version by version. */
import { expect, test } from 'bun:test';
import { until } from '../../bench/machine/program.ts';
import type { ShadowRecord } from '../../src/catalog/index.ts';
import { seededRandom, systemClock, type Clock } from '../../src/kernel/index.ts';
import { companionsWaitMs } from '../../src/generate/companions.ts';
import { makeSite, type MadeSite } from './made-site.ts';

const filler = 'text of the page '.repeat(60);
const cached = { 'cache-control': 'max-age=60' };

interface Release {
  /** Assets by page; a name with `404` is not there, one with `slow` takes a while, one with `never` does not come. */
  readonly pages: Readonly<Record<string, readonly string[]>>;
}

function pageOf(number: number, assets: readonly string[]): string {
  return `<html><head>${assets.map((asset) => `<link rel="stylesheet" href="${asset}">`).join('')}</head><body><p>Release ${number}</p>${filler}</body></html>`;
}

async function siteOf(release: () => Release, number: () => number, clock: Clock = systemClock): Promise<MadeSite> {
  return makeSite({
    answer: async (path, request) => {
      const assets = release().pages[path];
      if (assets) return new Response(pageOf(number(), assets), { headers: { 'content-type': 'text/html', ...cached } });
      if (!path.endsWith('.css') || path.includes('404')) return new Response('no', { status: 404 });
      if (path.includes('slow')) await Bun.sleep(150);
      if (path.includes('never')) return new Promise<Response>((resolve) => { request.signal.addEventListener('abort', () => { resolve(new Response(null)); }); });
      return new Response(`a { content: "${path}" }`, { headers: { 'content-type': 'text/css', ...cached } });
    },
    rates: () => Object.fromEntries(Object.keys(release().pages).map((path) => [path, 10])),
    clock, config: 'freshness: { target: 1s }\ngenerate: { codings: [], fidelity: false }',
  });
}

/** What each page of a version refers to and has no copy of. */
async function incomplete(site: MadeSite, records: readonly ShadowRecord[]): Promise<Record<string, string[]>> {
  const there = new Set(records.map(({ resource }) => String(resource)));
  const found: Record<string, string[]> = {};
  for (const record of records) {
    if (record.resource.endsWith('.css')) continue;
    const body = new TextDecoder().decode(await site.blobs.get(record.body));
    const missing = [...body.matchAll(/href="([^"]+)"/g)].flatMap(([, href = '']) => (there.has(href) || href.includes('404') ? [] : [href]));
    if (missing.length > 0) found[record.resource] = missing;
  }
  return found;
}

test('in no version does a changed page lack assets that could be had, whatever the pages come to refer to', async () => {
  const random = seededRandom(17);
  const releases: Release[] = Array.from({ length: 5 }, (_, number) => ({
    pages: Object.fromEntries(Array.from({ length: 8 }, (_, page) => [
      `/page${page}`,
      Array.from({ length: 1 + random.below(4) }, () => `/${number}-${random.below(12)}${['', '-slow', '-404'][random.below(3)] ?? ''}.css`),
    ])),
  }));
  let number = 0;
  await using site = await siteOf(() => releases[number] ?? { pages: {} }, () => number);
  const isOut = async (): Promise<boolean> => {
    for (const path of Object.keys(releases[number]?.pages ?? {})) {
      const record = site.record(path);
      const body = record && await site.blobs.get(record.body);
      if (!body || !new TextDecoder().decode(body).includes(`Release ${number}<`)) return false;
    }
    return Object.keys(await incomplete(site, [...site.catalog.records()])).length === 0;
  };
  await until('the first release', isOut, 20_000);
  const complete = site.catalog.head();
  for (number = 1; number < releases.length; number++) await until(`release ${number}`, isOut, 20_000);
  const wrong: unknown[] = [];
  let versions = 0;
  for (const [version, records] of site.versions) {
    if (version < complete) continue;
    versions++;
    const found = await incomplete(site, records);
    if (Object.keys(found).length > 0) wrong.push({ version, found });
  }
  expect(wrong).toEqual([]);
  expect(versions).toBeGreaterThan(releases.length);
  expect(site.generator.status().companions).toEqual({ waiting: 0, late: 0 });
}, 120_000);

test('a page does not wait longer than the limit for what does not come, and meanwhile is not fetched again', async () => {
  let number = 0;
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs(), monotonicMs: () => systemClock.monotonicMs() + aheadMs, after: (delayMs, act) => systemClock.after(delayMs, act) };
  const releases: readonly Release[] = [{ pages: { '/page': ['/0.css'] } }, { pages: { '/page': ['/1-never.css'] } }];
  await using site = await siteOf(() => releases[number] ?? { pages: {} }, () => number, clock);
  await until('the first release', () => site.record('/page') !== undefined && site.record('/0.css') !== undefined);
  const first = site.record('/page')?.body;
  number = 1;
  await until('a page in waiting', () => site.generator.status().companions.waiting === 1);
  const asked = site.asked.length;
  const plan = site.generator.status().plan?.number ?? 0;
  await until('further plans', () => (site.generator.status().plan?.number ?? 0) >= plan + 5);
  expect([site.record('/page')?.body, site.asked.slice(asked).filter((path) => path === '/page')]).toEqual([first, []]);
  aheadMs = companionsWaitMs;
  await until('the page goes without', () => site.record('/page')?.body !== first);
  expect(site.generator.status().companions).toEqual({ waiting: 0, late: 1 });
});

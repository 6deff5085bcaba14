import { afterAll, beforeAll, expect, test } from 'bun:test';
import { sampleSource } from './sample-source.ts';
import { runForecast } from '../../src/cli/forecast.ts';
import { silentLog } from '../../src/kernel/index.ts';
import { startApi, type ApiServer } from '../../src/api/index.ts';

let api: ApiServer;
beforeAll(() => {
  api = startApi({ listen: { hostname: '127.0.0.1', port: 0 }, tokens: [], source: sampleSource(() => Promise.reject(new Error('not asked for here'))), log: silentLog });
});
afterAll(() => api.close());

const get = (path: string): Promise<Response> => fetch(`${api.url}/api/v1/forecast${path}`);

async function command(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const said = { out: '', err: '' };
  const code = await runForecast([...args, '--api', api.url], { out: (text) => { said.out += text; }, err: (text) => { said.err += text; }, isTty: false, env: {} });
  return { code, ...said };
}

test('a page has its defaults, and refuses what is none of the horizons, limits and regions', async () => {
  expect(await (await get('')).json()).toMatchObject({ region: '*', horizonMin: 15, nextCursor: 'more', items: [{ resource: '/a?b=/c', p: 0.6, q99: 4 }], total: { mean: 240, q05: 200 } });
  expect(await (await get('?region=eu&horizon=30&limit=1&cursor=x')).json()).toMatchObject({ region: 'eu', horizonMin: 30 });
  for (const wrong of ['?horizon=7', '?horizon=x', '?limit=0', '?limit=1001', '?region=']) expect([wrong, (await get(wrong)).status]).toEqual([wrong, 422]);
});

test('one resource is named by its path, escaped; one nobody asked for is not found; accuracy is no resource', async () => {
  expect(await (await get(`/${encodeURIComponent('/a?b=/c')}`)).json()).toMatchObject({ resource: '/a?b=/c', variations: [{ share: 1 }] });
  const missing = await get(`/${encodeURIComponent('/never')}`);
  expect([missing.status, missing.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  expect(await (await get('/accuracy')).json()).toMatchObject({ fallenBack: [], doors: [{ stage: 'trees', open: true }] });
});

test('the command shows each of them, and says what it does not understand', async () => {
  const page = await command('--horizon', '15m');
  expect([page.code, page.out]).toEqual([0, 'resource  expected  at least one  median  90 %  99 %\n/a?b=/c        3.0        60.0 %       1     2     4\nrequests in the next 15 min, everywhere, 240 in all (90 %: 200 to 285)\nmore: --cursor more\n']);
  expect((await command('/a?b=/c')).out).toContain('everywhere  30 min       6.0');
  const accuracy = await command('accuracy');
  expect(accuracy.out).toContain('one region  more');
  expect(accuracy.out).toContain('trees  one region  below 0.1  in use  2.50');
  expect(accuracy.out).toContain('site    mstl   1.10     1.50  week 1.30');
  expect(accuracy.out).not.toContain('class');
  expect(JSON.parse((await command('--json')).out)).toMatchObject({ horizonMin: 15 });
  expect((await command('emerging')).out).toContain('/hit      burst  2 min       120     0.50  growing');
  for (const wrong of [['--horizon', 'soon'], ['a', 'b'], ['/a', '--limit', '3'], ['accuracy', '--region', 'eu'], ['emerging', '--horizon', '5m'], ['--what']]) {
    const { code, err } = await command(...wrong);
    expect([code, err.includes('usage: foreshadow forecast')]).toEqual([2, true]);
  }
  const refused = await command('--limit', '0');
  expect([refused.code, refused.err.startsWith('foreshadow forecast: ')]).toEqual([1, true]);
});

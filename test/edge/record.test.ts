/** What is written down of a request: the demand windows for the brain, the access log, and what may not be in either. */
import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../bench/machine/program.ts';
import { createLog, systemClock } from '../../src/kernel/index.ts';
import { stage, strike, temporaryFolder, type Stage } from './stage.ts';
import { ask, cached, origin, reply } from './wire.ts';

afterEach(strike);

const browser = 'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36';
const iphone = 'User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148';

async function site(config = ''): Promise<Stage> {
  const pages = await origin(({ target }, socket) => {
    if (target.startsWith('/missing')) socket.write(reply('no', [], '404 X'));
    else socket.write(reply('page', target.startsWith('/live') ? ['Cache-Control: no-store'] : [cached]));
  });
  return stage(pages.url, config);
}

/** Everything counted, once the edge has closed: `resource variation region` → requests, and the totals by kind. */
async function counted({ edge, outbox }: Stage): Promise<{ readonly counts: Record<string, number>; readonly totals: Record<string, number> }> {
  await edge.close();
  const counts: Record<string, number> = {};
  const totals: Record<string, number> = {};
  for (const window of outbox.demand) {
    expect(window.toMs).toBeGreaterThanOrEqual(window.fromMs);
    for (const { resource, variation, region, count } of window.counts) {
      const key = [resource, variation, region].filter((part) => part !== '').join(' ');
      counts[key] = (counts[key] ?? 0) + count;
    }
    for (const [kind, count] of Object.entries(window.totals)) totals[kind] = (totals[kind] ?? 0) + count;
  }
  return { counts, totals };
}

describe('demand', () => {
  test('counts people by resource, variation and region, however they were answered', async () => {
    const staged = await site('dimensions: { device: { from: userAgent, values: [mobile, desktop] } }\nroutes: [{ match: /p/:id, vary: [device] }]');
    for (let i = 0; i < 3; i++) await ask(staged.url, 'GET /p/1?utm_source=x', [browser]);
    await ask(staged.url, 'GET /p/1', [iphone]);
    await ask(staged.url, 'HEAD /p/2', [browser]);
    await ask(staged.url, 'GET /live', [browser]);
    await ask(staged.url, 'POST /p/1', [browser], 'x');
    await ask(staged.url, 'GET /missing', [browser]);
    const { counts, totals } = await counted(staged);
    expect(counts).toEqual({ '/p/1 device=desktop local': 3, '/p/1 device=mobile local': 1, '/p/2 device=desktop local': 1, '/live local': 1 });
    expect(totals).toEqual({ person: 7, crawler: 0, prefetch: 0, generated: 0 });
  });

  test('keeps crawlers and prefetches apart, whether the origin or a copy answers', async () => {
    const staged = await site();
    for (const path of ['/page', '/page', '/live']) {
      await ask(staged.url, `GET ${path}`, ['User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)']);
      await ask(staged.url, `GET ${path}`, [browser, 'Sec-Purpose: prefetch;prerender']);
    }
    const { counts, totals } = await counted(staged);
    expect([counts, totals]).toEqual([{}, { person: 0, crawler: 3, prefetch: 3, generated: 0 }]);
  });

  test('is not made by a stranger who calls his requests ours', async () => {
    const staged = await site();
    for (const path of ['/page', '/page', '/live']) await ask(staged.url, `GET ${path}`, [browser, 'Foreshadow-Purpose: generate']);
    const { counts, totals } = await counted(staged);
    expect([counts, totals]).toEqual([{}, { person: 0, crawler: 0, prefetch: 0, generated: 3 }]);
  });

  test('is not made by what is refused', async () => {
    const staged = await site('hosts: [shop.example]');
    await ask(staged.url, 'GET /page', [browser, 'Host: other.example']);
    await ask(staged.url, 'GET /page', [browser, 'Host: shop.example', 'CDN-Loop: foreshadow']);
    expect((await counted(staged)).counts).toEqual({});
  });
});

describe('the region of a visitor', () => {
  const regions = `regions:
  - { name: eu-west, at: [53.35, -6.26], listen: "127.0.0.1:0" }
  - { name: us-east, at: [38.95, -77.45], listen: "127.0.0.1:0" }
`;

  test('is that of the listener where nothing else is known', async () => {
    const staged = await site(regions);
    for (const port of staged.ports) await ask(`http://127.0.0.1:${port}`, 'GET /page', [browser]);
    expect((await counted(staged)).counts).toEqual({ '/page eu-west': 1, '/page us-east': 1 });
  });

  test('is told by a header of a trusted proxy: a region, or a country', async () => {
    const staged = await site(`${regions}clientRegion: { header: CF-IPCountry }\ntrustedProxies: [127.0.0.1]`);
    for (const told of ['us-east', 'US', 'CA', 'de', 'XX', '']) await ask(staged.url, 'GET /page', [browser, `CF-IPCountry: ${told}`]);
    expect((await counted(staged)).counts).toEqual({ '/page us-east': 3, '/page eu-west': 3 });
  });

  test('is not told by a stranger\'s header', async () => {
    const staged = await site(`${regions}clientRegion: { header: CF-IPCountry }`);
    await ask(staged.url, 'GET /page', [browser, 'CF-IPCountry: US']);
    expect((await counted(staged)).counts).toEqual({ '/page eu-west': 1 });
  });

  test('is found by the address in the country database', async () => {
    const staged = await site(`${regions}clientRegion: { geoip: true }\ntrustedProxies: [127.0.0.1]`);
    // Addresses of a US and a French university, and one that belongs to nobody.
    for (const address of ['18.9.22.69', '129.199.1.1', '192.0.2.1']) await ask(staged.url, 'GET /page', [browser, `X-Forwarded-For: ${address}`]);
    expect((await counted(staged)).counts).toEqual({ '/page us-east': 1, '/page eu-west': 2 });
  });
});

describe('the access log', () => {
  const secrets = ['Authorization: Bearer hunter2', 'Cookie: sid=hunter2', 'Proxy-Authorization: Basic hunter2', 'X-Api-Key: hunter2'];

  test('is one JSON object a request, for its owner alone, without secrets', async () => {
    const path = join(temporaryFolder(), 'access.log');
    const { edge, url } = await site(`log: { access: ${path} }\nhosts: [shop.example]`);
    await ask(url, 'GET /page?a=1', [browser, 'Host: shop.example', 'Referer: https://elsewhere.example/', ...secrets]);
    await ask(url, 'POST /form', ['Host: shop.example', ...secrets], 'password=hunter2');
    await ask(url, 'GET /odd"\\page', ['Host: shop.example', 'User-Agent: a"b\\c\u00e9']);
    await ask(url, 'GET /page', ['Host: other.example']);
    await edge.close();
    const text = readFileSync(path, 'utf8');
    const lines = text.trim().split('\n').map((line): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>); // what the log is tested to be
    expect(lines.map(({ method, target, status, source, reason, region, client }) => [method, target, status, source, reason, region, client])).toEqual([
      ['GET', '/page?a=1', 200, 'origin', 'no-shadow', 'local', '127.0.0.1'],
      ['POST', '/form', 200, 'origin', 'method', 'local', '127.0.0.1'],
      ['GET', '/odd%22/page', 200, 'origin', 'no-shadow', 'local', '127.0.0.1'],
      ['GET', undefined, 421, 'none', 'unknown-host', 'local', undefined],
    ]);
    for (const line of lines) expect(Number.isNaN(Date.parse(String(line['time'])))).toBe(false);
    expect([text.includes('hunter2'), statSync(path).mode & 0o777]).toEqual([false, 0o600]);
  });

  test('a file that can not be written stops nothing', async () => {
    const path = join(temporaryFolder(), 'no-such-folder', 'access.log');
    const { edge, url } = await site(`log: { access: ${path} }`);
    expect((await ask(url, 'GET /page')).status).toBe(200);
    await edge.close();
    expect(existsSync(path)).toBe(false);
  });
});

test('the log redacts what looks like a secret, at any depth, and credentials in URLs', async () => {
  const lines: string[] = [];
  const log = createLog({ clock: systemClock, level: 'info', write: (line) => { lines.push(line); } });
  log.info('event', {
    authorization: 'hunter2', headers: { 'Cookie': 'sid=hunter2', 'x-api-key': 'hunter2', 'accept': 'text/html' }, list: [{ password: 'hunter2' }],
    url: 'https://user:hunter2@shop.example/', problem: new Error('could not reach nats://bus:hunter2@10.0.0.1:4222'),
  });
  log.debug('quiet');
  await until('a line', () => lines.length === 1);
  expect(lines.join('').includes('hunter2')).toBe(false);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', event: 'event', headers: { accept: 'text/html' }, url: 'https://[redacted]@shop.example/' });
});

describe('what the origin does not want kept', () => {
  const answers: Readonly<Record<string, readonly [status: string, ...headers: string[]]>> = {
    '/live': ['200 OK', 'Cache-Control: no-store'], '/mine': ['200 OK', 'Cache-Control: private, max-age=5'], '/sets': ['200 OK', cached, 'Set-Cookie: a=b'],
    '/gone': ['404 X'], '/sick': ['500 X'], '/strange': ['406 X'], '/page': ['200 OK', cached],
  };

  test('is told once for each resource, when any visitor would have got the same word', async () => {
    const { url } = await origin(({ target }, socket) => {
      const [status, ...headers] = answers[target] ?? ['200 OK'];
      socket.write(reply('page', headers, status));
    });
    const staged = await stage(url);
    for (const path of Object.keys(answers)) for (let i = 0; i < 3; i++) await ask(staged.url, `GET ${path}`, [browser]);
    await staged.edge.close();
    const told = new Set(staged.outbox.refused.map(({ resource, reason }) => `${resource} ${reason}`));
    expect([...told].sort()).toEqual(['/gone status', '/live no-store', '/mine private', '/sets set-cookie']);
  });

  test('is not believed of a request that may have brought it about', async () => {
    const { url } = await origin(({ target }, socket) => { socket.write(reply('page', answers[target]?.slice(1) ?? [cached])); });
    const staged = await stage(url);
    await ask(staged.url, 'GET /live', [browser, 'Cookie: session=1']);
    await ask(staged.url, 'GET /mine', [browser, 'Authorization: Basic abc']);
    await ask(staged.url, 'GET /page', [browser, 'Cache-Control: no-store']);
    await ask(staged.url, 'POST /live', [browser], 'x');
    await staged.edge.close();
    expect(staged.outbox.refused).toEqual([]);
  });
});

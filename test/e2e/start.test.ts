/** Starts that go wrong: said in one line with what to do, or survived. */
import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort, until } from '../../bench/machine/program.ts';
import { PlainSite, RunningForeshadow } from './program.ts';

const mainFile = resolve(import.meta.dir, '../../src/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'foreshadow-e2e-start-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

async function runToEnd(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = Bun.spawn([process.execPath, mainFile, ...args], { cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { code, out, err };
}

test('an origin that can not be reached at the start: it starts, says so, and serves when the origin comes', async () => {
  await using site = await PlainSite.create(3);
  await site.stop();
  await using foreshadow = await RunningForeshadow.start({ originUrl: site.url });
  const answer = await fetch(`${foreshadow.url}/pages/1`);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('foreshadow')).toMatch(/source=none[;,] *reason=[a-z-]+/);
  await until('a word about it in the log', () => /"event":"origin-state"[^\n]*"to":"(failing|down)"/.test(foreshadow.log));
  site.start();
  await until('pages', async () => (await fetch(`${foreshadow.url}/pages/1`)).status === 200, 15_000);
}, 40_000);

test('a sitemap that is no XML, a robots.txt that is an error page, endless redirects: nothing but a line in the log', async () => {
  const rubbish = new Map<string, () => Response>([
    ['/robots.txt', () => new Response('<html>oops\0\n'.repeat(100) + '\nSitemap: /sitemap.xml\nSitemap: http://elsewhere.example/s.xml\nSitemap: /loop\n')],
    ['/sitemap.xml', () => new Response('<urlset><url><loc>'.repeat(5000) + '\0\u0001&&&', { headers: { 'content-type': 'application/xml' } })],
    ['/loop', () => new Response(null, { status: 302, headers: { location: '/loop' } })],
  ]);
  const server = Bun.serve({
    hostname: '127.0.0.1', port: 0,
    fetch: (request) => rubbish.get(new URL(request.url).pathname)?.() ?? new Response('<a href="/two">two</a>', { headers: { 'content-type': 'text/html', 'cache-control': 'max-age=60' } }),
  });
  try {
    await using foreshadow = await RunningForeshadow.start({ originUrl: server.url.origin });
    expect((await fetch(`${foreshadow.url}/one`)).status).toBe(200);
    await foreshadow.published(2);
    expect(foreshadow.log).not.toContain('brain-lost');
  } finally {
    await server.stop(true);
  }
}, 40_000);

test('a configuration with mistakes is refused with all of them, each with its path', async () => {
  writeFileSync(join(folder, 'bad.yaml'), 'origin: { url: "http://127.0.0.1:1", probes: {} }\nregions: [{ name: a, listen: nowhere }]\nrouting: { mode: redirect }\n');
  const { code, err } = await runToEnd('up', '--config', 'bad.yaml');
  expect(code).toBe(1);
  for (const path of ['origin.probes', 'regions[0].listen', 'routing.mode']) expect(err).toContain(path);
  expect(err).toContain('not available yet');
});

test('an address in use is one line and exit 1', async () => {
  const taken = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
  try {
    const { code, err } = await runToEnd('up', '--origin', 'http://127.0.0.1:1', '--listen', `127.0.0.1:${taken.port}`, '--admin', `127.0.0.1:${await freePort()}`, '--data', join(folder, 'taken'));
    expect(code).toBe(1);
    expect(err.split('\n').filter((line) => line.startsWith('foreshadow'))).toHaveLength(1);
    expect(err).toContain(String(taken.port));
  } finally {
    await taken.stop(true);
  }
}, 20_000);

test('a command line that is not understood is exit 2', async () => {
  for (const args of [['up'], ['up', '--nonsense'], ['sideways']]) expect((await runToEnd(...args)).code).toBe(2);
}, 20_000);

/** `foreshadow shadows` on a running site: what people see, and that an order is in force on the edge within a second. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { resolve } from 'node:path';
import { until } from '../../bench/machine/program.ts';
import { LiveSite } from './live-site.ts';
import { RunningForeshadow } from './program.ts';

const mainFile = resolve(import.meta.dir, '../../src/main.ts');
let site: LiveSite;
let foreshadow: RunningForeshadow;

beforeAll(async () => {
  site = await LiveSite.create();
  foreshadow = await RunningForeshadow.start({ originUrl: site.url, config: site.config });
  for (const id of ['a', 'b', 'c']) for (const language of ['en', 'de']) await visit(`/products/${id}`, language);
  await visit('/api/price.json');
  await foreshadow.published(7);
}, 40_000);
afterAll(async () => {
  await foreshadow[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

async function visit(path: string, language = 'en'): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(foreshadow.url + path, { headers: { 'accept-language': language } });
  return { status: answer.status, text: await answer.text() };
}

async function shadows(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = Bun.spawn([process.execPath, mainFile, 'shadows', ...args, '--api', `http://127.0.0.1:${foreshadow.adminPort}`], { stdout: 'pipe', stderr: 'pipe', stdin: 'ignore' });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { code, out, err };
}

async function newestVersion(): Promise<number> {
  return (await foreshadow.status())?.catalog.version ?? 0;
}

describe('foreshadow shadows', () => {
  test('ls names resources with their variations, slots and tags, a page at a time', async () => {
    const { code, out } = await shadows('ls', '/products/');
    expect(code).toBe(0);
    expect(out).toMatch(/^resource +variations +size +youngest/);
    expect(out).toMatch(/\/products\/a +2 .* price stamp recs +product product-a/);
    expect((await shadows('ls', '/products/*', '--limit', '1')).out).toContain('more: --cursor /products/a');
    expect((await shadows('ls', '--tag', 'product-b')).out).toContain('/products/b');
    expect((await shadows('ls', '--tag', 'product-b')).out).not.toContain('/products/c');
  });

  test('show tells a copy\'s age, headers, slots and text', async () => {
    const all = await shadows('show', '/products/a');
    expect(all.out).toContain('/products/a  (route /products/:id)');
    expect(all.out).toContain('language=de');
    const one = await shadows('show', `${site.url}/products/a`, '--variation', 'language=en');
    expect(one.out).toContain('slot price: "€10.00" (feed prices, heard');
    expect(one.out).toContain('slot recs: 3 versions, the first "<b>all about cats</b>"');
    expect(one.out).toContain('surrogate-key: product product-a');
    expect(one.out).toContain('| first edition, en.');
    expect((await shadows('show', '/products/a', '--body', '--variation', 'language=de')).out).toContain('origin\'s price');
  });

  test('what is not there is said so, and misuse is told apart', async () => {
    const gone = await shadows('show', '/nowhere');
    expect(gone.code).toBe(1);
    expect(gone.err).toContain('there is no shadow of /nowhere');
    const stranger = await shadows('purge', 'http://elsewhere.example/');
    expect(stranger.code).toBe(1);
    expect(stranger.err).toContain('http://elsewhere.example/ is not a URL of the site');
    expect((await shadows('purge')).code).toBe(2);
    expect((await shadows('shine')).err).toContain('usage: foreshadow shadows ls');
  });

  test('a bad edition is seen in the difference, and gone back from', async () => {
    const good = await newestVersion();
    site.text = 'second edition';
    expect((await shadows('purge', '/products/a', '--soft')).out).toMatch(/^done, in force with version \d+: 1 resource, 2 copies/);
    await until('the second edition to be published', async () => /~ +\/products\/a +language=en/.test((await shadows('diff', String(good))).out), 15_000, 100);
    expect((await shadows('show', '/products/a', '--body', '--variation', 'language=en')).out).toContain('second edition');
    const bad = await newestVersion();
    const text = await shadows('diff', String(good), String(bad), '/products/a', '--variation', 'language=en');
    expect(text.out).toContain('-first edition, en.');
    expect(text.out).toContain('+second edition, en.');
    const dry = await shadows('rollback', '--to', String(good), '/products/a', '--dry-run');
    expect(dry.out).toMatch(/^would be hit: 1 resource, 2 copies\n {2}\/products\/a/);
    expect((await shadows('rollback', '--to', String(good), '/products/a', '--hold', '1h')).out).toContain('done, in force with version');
    await site.stopOrigin();
    await until('the first edition to be back', async () => (await visit('/products/a')).text.includes('first edition'), 10_000, 20);
    expect((await visit('/products/a', 'de')).text).toContain('first edition');
    expect((await shadows('show', '/products/a')).out).toContain('held as it is until');
    expect((await shadows('versions', '/products/a')).out).toMatch(/version +published/);
  }, 60_000);

  test.each([
    ['a URL', ['/products/b'], '/products/b'],
    ['a tag', ['--tag', 'product-c'], '/products/c'],
    ['a pattern', ['--pattern', '/api/*'], '/api/price.json'],
  ])('purge by %s takes the copies away from the edge, for good', async (_, args, path) => {
    await site.stopOrigin();
    await until('the brain to be up', async () => (await foreshadow.status()) !== undefined);
    const preview = await shadows('purge', ...args, '--dry-run');
    expect(preview.code).toBe(0);
    const { code, out, err } = await shadows('purge', ...args);
    expect(`${code} ${out}${err}`).toMatch(/^0 done, in force with version/);
    await until(`${path} to be gone`, async () => (await visit(path)).status === 503, 5000, 10);
    expect((await visit(path, 'de')).status).toBe(503);
    await foreshadow.kill();
    await foreshadow.startAgain();
    expect((await visit(path)).status).toBe(503);
  }, 40_000);
});

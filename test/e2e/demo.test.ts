/**
 * `foreshadow demo` without a terminal: it runs, reports, survives the killing of its shop with its prices live, and leaves nothing behind. What
 * people see in a browser meanwhile is looked at in Chromium.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { categories, products } from '../../examples/shop/goods.ts';
import { scoreOf, tastes } from '../../examples/shop/market.ts';
import { processTree, until } from '../../bench/machine/program.ts';

const mainFile = resolve(import.meta.dir, '../../src/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'foreshadow-e2e-demo-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

function demo(...args: readonly string[]): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
  return Bun.spawn([process.execPath, mainFile, 'demo', ...args], { cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
}

function alive(pid: number): boolean {
  try { return process.kill(pid, 0); } catch { return false; }
}

/** Everything the sitemap names in all its variations; pictures, style, script and logo; JSON. */
const copies = (3 + categories.length + products.length) * 18 + products.length + 3 + 4;
const browserPath = Bun.which('chromium') ?? undefined;
if (browserPath === undefined) console.log('what people see in the shop is not looked at: install chromium (apt-get install chromium)');

describe('with its shop killed', () => {
  let running: Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
  let tree: number[] = [];
  let output = '';
  let url = '';

  beforeAll(async () => {
    running = demo('--any-ports', '--seed', '5', '--data', join(folder, 'killed'));
    const read = async (): Promise<void> => { for await (const chunk of running.stdout.pipeThrough(new TextDecoderStream())) output += chunk; };
    void read();
    await until('all copies', () => Number(/(\d+) shadows ready(?![^]*shadows ready)/.exec(output)?.[1] ?? 0) >= copies, 240_000, 200).catch((error: unknown) => { throw new Error(`${String(error)}: ${output}`); });
    tree = processTree(running.pid);
    const shop = tree.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('shop/server.ts'));
    if (shop !== undefined) process.kill(shop, 'SIGKILL');
    url = /eu-west +(http:\S+)/.exec(output)?.[1] ?? '';
    await until('the shop to be seen down', () => /shop killed, seen down/.test(output), 20_000);
  }, 270_000);

  test('prices stay live in JSON, and so does what sells', async () => {
    const scores = async (): Promise<Record<string, number>> => {
      const answer = await fetch(`${url}/api/scores.json`);
      expect(answer.headers.get('foreshadow')).toContain('source=shadow');
      return await answer.json() as Record<string, number>; // the shop's own JSON
    };
    const first = await scores();
    const nowMs = Date.now();
    const at = (ms: number): Record<string, number> => Object.fromEntries(products.map((product) => [product.id, scoreOf(product, ms)]));
    expect(Array.from({ length: 20 }, (_, back) => at(nowMs - 1000 * back))).toContainEqual(first);
    await until('other scores', async () => !Bun.deepEquals(await scores(), first), 20_000, 500);
  }, 30_000);

  describe.skipIf(browserPath === undefined)('in a browser', () => {
    let browser: Browser;
    beforeAll(async () => { browser = await chromium.launch({ ...(browserPath === undefined ? {} : { executablePath: browserPath }), args: ['--no-sandbox'] }); }, 30_000);
    afterAll(async () => { await browser.close(); });

    /** A page of the shop as somebody sees it who likes paper. */
    async function open(language: string, phone: boolean): Promise<{ page: Page; problems: string[] }> {
      const context = await browser.newContext({
        locale: language, viewport: phone ? { width: 360, height: 740 } : { width: 1280, height: 800 },
        userAgent: phone ? 'Mozilla/5.0 (Linux; Android 15; Phone) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36' : 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
      });
      await context.addCookies([{ name: 'interests', value: encodeURIComponent('paper:0.9,light:0.1'), url }]);
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
      page.on('pageerror', (error) => { problems.push(String(error)); });
      return { page, problems };
    }

    const said = {
      'en-GB': { notice: /a copy from \d{4}-\d\d-\d\d \d\d:\d\d UTC/, form: 'can not be sent' },
      'de-DE': { notice: /eine Kopie von \d{4}-\d\d-\d\d/, form: 'gerade nicht gesendet' },
      'pt-BR': { notice: /uma cópia de \d{4}-\d\d-\d\d/, form: 'não é possível enviar' },
    } as const;
    const fits = (page: Page): Promise<boolean> => page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

    test.each([['en-GB', false], ['de-DE', true], ['pt-BR', true]] as const)('%s, phone %p: the page says that it is a copy, the form that it rests, and the list is the visitor\'s', async (language, phone) => {
      const { page, problems } = await open(language, phone);
      for (const path of ['/', '/c/light']) {
        await page.goto(url + path, { waitUntil: 'networkidle' });
        expect(await page.locator('[data-foreshadow=notice]').innerText()).toMatch(said[language].notice);
        expect(await fits(page)).toBe(true);
      }
      await page.goto(`${url}/products/floor-lamp`, { waitUntil: 'networkidle' });
      expect(await fits(page)).toBe(true);
      expect(await page.locator('html').getAttribute('lang')).toBe(language.slice(0, 2));
      expect(await page.locator('form button').isDisabled()).toBe(true);
      expect(await page.locator('form [role=note]').innerText()).toContain(said[language].form);
      const paper = products.filter(({ category }) => tastes[4]?.includes(category.id));
      const listed = await page.locator('#recs .card a:visible').all();
      expect(listed).toHaveLength(4);
      for (const link of listed) expect(paper.map(({ id }) => `/products/${id}`)).toContain(await link.getAttribute('href') ?? '');
      expect(problems).toEqual([]);
      await page.context().close();
    }, 30_000);

    test('the price moves while the page is open, and when it is loaded again', async () => {
      const { page, problems } = await open('en-GB', false);
      await page.goto(`${url}/products/floor-lamp`);
      const price = page.locator('#price');
      const first = await price.innerText();
      expect(first).toMatch(/^€\d+\.\d\d$/);
      await until('another price', async () => await price.innerText() !== first, 40_000, 250);
      const second = await price.innerText();
      await until('yet another after a reload', async () => {
        await page.reload();
        return ![first, second].includes(await price.innerText());
      }, 40_000, 1000);
      expect(problems).toEqual([]);
      await page.context().close();
    }, 100_000);
  });

  test('nothing failed and nothing was wrong, and it leaves no process behind', async () => {
    running.kill('SIGTERM');
    expect(await running.exited).toBe(0);
    expect(await new Response(running.stderr).text()).toBe('');
    expect(output).toMatch(/eu-west +http:\/\/127\.0\.0\.1:\d+/);
    expect(output).toMatch(/live data: all 11 feeds well/);
    expect(output).toMatch(/\d+ answers: \d+ from origin, [1-9]\d* from shadow, .*; 0 failed, 0 wrong/);
    await until('its processes to be gone', () => !tree.some(alive));
  }, 20_000);
});

test('it plays for as long as it is asked to', async () => {
  const running = demo('--any-ports', '--for', '2s', '--data', join(folder, 'short'));
  const [output, problems, code] = await Promise.all([new Response(running.stdout).text(), new Response(running.stderr).text(), running.exited]);
  expect(problems).toBe('');
  expect(output).toMatch(/\d+ answers: .*; 0 failed, 0 wrong/);
  expect(code).toBe(0);
}, 60_000);

test('it ends on SIGTERM and leaves no process behind', async () => {
  const running = demo('--any-ports', '--data', join(folder, 'ended'));
  let tree: number[] = [];
  await until('all its processes', () => (tree = processTree(running.pid)).length >= 4, 20_000);
  running.kill('SIGTERM');
  await running.exited;
  await until('its processes to be gone', () => !tree.some(alive));
}, 60_000);

test('a command line that is not understood is refused with 2', async () => {
  for (const args of [['--for', 'soon'], ['--rate', '-1'], ['--nonsense'], ['--replay', 'x.log']]) {
    const running = demo(...args);
    expect(await new Response(running.stderr).text()).toStartWith('foreshadow demo: ');
    expect(await running.exited).toBe(2);
  }
}, 30_000);

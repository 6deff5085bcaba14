/**
 * Takes the pictures of docs/images anew: `bun tools/pictures.ts [FOLDER]`. Plays the demo until all copies are made, kills its shop, and looks at the
 * status page and at a page of the shop in the Chromium that is installed; pngquant makes them small where there is one.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { processTree, until } from '../bench/machine/program.ts';
import { root } from './sources.ts';

/** The outage is to look like one: some time passes before the pictures are taken. */
const outageMs = 30_000;

async function take(into: string, executablePath: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'foreshadow-pictures-'));
  const demo = Bun.spawn([process.execPath, join(root, 'src/main.ts'), 'demo', '--any-ports', '--data', folder], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
  try {
    let told = '';
    void (async () => { for await (const chunk of demo.stdout.pipeThrough(new TextDecoderStream())) told += chunk; })();
    const shadows = (): number[] => [...told.matchAll(/(\d+) shadows ready/g)].map(([, count]) => Number(count));
    await until('the number of shadows to grow no more', () => {
      const [last = 0, before = 0] = shadows().reverse();
      return last > 1000 && last === before;
    }, 180_000, 500);
    const shop = processTree(demo.pid).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('shop/server.ts'));
    if (shop === undefined) throw new Error('the demo has no shop');
    process.kill(shop, 'SIGKILL');
    await new Promise((resolve) => { setTimeout(resolve, outageMs); });
    const urlOf = (name: string): string => new RegExp(`${name} +(http://[\\d.:]+)`).exec(told)?.[1] ?? '';
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    const page = await browser.newPage({ viewport: { width: 1000, height: 700 }, locale: 'en-GB', colorScheme: 'light' });
    await page.goto(`${urlOf('status')}/`);
    await page.screenshot({ path: join(into, 'status.png'), fullPage: true });
    await page.goto(`${urlOf('eu-west')}/products/desk-lamp`, { waitUntil: 'networkidle' });
    await page.screenshot({ path: join(into, 'shop-outage.png'), fullPage: true });
    await browser.close();
    if (Bun.which('pngquant') !== null) Bun.spawnSync(['pngquant', '--force', '--skip-if-larger', '--ext', '.png', '64', join(into, 'status.png'), join(into, 'shop-outage.png')]);
  } finally {
    demo.kill('SIGTERM');
    await demo.exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

const chromiumPath = Bun.which('chromium');
if (chromiumPath === null) {
  console.error('no Chromium here; install it (apt-get install chromium)');
  process.exit(1);
}
await take(process.argv[2] ?? join(root, 'docs/images'), chromiumPath);

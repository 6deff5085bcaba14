/**
 * Files on disk that have gone bad while Foreshadow was off, started with the site gone: never served wrong, and made good
 * from what is left wherever something is.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../bench/machine/program.ts';
import { PlainSite, RunningForeshadow } from './program.ts';

let site: PlainSite;
let kept = '';

beforeAll(async () => {
  kept = mkdtempSync(join(tmpdir(), 'foreshadow-e2e-kept-'));
  site = await PlainSite.create(12);
  await using foreshadow = await RunningForeshadow.start({ originUrl: site.url });
  await foreshadow.published(site.paths.length);
  await foreshadow.kill();
  cpSync(foreshadow.dataFolder, kept, { recursive: true });
  await site.stop();
}, 40_000);
afterAll(async () => {
  rmSync(kept, { recursive: true, force: true });
  await site[Symbol.asyncDispose]();
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Turns over one bit in every 64 bytes, from the first. */
function flip(folder: string): void {
  for (const file of filesOf(folder)) {
    const bytes = readFileSync(file);
    for (let at = 0; at < bytes.length; at += 64) bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  }
}

function halve(folder: string): void {
  for (const file of filesOf(folder)) truncateSync(file, statSync(file).size >> 1);
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

interface Case { readonly what: string; readonly damage: (data: string) => void; readonly all: boolean }
const cases: readonly Case[] = [
  { what: 'one volume flipped, nothing at the edge', all: true, damage: (data) => { flip(join(data, 'volumes/1')); remove(join(data, 'edge')); } },
  { what: 'the other volume\'s bodies flipped, nothing at the edge', all: true, damage: (data) => { flip(join(data, 'volumes/2/blobs')); remove(join(data, 'edge')); } },
  { what: 'one volume gone, nothing at the edge', all: true, damage: (data) => { remove(join(data, 'volumes/1')); remove(join(data, 'edge')); } },
  { what: 'one volume cut in half, nothing at the edge', all: true, damage: (data) => { halve(join(data, 'volumes/2')); remove(join(data, 'edge')); } },
  { what: 'one catalog flipped, nothing at the edge', all: true, damage: (data) => { flip(join(data, 'volumes/1/catalog')); remove(join(data, 'edge')); } },
  { what: 'the edge\'s own files flipped', all: true, damage: (data) => { flip(join(data, 'edge')); } },
  { what: 'the edge\'s own files cut in half', all: true, damage: (data) => { halve(join(data, 'edge')); } },
  { what: 'both volumes flipped, the edge whole', all: true, damage: (data) => { flip(join(data, 'volumes')); } },
  { what: 'everything flipped', all: false, damage: flip },
  { what: 'everything cut in half', all: false, damage: halve },
];

/** How many paths are answered rightly; anything but the right body or an honest 503 is a failure. */
async function countRight(foreshadow: RunningForeshadow): Promise<number> {
  let right = 0;
  for (const path of site.paths) {
    const answer = await fetch(foreshadow.url + path);
    const body = await answer.text();
    expect([200, 503]).toContain(answer.status);
    if (answer.status !== 200) continue;
    expect(body).toBe(PlainSite.body(path));
    right++;
  }
  return right;
}

describe('bad files', () => {
  for (const { what, damage, all } of cases) {
    test(what, async () => {
      await using foreshadow = await RunningForeshadow.start({ originUrl: site.url, prepare: (data) => { cpSync(kept, data, { recursive: true }); damage(data); } });
      let right = await countRight(foreshadow);
      if (all) {
        await until('all shadows', async () => (right = await countRight(foreshadow)) === site.paths.length, 10_000, 100)
          .catch((error: unknown) => { throw new Error(`${String(error)}: ${right} of ${site.paths.length}\n${foreshadow.log.slice(-3000)}`); });
      }
      expect(foreshadow.running).toBe(true);
    }, 30_000);
  }

  const repaired: readonly Omit<Case, 'all'>[] = [
    { what: 'one volume flipped whole', damage: (data) => { flip(join(data, 'volumes/1')); } },
    { what: 'all bodies flipped, nothing at the edge', damage: (data) => { flip(join(data, 'volumes/1/blobs')); flip(join(data, 'volumes/2/blobs')); remove(join(data, 'edge')); } },
    { what: 'all catalogs flipped, nothing at the edge', damage: (data) => { flip(join(data, 'volumes/1/catalog')); flip(join(data, 'volumes/2/catalog')); remove(join(data, 'edge')); } },
  ];
  for (const { what, damage } of repaired) {
    test(`made good when the site is back: ${what}`, async () => {
      await using foreshadow = await RunningForeshadow.start({ originUrl: site.url, prepare: (data) => { cpSync(kept, data, { recursive: true }); damage(data); } });
      await countRight(foreshadow);
      site.start();
      try {
        await until('all pages', async () => await countRight(foreshadow) === site.paths.length, 20_000, 100);
        await foreshadow.published(site.paths.length, 15_000);
      } finally {
        await site.stop();
      }
      // What was published is on the volumes again: an edge that starts empty has it from there.
      await foreshadow.stop();
      remove(join(foreshadow.dataFolder, 'edge'));
      await foreshadow.startAgain();
      await until('all shadows', async () => await countRight(foreshadow) === site.paths.length, 10_000, 100);
    }, 60_000);
  }
});

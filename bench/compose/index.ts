/**
 * Putting pages together, on one core: 10,000 distinct variations of a 16 KiB page with four slots through choice, assembly and entity tag
 * (required: 5,000 a second of CPU time), what 10,000 variations take: the page once and a catalog file with all fillings (required: at most three
 * times the page and, for each variation, the texts it shows), and how long it takes to find the holes of a copy.
 */
import { encodeVersion } from '../../src/catalog/version-file.ts';
import { noChange } from '../../src/catalog/index.ts';
import type { ShadowRecord } from '../../src/catalog/index.ts';
import { assemble, chooseFilling, compileSeed, composedTag, encodeMarkup, findHoles, type Dynamics, type Filling } from '../../src/compose/index.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../../src/kernel/index.ts';
import { median } from '../load/samples.ts';
import type { Suite, SuiteContext, SuiteReport } from '../suite.ts';
import { pageBytes, shopPage, variations, type ShopPage, type Variation } from './page.ts';

const perSecondMin = 5000;
const timesMax = 3;
const html = 'text/html; charset=utf-8';
const digest = 'a'.repeat(64) as BlobDigest; // stands for the page's

export const compose: Suite = {
  name: 'compose',
  about: 'pages put together per second, bytes stored for 10,000 variations, finding holes',
  async run(context) {
    const nowMs = Date.UTC(2026, 0, 1);
    const page = shopPage(nowMs);
    const assembly = measureAssembly(page, nowMs, context);
    const stored = [
      await measureStored('fillings shared as dimensions make them', true, page, page.shared, nowMs),
      await measureStored('four fillings of their own', true, page, page.own, nowMs),
      await measureStored('four of their own of 10 characters (for comparison)', false, page, page.tiny, nowMs),
    ];
    return report(assembly, stored, measureFinding(page, context));
  },
};

interface Assembly { readonly perSecond: readonly number[]; readonly wallPerSecond: readonly number[]; readonly tags: number; readonly bytes: number }

/** Encodes each text anew, as if no edge kept encoded texts. */
function measureAssembly({ body, dynamics, shared }: ShopPage, nowMs: number, context: SuiteContext): Assembly {
  const { holes, missing, utf8 } = findHoles({ contentType: html, headers: [], body }, dynamics);
  if (missing.length > 0) throw new Error(`the page has no place for ${missing.join(', ')}`);
  const seed = compileSeed(body, holes);
  const names = dynamics.slots.map(({ config: { name } }) => name);
  const places = holes.map((hole) => (hole.kind === 'slot' ? names.indexOf(hole.slot) : -1));
  const all = Array.from({ length: variations }, (_, at) => shared(at));
  const perSecond: number[] = [];
  const wallPerSecond: number[] = [];
  const tags = new Set<string>();
  let bytes = 0;
  for (let round = 0; round < (context.quick ? 4 : 12); round++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    for (const { fillings, profile } of all) {
      const contents = places.map((place) => {
        const choice = chooseFilling(fillings[place], nowMs, profile, nowMs + 1);
        return choice.kind === 'origin' ? undefined : encodeMarkup(choice.text, utf8);
      });
      bytes = assemble(seed, contents).byteLength;
      tags.add(composedTag(digest, contents));
    }
    const { user, system } = process.cpuUsage(cpu);
    if (round > 0) { // the first warms up
      perSecond.push((variations * 1e6) / (user + system));
      wallPerSecond.push((variations * 1000) / (performance.now() - start));
      context.say(`compose: ${Math.round(perSecond.at(-1) ?? 0)} variations/s`);
    }
  }
  return { perSecond, wallPerSecond, tags: tags.size, bytes };
}

interface Stored { readonly name: string; readonly required: boolean; readonly fillings: number; readonly slotBytes: number; readonly storedBytes: number; readonly times: number }

/** The page's body once, and the catalog file that has its record and all fillings, against the page and what each variation shows in its slots. */
async function measureStored(name: string, required: boolean, { body }: ShopPage, variationAt: (at: number) => Variation, nowMs: number): Promise<Stored> {
  const byId = new Map<string, Filling>();
  let slotBytes = 0;
  for (let at = 0; at < variations; at++) {
    const { fillings, profile } = variationAt(at);
    for (const filling of fillings) {
      byId.set(filling.id, filling);
      const choice = chooseFilling(filling, nowMs, profile, nowMs);
      slotBytes += choice.kind === 'origin' ? 0 : Buffer.byteLength(choice.text);
    }
  }
  const record: ShadowRecord = {
    resource: '/products/7' as ResourceKey, variation: '' as VariationKey, vary: [], status: 200, headers: [['content-type', html]], body: digest, bodyBytes: body.byteLength, // made-up names of one page
    requestTimeMs: 0, responseTimeMs: 0, madeBy: 'generate', version: 1,
  };
  const file = await encodeVersion({ kind: 'full', version: 1, link: '', publishedAtMs: 0 }, { ...noChange, put: [record], fill: [...byId.values()] });
  const storedBytes = body.byteLength + file.bytes;
  return { name, required, fillings: byId.size, slotBytes, storedBytes, times: storedBytes / (body.byteLength + slotBytes) };
}

interface Finding { readonly name: string; readonly microseconds: number }

function measureFinding({ body, dynamics }: ShopPage, { quick }: SuiteContext): Finding[] {
  const document = Buffer.from(JSON.stringify({ list: Array.from({ length: 330 }, (_, at) => ({ id: at, name: `number ${at}`, price: at / 100 })), all: 1 }));
  const json: Dynamics = { ...dynamics, slots: dynamics.slots.map((slot) => ({ ...slot, config: { ...slot.config, place: { kind: 'json', pointer: '/all' } } })) };
  const large = Buffer.from(`${'<div class="row"><a href="/x">text</a></div>\n'.repeat(23_000)}${Buffer.from(body).toString()}`);
  const all: readonly (readonly [string, Uint8Array, Dynamics, string])[] = [
    ['HTML of 16 KiB', body, dynamics, html],
    [`HTML of ${Math.round(large.byteLength / 1024)} KiB`, large, dynamics, html],
    [`JSON of ${Math.round(document.byteLength / 1024)} KiB`, document, json, 'application/json'],
  ];
  return all.map(([name, bytes, wanted, contentType]) => {
    const times = Array.from({ length: (quick ? 5 : 20) + 1 }, () => {
      const repeats = bytes.byteLength > 100_000 ? 2 : 50;
      const start = performance.now();
      for (let i = 0; i < repeats; i++) findHoles({ contentType, headers: [], body: bytes }, wanted);
      return ((performance.now() - start) / repeats) * 1000;
    });
    return { name, microseconds: median(times.slice(1)) };
  });
}

function report(assembly: Assembly, stored: readonly Stored[], finding: readonly Finding[]): SuiteReport {
  const perSecond = median(assembly.perSecond);
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  const tables = [
    {
      title: `Putting together a page of ${pageBytes / 1024} KiB with 4 slots, ${whole(variations)} distinct variations, one core`,
      columns: ['', 'variations/s'],
      rows: [['of CPU time (median of rounds)', whole(perSecond)], ['by the clock', whole(median(assembly.wallPerSecond))], ['slowest round, of CPU time', whole(Math.min(...assembly.perSecond))]],
    },
    {
      title: `Bytes stored for ${whole(variations)} variations of the page`,
      columns: ['variations that have', 'fillings', 'page + slots of each', 'stored', 'times'],
      rows: stored.map(({ name, fillings, slotBytes, storedBytes, times }) => [name, whole(fillings), whole(pageBytes + slotBytes), whole(storedBytes), times.toFixed(2)]),
    },
    { title: 'Finding the holes of a copy', columns: ['', 'µs'], rows: finding.map(({ name, microseconds }) => [name, whole(microseconds)]) },
  ];
  const missed = [
    ...(perSecond < perSecondMin ? [`${whole(perSecond)} variations/s put together, fewer than ${whole(perSecondMin)}`] : []),
    ...(assembly.tags < variations ? [`${variations} variations have only ${assembly.tags} entity tags`] : []),
    ...stored.filter(({ required, times }) => required && times > timesMax).map(({ name, times }) => `${name}: ${times.toFixed(2)} times the page and its slots stored, more than ${timesMax}`),
  ];
  return { numbers: { assembly, stored, finding }, tables, missed };
}

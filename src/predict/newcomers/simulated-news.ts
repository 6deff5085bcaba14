/** A news site made from a seed, and how many first requests of its new pages find a copy. For tests and measurements only: nothing else imports it. */
import { seededRandom, type Random, type ResourceKey } from '../../kernel/index.ts';
import type { Newcomer, Newcomers } from './newcomers.ts';
import type { NewcomerSource } from './surroundings.ts';

const minuteMs = 60_000;
const dayMin = 1440;
/** As the generator's constants have it. */
const usual: Readonly<Record<NewcomerSource, number>> = { asset: 1e-3, feed: 5e-4, sitemap: 5e-4, link: 1e-5 };
/** New pages a day, requests of the first of them in its first minutes, and how they are found. Zipf among those of a section. */
const sections = [
  { name: 'news', aDay: 90, top: 8, source: 'feed' }, { name: 'sport', aDay: 60, top: 2, source: 'feed' }, { name: 'press', aDay: 80, top: 0.01, source: 'feed' },
  { name: 'tag', aDay: 400, top: 0.01, source: 'link' }, { name: 'live', aDay: 20, top: 4, source: 'link' },
] as const;
const archivePages = 3000;
const halfLifeMin = 180;

interface Page extends Newcomer {
  readonly bornMin: number;
  readonly foundMin: number;
  /** Requests a minute when it is new. */
  readonly perMin: number;
  /** The minute of its first request; infinite for none. */
  readonly firstMin: number;
}

export interface NewsOutcome {
  /** New pages that were asked for on the days counted, and how many of their first requests found a copy. */
  readonly firsts: number;
  readonly found: number;
  /** Of all requests for new pages up to an hour after the first. */
  readonly fetches: number;
}

/** Plays `days`, of which the first teaches only; `perMinute` copies are made a minute, of what is expected to be asked for most. Without `newcomers` by the constants. */
export function playNews(seed: number, days: number, perMinute: number, newcomers: Newcomers | undefined): NewsOutcome {
  const pages = makePages(seededRandom(seed), days).sort((a, b) => a.foundMin - b.foundMin);
  const open: Page[] = [];
  const copied = new Set<ResourceKey>();
  let next = 0;
  let fetches = 0;
  let budget = 0;
  const outcome = { firsts: 0, found: 0 };
  for (let minute = 0; minute < days * dayMin; minute++) {
    for (; next < pages.length && (pages[next]?.foundMin ?? 0) <= minute; next++) open.push(...pages.slice(next, next + 1));
    const nowMs = minute * minuteMs;
    budget += perMinute;
    const scored = open.filter(({ firstMin }) => firstMin > minute).map((page) => ({ page, expected: newcomers?.perMinute(page, page.parent === undefined ? undefined : 30, usual[page.source], nowMs) ?? usual[page.source] }));
    // Of equals the older discovery first, as the generator has it.
    scored.sort((a, b) => b.expected - a.expected);
    for (const { page } of scored) {
      if (budget < 1) break;
      if (copied.has(page.resource)) continue;
      copied.add(page.resource);
      budget--;
      fetches++;
    }
    const asked = pages.filter(({ firstMin }) => firstMin >= minute && firstMin < minute + 1);
    for (const page of asked) {
      if (minute < dayMin || page.bornMin < 0) continue;
      outcome.firsts++;
      if (copied.has(page.resource)) outcome.found++;
    }
    newcomers?.observe(nowMs, asked.map(({ resource, perMin }) => ({ resource, count: 1 + Math.floor(perMin) })));
  }
  return { ...outcome, fetches };
}

function makePages(random: Random, days: number): Page[] {
  const pages: Page[] = [];
  for (let i = 0; i < archivePages; i++) {
    const perMin = 0.002 / (i + 1);
    pages.push({ resource: `/archive/${i}` as ResourceKey, source: 'sitemap', parent: undefined, changedMs: undefined, bornMin: -1, foundMin: 0, perMin, firstMin: random.exponential(1 / perMin) }); // spelled as resourceKey would
  }
  for (const { name, aDay, top, source } of sections) {
    for (let i = 0; i < aDay * days; i++) {
      const bornMin = random.next() * days * dayMin;
      const foundMin = Math.ceil(bornMin / 5) * 5;
      const perMin = top / (1 + random.below(aDay));
      const parent = source === 'link' ? '/' as ResourceKey : undefined; // spelled as resourceKey would
      const times = source === 'feed' ? { changedMs: bornMin * minuteMs } : { changedMs: undefined, bornMs: foundMin * minuteMs };
      pages.push({ resource: `/${name}/${i}` as ResourceKey, source, parent, ...times, bornMin, foundMin, perMin, firstMin: bornMin + firstAfter(random, perMin) }); // likewise
    }
  }
  return pages;
}

/** Minutes to the first request at a rate that halves with every half-life: the rate's integral reaches an exponential number, or never does. */
function firstAfter(random: Random, perMin: number): number {
  const scale = halfLifeMin / Math.LN2;
  const part = random.exponential(1) / (perMin * scale);
  return part >= 1 ? Number.POSITIVE_INFINITY : -scale * Math.log1p(-part);
}

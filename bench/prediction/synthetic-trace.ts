/**
 * A trace whose structure is known, for a suite that needs nobody's logs: pages of Zipf popularity read from three regions, each with its own day; each page brings two
 * assets along; articles are born every hour and fade; twice a day one page surges. Visitors read two pages on average. Seeded: equal seeds, equal traces.
 */
import { writeFileSync } from 'node:fs';
import { seededRandom } from '../../src/kernel/index.ts';
import type { Random } from '../../src/kernel/index.ts';

export interface SyntheticTrace {
  readonly days: number;
  /** Page views a minute, on average over a day. */
  readonly viewsPerMinute: number;
  readonly seed: number;
}

const beganMs = Date.UTC(2024, 2, 4);
const minuteMs = 60_000;
const pages = 3000;
const assets = 60;
const bornAnHour = 4;
/** Requests of an article fall to half in so many minutes. */
const halfLifeMin = 240;
const regions = [{ name: 'eu', weight: 0.5, peakHour: 14 }, { name: 'us', weight: 0.35, peakHour: 21 }, { name: 'as', weight: 0.15, peakHour: 6 }] as const;
/** A surge multiplies its page by so much and falls to half in half an hour. */
const surgeTimes = 60;
const surgeHalfLifeMin = 30;

interface Page {
  readonly url: string;
  readonly weight: number;
  /** −1: was always there. */
  readonly bornMin: number;
  /** What every view brings along. */
  readonly parts: readonly string[];
}

interface Surge {
  readonly page: number;
  readonly atMin: number;
}

/** Writes the trace as JSON lines, in order of time; returns how many. */
export function writeSyntheticTrace(path: string, { days, viewsPerMinute, seed }: SyntheticTrace): number {
  const random = seededRandom(seed);
  const all = makePages(days, random);
  const surges = Array.from({ length: days * 2 }, (_, i): Surge => ({ page: random.below(pages), atMin: Math.floor((i / 2) * 1440 + random.below(720)) }));
  const lines: { readonly atMs: number; readonly line: string }[] = [];
  let client = 0;
  for (let minute = 0; minute < days * 1440; minute++) {
    const pick = picker(all, surges, minute);
    for (const region of regions) {
      const hour = (minute / 60) % 24;
      const rate = viewsPerMinute * region.weight * (1 + 0.8 * Math.cos(((hour - region.peakHour) / 12) * Math.PI));
      for (let views = random.poisson(rate / 2); views > 0; views--) {
        client++;
        // A visitor reads on with even odds.
        let atMs = minute * minuteMs + random.below(minuteMs);
        for (let more = true; more; more = random.next() < 0.5) {
          const page = pick(random);
          const ask = (url: string, delayMs: number): number => lines.push({ atMs: atMs + delayMs, line: JSON.stringify({ time: beganMs + atMs + delayMs, url, region: region.name, client: `v${client}` }) });
          ask(page.url, 0);
          for (const part of page.parts) ask(part, 300 + random.below(900));
          atMs += 5000 + Math.floor(random.exponential(90_000));
        }
      }
    }
  }
  lines.sort((a, b) => a.atMs - b.atMs);
  writeFileSync(path, `${lines.filter(({ atMs }) => atMs < days * 1440 * minuteMs).map(({ line }) => line).join('\n')}\n`);
  return lines.length;
}

function makePages(days: number, random: Random): Page[] {
  const parts = (): string[] => [`/assets/${random.below(assets)}.css`, `/assets/${random.below(assets)}.png`];
  const list = Array.from({ length: pages }, (_, rank): Page => ({ url: `/page/${rank}`, weight: 1 / (rank + 3) ** 0.9, bornMin: -1, parts: parts() }));
  for (let hour = 0; hour < days * 24; hour++) {
    for (let i = 0; i < bornAnHour; i++) list.push({ url: `/news/${hour}-${i}`, weight: 0.25 / (1 + random.below(12)), bornMin: hour * 60 + random.below(60), parts: parts() });
  }
  return list;
}

/** Draws pages as they are asked for in a minute. */
function picker(all: readonly Page[], surges: readonly Surge[], minute: number): (random: Random) => Page {
  const sums = new Float64Array(all.length);
  let sum = 0;
  all.forEach(({ weight, bornMin }, i) => {
    let own = weight;
    if (bornMin >= 0) own = minute < bornMin ? 0 : weight * 2 ** (-(minute - bornMin) / halfLifeMin);
    for (const surge of surges) if (surge.page === i && minute >= surge.atMin) own *= 1 + surgeTimes * 2 ** (-(minute - surge.atMin) / surgeHalfLifeMin);
    sum += own;
    sums[i] = sum;
  });
  return (random) => {
    const target = random.next() * sum;
    let low = 0;
    let high = all.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > target) high = middle;
      else low = middle + 1;
    }
    return all[low] ?? { url: '/', weight: 0, bornMin: -1, parts: [] };
  };
}

/** What a thing that was discovered is like, as numbers: where it was found, in which section, how old it is, and how its page is doing. Pure. */
import type { ResourceKey } from '../../kernel/index.ts';

/** Where it was found. */
export const newcomerSources = ['asset', 'feed', 'sitemap', 'link'] as const;
export type NewcomerSource = (typeof newcomerSources)[number];

/** Sections (first path segments) told apart; those beyond count as one. */
export const sectionsMax = 256;
/** Pages that refer to something, of which it is known what they are usually asked for. */
export const parentsMax = 4096;
/** Ends of the ages told apart, minutes since it was published, changed, or first seen in a list that had been read before; then older, then not known. */
const agesMin = [10, 60, 360, 1440, 10_080] as const;
export const ageCount = agesMin.length + 2;
/** Ends of the demand for its page told apart, requests a minute; first is: none known. */
const demandsPerMin = [0.1, 1, 10] as const;
/** Each of them at rest or rising. */
export const demandCount = (demandsPerMin.length + 2) * 2;
/** A page rises when it is asked for so much more than over its day, and at least so much, requests a minute. */
const risingFactor = 2;
const risingFrom = 0.1;
const dayMin = 1440;
const firstWordMin = 10;

export function ageOf(sinceMs: number | undefined, nowMs: number): number {
  if (sinceMs === undefined) return ageCount - 1;
  const ageMin = (nowMs - sinceMs) / 60_000;
  let age = 0;
  while (age < agesMin.length && ageMin >= (agesMin[age] ?? 0)) age++;
  return age;
}

/** First segments of paths as small numbers; 0 is for all that came too late to have one. */
export class Sections {
  readonly #numbers = new Map<string, number>();

  numberOf(resource: ResourceKey): number {
    const section = sectionOf(resource);
    const known = this.#numbers.get(section);
    if (known !== undefined) return known;
    if (this.#numbers.size + 1 >= sectionsMax) return 0;
    this.#numbers.set(section, this.#numbers.size + 1);
    return this.#numbers.size;
  }

  names(): Iterable<string> {
    return this.#numbers.keys();
  }

  /** In the order of `names`. */
  add(name: string): void {
    if (this.#numbers.size + 1 < sectionsMax) this.#numbers.set(name, this.#numbers.size + 1);
  }
}

/** How pages that refer to something do beside their day: a mean that forgets over a day, told about once a minute. */
export class Parents {
  readonly #days = new Map<ResourceKey, { perMinute: number; readonly sinceMs: number; lastMs: number }>();

  /** Demand of the page and whether it rises, as one number below `demandCount`. */
  demandOf(parent: ResourceKey | undefined, perMinute: number | undefined, nowMs: number): number {
    if (parent === undefined || perMinute === undefined) return 0;
    let demand = 1;
    while (demand <= demandsPerMin.length && perMinute >= (demandsPerMin[demand - 1] ?? 0)) demand++;
    return demand * 2 + (this.#rises(parent, perMinute, nowMs) ? 1 : 0);
  }

  #rises(parent: ResourceKey, perMinute: number, nowMs: number): boolean {
    const day = this.#days.get(parent);
    if (!day) {
      this.#days.set(parent, { perMinute, sinceMs: nowMs, lastMs: nowMs });
      if (this.#days.size > parentsMax) for (const oldest of this.#days.keys()) {
        this.#days.delete(oldest);
        break;
      }
      return false;
    }
    const minutes = (nowMs - day.lastMs) / 60_000;
    if (minutes >= 1) {
      // As a plain mean until there is a day of it; the first word counts as some minutes.
      const span = Math.min(dayMin, (nowMs - day.sinceMs) / 60_000);
      day.perMinute += (perMinute - day.perMinute) * Math.min(1, minutes / (span + firstWordMin));
      day.lastMs = nowMs;
    }
    return perMinute >= risingFrom && perMinute > risingFactor * day.perMinute;
  }
}

function sectionOf(resource: ResourceKey): string {
  const start = resource.startsWith('//') ? resource.indexOf('/', 2) + 1 : 1;
  const end = resource.indexOf('/', start);
  const query = resource.indexOf('?', start);
  // What lies at the top has no section of its own: each page would be one.
  return end < 0 || (query >= 0 && query < end) ? '' : resource.slice(start, end);
}

/**
 * How true shadows are: each time a copy is fetched again, what was being served is compared with what is live, slots left aside. A score from
 * 0 (another page) to 1 (the same) for each route, newer comparisons counting more, and the pages that differed most, with what differs.
 * Besides white space, case, scripts, styles, comments, attributes and hidden fields (nobody reads them), these are left out of the comparison, because they differ
 * between two answers to one question: times of day, timestamps, "3 minutes ago", and words of 20 and more letters and digits (nonces, CSRF
 * tokens, session and request ids), in links too. Prices, dates and counters count: who reads them is told something else. Plain state; bounded.
 */
import { contentKind } from '../catalog/index.ts';
import { fnv1a } from '../kernel/index.ts';
import type { ResourceKey, VariationKey } from '../kernel/index.ts';
import { wordsOf, type VisibleText } from './visible-text.ts';

/** Routes with a score; the longest untouched is forgotten. */
export const fidelityRoutesMax = 1000;
/** Pages listed for each. */
export const worstMax = 5;
const differencesMax = 4;
const excerptMax = 60;
/** A newer comparison counts at least this part: the last twenty or so make the score. */
const newest = 0.05;
const shingleWords = 3;
const shinglesMax = 50_000;
/** Of a page's score, what its links make. */
const linksPart = 0.15;

/** One side of a comparison. */
export interface Seen {
  readonly status: number;
  readonly contentType: string;
  /** Undefined where it is no text. */
  readonly text: VisibleText | undefined;
}

export interface Likeness {
  readonly score: number;
  /** What differs, for people. */
  readonly differs: readonly string[];
}

export interface WorstPage extends Likeness {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  readonly atMs: number;
}

export interface RouteFidelity {
  readonly match: string;
  readonly score: number;
  readonly samples: number;
  /** Worst first; a page that was the same when last compared is not listed. */
  readonly worst: readonly WorstPage[];
}

interface Route {
  score: number;
  samples: number;
  worst: WorstPage[];
}

export class Fidelity {
  readonly #routes = new Map<string, Route>();

  /** Notes one comparison; `likeness` undefined: byte for byte the same, or the origin's word for it. */
  note(match: string, page: Pick<WorstPage, 'resource' | 'variation' | 'atMs'>, likeness: Likeness | undefined): void {
    const { score, differs } = likeness ?? { score: 1, differs: [] };
    const route = this.#routes.get(match) ?? { score: 0, samples: 0, worst: [] };
    route.samples++;
    route.score += Math.max(newest, 1 / route.samples) * (score - route.score);
    const others = route.worst.filter(({ resource, variation }) => resource !== page.resource || variation !== page.variation);
    if (differs.length > 0) others.push({ resource: page.resource, variation: page.variation, atMs: page.atMs, score, differs });
    route.worst = others.sort((a, b) => a.score - b.score).slice(0, worstMax);
    this.#routes.delete(match);
    this.#routes.set(match, route);
    if (this.#routes.size <= fidelityRoutesMax) return;
    const oldest = this.#routes.keys().next();
    if (!oldest.done) this.#routes.delete(oldest.value);
  }

  /** The least true first. */
  routes(): readonly RouteFidelity[] {
    return [...this.#routes].map(([match, { score, samples, worst }]) => ({ match, score, samples, worst })).sort((a, b) => a.score - b.score);
  }
}

/** How like two different bodies are to a reader. */
export function likenessOf(served: Seen, live: Seen): Likeness {
  if (served.status !== live.status) return { score: 0, differs: [`status ${served.status} is now ${live.status}`] };
  const [kind, liveKind] = [contentKind(served.contentType), contentKind(live.contentType)];
  if (kind !== liveKind) return { score: 0, differs: [`${served.contentType || 'no content type'} is now ${live.contentType || 'no content type'}`] };
  if (!served.text || !live.text) return { score: 0, differs: ['other bytes'] };
  const differs: string[] = [];
  const [before, now] = [served.text, live.text];
  const textScore = jaccard(shingles(before), shingles(now));
  const [links, liveLinks] = [linkSet(before), linkSet(now)];
  const linkScore = jaccard(links, liveLinks);
  if (readable(before.title) !== readable(now.title)) differs.push(`title "${excerpt(before.title)}" is now "${excerpt(now.title)}"`);
  if (textScore < 1) differs.push(...textDifferences(before, now));
  if (linkScore < 1) differs.push(`links: ${missing(links, liveLinks)} gone, ${missing(liveLinks, links)} new`);
  const score = links.size + liveLinks.size === 0 ? textScore : (1 - linksPart) * textScore + linksPart * linkScore;
  return { score, differs: differs.slice(0, differencesMax) };
}

const changeable: readonly RegExp[] = [
  /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z\b|[+-]\d\d:?\d\d)?/g,
  /\b\d{1,2}:\d\d(?::\d\d)?(?:\s?[ap]\.?m\b)?/gi,
  /\b(?:\d+|an?|one) (?:seconds?|minutes?|hours?) ago\b|\bvor (?:\d+|eine[rm]) (?:sekunden?|minuten?|stunden?)\b|\bil y a \d+ (?:secondes?|minutes?|heures?)\b|\bhace \d+ (?:segundos?|minutos?|horas?)\b|\bhá \d+ (?:segundos?|minutos?|horas?)\b/gi,
  /(?<![\w-])(?=[A-Za-z_-]{0,40}\d)(?=[\d_-]{0,40}[A-Za-z])[\w-]{20,}/g,
];

function readable(text: string): string {
  return changeable.reduce((left, pattern) => left.replace(pattern, ' '), text).replace(/\s+/g, ' ').trim().toLowerCase();
}

function shingles(text: VisibleText): ReadonlySet<number> {
  const words = [text.title, ...text.blocks.map((block) => block.text)].flatMap((part) => wordsOf(readable(part)));
  const found = new Set<number>();
  for (let at = 0; at < Math.max(1, words.length - shingleWords + 1) && found.size < shinglesMax; at++) {
    found.add(fnv1a(words.slice(at, at + shingleWords).join(' ')));
  }
  return found;
}

function linkSet(text: VisibleText): ReadonlySet<string> {
  return new Set(text.links.map(readable));
}

function jaccard<Item>(a: ReadonlySet<Item>, b: ReadonlySet<Item>): number {
  const gone = missing(a, b);
  const all = b.size + gone;
  return all === 0 ? 1 : (a.size - gone) / all;
}

/** How many of `a` are not in `b`. */
function missing<Item>(a: ReadonlySet<Item>, b: ReadonlySet<Item>): number {
  let count = 0;
  for (const item of a) if (!b.has(item)) count++;
  return count;
}

function textDifferences(before: VisibleText, now: VisibleText): string[] {
  const gone = firstOf(before, now);
  const fresh = firstOf(now, before);
  return [...(gone === undefined ? [] : [`gone: "${excerpt(gone)}"`]), ...(fresh === undefined ? [] : [`new: "${excerpt(fresh)}"`])];
}

/** The first block of the one that the other does not have. */
function firstOf(one: VisibleText, other: VisibleText): string | undefined {
  const there = new Set(other.blocks.map((block) => readable(block.text)));
  return one.blocks.find((block) => !there.has(readable(block.text)))?.text;
}

function excerpt(text: string): string {
  return text.length <= excerptMax ? text : `${text.slice(0, excerptMax - 1)}…`;
}

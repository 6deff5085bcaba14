/**
 * How often each resource changes, learned from every new copy: was it different from the one before, how long was between them, and what the
 * origin's own dates say. Two numbers are kept of each resource, of a bounded number of resources; a page little is known of is taken to be like
 * others of its section (`/news/…html`), and a section like the site.
 */
import { shadowId, type ShadowRecord } from '../catalog/shadow-record.ts';
import { headerReader, matchesEtag, parseHttpDate, resourceTarget, type HeaderList } from '../http/index.ts';
import type { ResourceKey } from '../kernel/index.ts';
import { changePrior, changeRate, changesBehindOne, learnChange, noEvidence, type ChangeEvidence, type ChangeObservation, type ChangePrior } from './plan/index.ts';

const changesMax = 100_000;
const sectionsMax = 1000;
/** Until something is known: a change a day, believed as much as a day's watching of one page. */
const firstBelief = { changes: 1, minutes: 1440 } as const;
/** Changes a section must have shown to weigh as much as the site. */
const sectionWeight = 4;
/** Sums forget: the last so many observations count. */
const observationsCounted = 20_000;
/** A page dated within this time before it was sent was made for the request: the date says nothing of its content. */
const datedNowMs = 60_000;

interface Sum {
  changes: number;
  minutes: number;
}

export class Changes {
  readonly #learned = new Map<ResourceKey, ChangeEvidence>();
  readonly #sections = new Map<string, Sum>();
  readonly #site: Sum = { ...firstBelief };

  /** Notes a bit: whether the resource had changed when it was fetched again after `betweenMs`. */
  observe(resource: ResourceKey, betweenMs: number, changed: boolean): void {
    if (betweenMs > 0) this.#learn(resource, { minutes: betweenMs / 60_000, changed });
  }

  /**
   * Notes what a new copy tells beside the one before it. `changed`: whether anything outside its slots differs. What the origin says of itself goes
   * first: equal entity tags are an equal page (RFC 9110 §8.8.3), a new date is when it last changed.
   */
  observeCopy(record: ShadowRecord, previous: ShadowRecord | undefined, changed: boolean): void {
    const datedMs = lastChangeMs(record.headers, record.responseTimeMs);
    if (!previous || shadowId(previous) !== shadowId(record)) {
      if (datedMs !== undefined && this.#learned.get(record.resource) === undefined) this.#learn(record.resource, { sinceChangeMinutes: (record.responseTimeMs - datedMs) / 60_000 });
      return;
    }
    const really = changed && !saysUnchanged(record.headers, previous.headers);
    if (really && datedMs !== undefined && datedMs > previous.responseTimeMs) {
      this.#learn(record.resource, { sinceChangeMinutes: (record.responseTimeMs - datedMs) / 60_000 });
      return;
    }
    this.observe(record.resource, record.responseTimeMs - previous.responseTimeMs, really);
  }

  /** Changes a minute: what was seen of the resource, and of others like it. */
  rate(resource: ResourceKey): number {
    return changeRate(this.#learned.get(resource) ?? noEvidence, this.#prior(resource));
  }

  /** Takes what an earlier run learned, in the order `entries` gave it. */
  restore(resource: ResourceKey, evidence: ChangeEvidence): void {
    this.#keep(resource, evidence);
    this.#count(resource, evidence.shape, evidence.minutes);
  }

  /** Everything learned, the longest untouched resource first. */
  entries(): Iterable<readonly [ResourceKey, ChangeEvidence]> {
    return this.#learned;
  }

  #learn(resource: ResourceKey, seen: ChangeObservation): void {
    const prior = this.#prior(resource);
    const before = this.#learned.get(resource) ?? noEvidence;
    if ('sinceChangeMinutes' in seen) this.#count(resource, 1, seen.sinceChangeMinutes);
    else this.#count(resource, seen.changed ? changesBehindOne(changeRate(before, prior), seen.minutes) : 0, seen.minutes);
    this.#keep(resource, learnChange(before, seen, prior));
  }

  #keep(resource: ResourceKey, evidence: ChangeEvidence): void {
    this.#learned.delete(resource);
    this.#learned.set(resource, evidence);
    if (this.#learned.size <= changesMax) return;
    const oldest = this.#learned.keys().next();
    if (!oldest.done) this.#learned.delete(oldest.value);
  }

  #prior(resource: ResourceKey): ChangePrior {
    const site = this.#site.changes / this.#site.minutes;
    const section = this.#sections.get(sectionOf(resource));
    return changePrior(section ? (section.changes + sectionWeight) / (section.minutes + sectionWeight / site) : site);
  }

  #count(resource: ResourceKey, changes: number, minutes: number): void {
    const name = sectionOf(resource);
    const section = this.#sections.get(name) ?? { changes: 0, minutes: 0 };
    for (const sum of [this.#site, section]) {
      sum.changes = sum.changes * (1 - 1 / observationsCounted) + changes;
      sum.minutes = sum.minutes * (1 - 1 / observationsCounted) + minutes;
    }
    this.#sections.delete(name);
    this.#sections.set(name, section);
    if (this.#sections.size <= sectionsMax) return;
    const oldest = this.#sections.keys().next();
    if (!oldest.done) this.#sections.delete(oldest.value);
  }
}

/** First segment of the path and last extension: what is made by one program changes in one rhythm. */
export function sectionOf(resource: ResourceKey): string {
  const { target } = resourceTarget(resource);
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const slash = path.indexOf('/', 1);
  const dot = path.lastIndexOf('.');
  return `${slash < 0 ? '' : path.slice(0, slash)}${dot > path.lastIndexOf('/') ? path.slice(dot) : ''}`;
}

function saysUnchanged(now: HeaderList, before: HeaderList): boolean {
  const [one, other] = [headerReader(now), headerReader(before)];
  const etag = one.get('etag');
  const etagBefore = other.get('etag');
  if (etag !== null && etagBefore !== null) return matchesEtag(etagBefore, etag, 'weak');
  const modified = one.get('last-modified');
  return modified !== null && modified === other.get('last-modified');
}

/** When the origin says that the page last changed, where that says anything. */
function lastChangeMs(headers: HeaderList, responseTimeMs: number): number | undefined {
  const modified = headerReader(headers).get('last-modified');
  const atMs = modified === null ? undefined : parseHttpDate(modified, responseTimeMs);
  return atMs !== undefined && atMs <= responseTimeMs - datedNowMs ? atMs : undefined;
}

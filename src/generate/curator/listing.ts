/** The list of shadows, a page at a time, in the order of their names; and one shadow's copies as people see them. Pure. */
import { compileTargets, tagsOf, type RuleTarget, type ShadowRecord } from '../../catalog/index.ts';
import { headerReader } from '../../http/index.ts';
import type { ResourceKey } from '../../kernel/index.ts';
import type { ShadowPage, ShadowQuery, ShadowSummary } from './views.ts';

const pageItemsMax = 1000;

export interface ListingParts {
  readonly version: number;
  readonly byResource: Iterable<readonly [ResourceKey, readonly ShadowRecord[]]>;
  perMinute(resource: ResourceKey): number;
  slotsOf(resource: ResourceKey): readonly string[];
  readonly nowMs: number;
}

export function listShadows(parts: ListingParts, query: ShadowQuery): ShadowPage {
  const limit = Math.max(1, Math.min(pageItemsMax, query.limit));
  const found: { readonly resource: ResourceKey; readonly records: readonly ShadowRecord[] }[] = [];
  const matches = compileQuery(query);
  let resources = 0;
  for (const [resource, records] of parts.byResource) {
    resources++;
    if (query.cursor !== undefined && resource <= query.cursor) continue;
    if (matches(resource, records)) found.push({ resource, records });
  }
  found.sort((a, b) => (a.resource < b.resource ? -1 : 1));
  const items = found.slice(0, limit).map(({ resource, records }) => summaryOf(parts, resource, records));
  return { version: parts.version, resources, items, nextCursor: found.length > limit ? items.at(-1)?.resource : undefined };
}

/** Whether a resource is asked for, made ready to be asked of many. */
function compileQuery({ match, tag }: ShadowQuery): (resource: ResourceKey, records: readonly ShadowRecord[]) => boolean {
  const fits = match !== undefined && /[*:]/.test(match) ? compileTargets([{ kind: 'pattern', pattern: match }]) : undefined;
  return (resource, records) => {
    if (tag !== undefined && !records.some(({ headers }) => tagsOf(headers).includes(tag))) return false;
    return match === undefined || resource.startsWith(match) || fits?.({ resource, headers: [] }) === true;
  };
}

function summaryOf(parts: ListingParts, resource: ResourceKey, records: readonly ShadowRecord[]): ShadowSummary {
  const newest = records.reduce((best, record) => (record.responseTimeMs > best.responseTimeMs ? record : best), records[0] ?? broken());
  const oldestMs = Math.min(...records.map(({ responseTimeMs }) => responseTimeMs));
  const bodies = new Map(records.map(({ body, bodyBytes }) => [body, bodyBytes]));
  return {
    resource, copies: records.length, variations: new Set(records.map(({ variation }) => variation)).size,
    bytes: [...bodies.values()].reduce((sum, bytes) => sum + bytes, 0),
    newestAgeS: ageS(parts.nowMs, newest.responseTimeMs), oldestAgeS: ageS(parts.nowMs, oldestMs),
    status: newest.status, contentType: headerReader(newest.headers).get('content-type') ?? '',
    madeBy: [...new Set(records.map(({ madeBy }) => madeBy))], version: newest.version,
    perMinute: parts.perMinute(resource), slots: parts.slotsOf(resource), tags: tagsOf(newest.headers),
  };
}

export function ageS(nowMs: number, sinceMs: number): number {
  return Math.max(0, Math.round((nowMs - sinceMs) / 1000));
}

/** Copies that one of the targets is about. */
export function hitBy(targets: readonly RuleTarget[], records: Iterable<ShadowRecord>): ShadowRecord[] {
  const isHit = compileTargets(targets);
  const hit: ShadowRecord[] = [];
  for (const record of records) if (isHit(record)) hit.push(record);
  return hit;
}

function broken(): never {
  throw new Error('broken invariant: a resource in the holdings has a copy');
}

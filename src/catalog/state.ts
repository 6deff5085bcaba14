/** Everything there is at a version, and what a version does to it. No I/O, no clock: replaying the same versions gives the same state. */
import type { FeedKey, Filling, FillingId } from '../compose/types.ts';
import type { CatalogRule } from './rule.ts';
import { mergeRules } from './rules.ts';
import { type CatalogChange, type CatalogDelta, noChange, type ShadowRecord, shadowId } from './shadow-record.ts';

/** Feeds whose times are known; of more those heard of longest ago are forgotten, and what they fill shows its fallback. */
export const feedsHeardMax = 10_000;

export type Records = Map<string, ShadowRecord>;

export interface CatalogState {
  readonly records: Records;
  readonly fillings: Map<FillingId, Filling>;
  readonly heard: Map<FeedKey, number>;
  rules: readonly CatalogRule[];
}

export function emptyState(): CatalogState {
  return { records: new Map(), fillings: new Map(), heard: new Map(), rules: [] };
}

/** Changes the state as the version says. Returns the records it replaced or removed. */
export function applyDelta(state: CatalogState, delta: Omit<CatalogDelta, 'version'>): ShadowRecord[] {
  const { records, fillings } = state;
  const retired: ShadowRecord[] = [];
  if (delta.full) {
    retired.push(...records.values());
    records.clear();
    fillings.clear();
    state.rules = [];
  }
  for (const id of delta.remove) {
    const old = records.get(id);
    if (!old) continue;
    retired.push(old);
    records.delete(id);
  }
  for (const record of delta.put) {
    const id = shadowId(record);
    const old = records.get(id);
    if (old) retired.push(old);
    records.set(id, record);
  }
  for (const id of delta.unfill) fillings.delete(id);
  for (const filling of delta.fill) fillings.set(filling.id, filling);
  state.rules = mergeRules(state.rules, delta.rules, delta.publishedAtMs);
  hear(state.heard, delta.heard);
  return retired;
}

/** Takes in when feeds were heard; an older word changes nothing. Returns those that were news. */
export function hear(heard: Map<FeedKey, number>, pairs: CatalogChange['heard']): CatalogChange['heard'] {
  const news = pairs.filter(([feed, heardMs]) => heardMs > (heard.get(feed) ?? Number.NEGATIVE_INFINITY));
  for (const [feed, heardMs] of news) {
    heard.delete(feed);
    heard.set(feed, heardMs);
  }
  for (const oldest of heard.keys()) {
    if (heard.size <= feedsHeardMax) break;
    heard.delete(oldest);
  }
  return news;
}

/** The state as one change from nothing. */
export function everythingIn(state: CatalogState): CatalogChange {
  return { ...noChange, put: [...state.records.values()], fill: [...state.fillings.values()], rules: state.rules, heard: [...state.heard] };
}

/**
 * What becomes of an answer that was admitted, fetched or captured alike: its body is written, everybody learns from it (change rate, history, fidelity,
 * discovery), and its record goes to the publisher, or waits for the assets it newly refers to.
 */
import { contentKind, shadowId, type PreviousCopy, type ShadowRecord } from '../catalog/index.ts';
import { headerReader, type HeaderList } from '../http/index.ts';
import type { ResourceKey } from '../kernel/index.ts';
import { appraise, type Answered, type Appraisal } from './appraisal.ts';
import { targetId } from './candidates.ts';
import { likenessOf } from './fidelity.ts';
import type { Workshop } from './workshop.ts';

export interface Admitted {
  /** But for its body. */
  readonly record: Omit<ShadowRecord, 'body' | 'bodyBytes' | 'madeBy' | 'version'>;
  readonly body: Uint8Array;
  readonly previous: ShadowRecord | undefined;
  readonly appraisal: Appraisal;
  readonly how: ShadowRecord['madeBy'];
}

export function appraiseBeside(shop: Workshop, resource: ResourceKey, answer: Answered, previous: ShadowRecord | undefined): Promise<Appraisal> {
  return appraise(answer, {
    dynamics: shop.site.route(resource).dynamics, previous, usual: previous && shop.history.usual(shadowId(previous)), bodyOf: (digest) => shop.blobs.get(digest).catch(() => undefined),
  });
}

/** The copy an answer is judged beside: as long as good copies of it usually are. */
export function asPrevious(shop: Workshop, record: ShadowRecord): PreviousCopy {
  return { status: record.status, bodyBytes: shop.history.usual(shadowId(record))?.bytes ?? record.bodyBytes, contentType: contentTypeOf(record.headers) };
}

export async function accept(shop: Workshop, admitted: Admitted): Promise<void> {
  const { previous, body, how, appraisal } = admitted;
  await shop.publisher.writing(async (put) => {
    const record: ShadowRecord = { ...admitted.record, body: await put(body), bodyBytes: body.length, madeBy: how, version: 0 };
    const refusal = overtakenBy(shop, record);
    if (refusal) {
      shop.tally.refuse(refusal);
      return;
    }
    learn(shop, record, admitted);
    const missing = readReferences(shop, record, admitted).filter((asset) => isMissing(shop, asset));
    const waits = previous !== undefined && !appraisal.same && missing.length > 0;
    if (waits && shop.companions.hold(record, missing, shop.clock.monotonicMs())) return;
    shop.companions.drop(record);
    release(shop, record);
  });
}

/** Lets go of the pages whose assets are there, or that have waited long enough. */
export function releaseCompanions(shop: Workshop): void {
  if (shop.companions.size === 0) return;
  for (const record of shop.companions.settle((asset) => isMissing(shop, asset), shop.clock.monotonicMs())) {
    if (!overtakenBy(shop, record)) release(shop, record);
  }
}

/** What an operator or a write has said since the answer was asked for. */
function overtakenBy({ invalidations, holds, holdings }: Workshop, { resource, requestTimeMs }: ShadowRecord): 'invalidated' | 'held' | undefined {
  if (invalidations.outdates(resource, requestTimeMs)) return 'invalidated';
  return holds.has(resource, holdings.of(resource)) ? 'held' : undefined;
}

function release(shop: Workshop, record: ShadowRecord): void {
  shop.publisher.put(record);
  shop.encoder.offer(record);
}

function learn(shop: Workshop, record: ShadowRecord, { previous, appraisal, how }: Admitted): void {
  const { ledger, history, changes, tally } = shop;
  const id = shadowId(record);
  const target = targetId(record.resource, record.variation);
  if (ledger.get(target)?.suspicion !== undefined) history.forget(id); // a doubt was believed, or was none: what is usual begins anew
  ledger.clear(target);
  changes.observeCopy(record, previous, appraisal.changed);
  noteFidelity(shop, record, previous, appraisal);
  if (appraisal.same) {
    tally.freshened[how]++;
    return;
  }
  tally.admitted[how]++;
  const { words, mainWords } = appraisal.live.text ?? { words: 0, mainWords: 0 };
  history.observe(id, { bytes: record.bodyBytes, words, mainWords });
}

/** The origin's word that a copy is what is live. */
export function noteUnchanged(shop: Workshop, record: ShadowRecord): void {
  noteFidelity(shop, record, record, { changed: false });
}

/** What was served is compared with what is live; a copy whose text can't be had is not. */
function noteFidelity(shop: Workshop, { resource, variation, responseTimeMs }: ShadowRecord, previous: ShadowRecord | undefined, seen: { readonly changed: false } | Appraisal): void {
  if (!previous || !shop.config.generate.fidelity) return;
  const page = { resource, variation, atMs: responseTimeMs };
  const { match } = shop.site.route(resource);
  if (!seen.changed) shop.fidelity.note(match, page, undefined);
  else if (seen.served && (seen.served.text || contentKind(seen.served.contentType) === 'other')) shop.fidelity.note(match, page, likenessOf(seen.served, seen.live));
}

/** Offers what a new body refers to for discovery; gives the site's own assets among it. */
function readReferences(shop: Workshop, record: ShadowRecord, { appraisal, body, how }: Admitted): readonly ResourceKey[] {
  if (appraisal.same || record.status !== 200 || !shop.config.generate.discover) return [];
  // What is only linked to brings its own assets, but no further links: else a calendar is an endless site.
  const links = shop.frontier.get(record.resource)?.source !== 'link' || how === 'capture';
  return shop.discoverer.readDocument(record.resource, record.headers, body, links);
}

/** Whether there is no copy of it, and could be one: it is known, allowed, and has not been refused lately. */
function isMissing({ holdings, frontier, discoverer, site, ledger, clock }: Workshop, asset: ResourceKey): boolean {
  if (holdings.of(asset).length > 0 || frontier.get(asset) === undefined || !discoverer.allows(asset)) return false;
  const nowMs = clock.nowMs();
  return site.variations(asset, []).some(({ variation }) => ledger.mayTry(targetId(asset, variation), nowMs));
}

function contentTypeOf(headers: HeaderList): string {
  return headerReader(headers).get('content-type') ?? '';
}

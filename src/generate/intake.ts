/**
 * What edges report: captured answers, of which those that add something become durable, and invalidations.
 * A capture costs the origin nothing, so it is always preferred to a fetch; but storing every passing answer anew would wear
 * out volumes and catalog, so an unchanged one renews its copy only when that is older than a quarter of the freshness target.
 */
import { shadowId, type ShadowRecord } from '../catalog/shadow-record.ts';
import { storableFields, type RefusedAnswer } from '../http/index.ts';
import { messageOf, type BlobDigest, type ResourceKey } from '../kernel/index.ts';
import { accept, appraiseBeside, asPrevious } from './accept.ts';
import { judge } from './admission.ts';
import { targetId } from './candidates.ts';
import type { Refusal } from './refusals.ts';
import type { Schedule } from './schedule.ts';
import type { Workshop } from './workshop.ts';

/** Part of `freshness.target` after which an unchanged copy is renewed by a capture. */
const renewAfterPart = 0.25;
export type BodyOf = (digest: BlobDigest) => Uint8Array | undefined;

/** Captures waiting to be considered; beyond, the newest are dropped: they pass again. */
const capturesMax = 20_000;
const capturesAtOnce = 16;
/** Resources remembered as renewed by passing requests. */
const seenMax = 100_000;

/** Considers one captured answer. */
async function takeCapture(shop: Workshop, bodyOf: BodyOf, captured: ShadowRecord): Promise<void> {
  shop.tally.offered++;
  const previous = shop.holdings.get(shadowId(captured), captured.resource);
  if (!addsSomething(shop, captured, previous)) return;
  const refusal = await keep(shop, bodyOf, captured, previous);
  if (refusal) shop.tally.refuse(refusal);
}

function addsSomething(shop: Workshop, captured: ShadowRecord, previous: ShadowRecord | undefined): boolean {
  if (shop.site.route(captured.resource).policy === 'never' || !shop.site.isVariation(captured.resource, captured.variation)) return false;
  if (!previous) return true;
  if (captured.responseTimeMs <= previous.responseTimeMs) return false;
  return captured.body !== previous.body || captured.responseTimeMs - previous.responseTimeMs > shop.config.freshness.targetMs * renewAfterPart;
}

async function keep(shop: Workshop, bodyOf: BodyOf, captured: ShadowRecord, previous: ShadowRecord | undefined): Promise<Refusal | undefined> {
  if (shop.holds.has(captured.resource, shop.holdings.of(captured.resource))) return 'held';
  if (shop.invalidations.outdates(captured.resource, captured.requestTimeMs)) return 'invalidated';
  const body = bodyOf(captured.body);
  if (!body) return 'missing-body';
  const id = targetId(captured.resource, captured.variation);
  const nowMs = shop.clock.nowMs();
  const appraisal = await appraiseBeside(shop, captured.resource, { ...captured, body }, previous);
  const verdict = judge({
    // The edge has seen the answer whole and has judged the request, which it alone knows.
    candidate: { ...captured, body, framed: true, mayBeEncoded: true, requestHeaders: [] }, textDoubt: appraisal.doubt,
    policy: shop.site.route(captured.resource).policy, previous: previous && asPrevious(shop, previous), suspicion: shop.ledger.get(id)?.suspicion, nowMs,
  });
  if (verdict.kind === 'refuse') {
    // A doubt raised by passing answers counts like one of our own, but never shortens anybody's wait.
    if (shop.ledger.mayTry(id, nowMs)) shop.ledger.refused(id, verdict.reason, verdict.suspicion, nowMs);
    return verdict.reason;
  }
  if (verdict.kind === 'remove') {
    if (previous) shop.publisher.remove(previous);
    shop.tally.removed++;
    return undefined;
  }
  try {
    // The edge has left out what is not to be stored; nobody's word is taken for that.
    await accept(shop, { record: { ...captured, headers: storableFields(captured.headers) }, body, previous, appraisal, how: 'capture' });
    return undefined;
  } catch (error) {
    shop.log.error('copy-not-kept', { resource: captured.resource, problem: messageOf(error) });
    return 'storage-full';
  }
}

/** A passing answer's word that there is to be no copy spares the origin the question, for a while: as long as there is none. */
export function takeRefusal(shop: Workshop, { resource, variation, reason }: RefusedAnswer): void {
  const { holdings, ledger, site, clock } = shop;
  if (!site.isVariation(resource, variation) || holdings.variation(resource, variation).length > 0) return;
  // The same answer may be good enough for a route that keeps whatever the headers say.
  if (reason !== 'set-cookie' && reason !== 'vary-star' && site.route(resource).policy === 'always') return;
  ledger.advised(targetId(resource, variation), reason, clock.nowMs());
}

/** Takes wrong copies out at once; they are made anew before anything else. */
export function takeInvalidation(shop: Workshop, resources: readonly ResourceKey[]): void {
  const nowMs = shop.clock.nowMs();
  for (const resource of resources) {
    if (shop.holds.has(resource, shop.holdings.of(resource))) continue;
    shop.invalidations.add(resource, nowMs);
    for (const record of shop.holdings.of(resource).slice()) {
      shop.publisher.remove(record);
      shop.companions.drop(record);
      shop.history.forget(shadowId(record));
      shop.ledger.clear(targetId(resource, record.variation));
      shop.tally.removed++;
    }
  }
}

/** Captures waiting for their turn, and which resources passing requests renew by themselves. Both bounded. */
export class CaptureQueue {
  readonly #shop: Workshop;
  readonly #bodyOf: BodyOf;
  readonly #schedule: Schedule;
  /** The longest not seen is first. */
  readonly #seen: Set<ResourceKey>;
  #waiting: ShadowRecord[] = [];
  #dropped = 0;
  #draining = false;

  constructor(shop: Workshop, bodyOf: BodyOf, schedule: Schedule, seen: Iterable<ResourceKey>) {
    this.#seen = new Set(seen);
    this.#shop = shop;
    this.#bodyOf = bodyOf;
    this.#schedule = schedule;
  }

  get seen(): ReadonlySet<ResourceKey> {
    return this.#seen;
  }

  /** Captures that were not considered because too many waited. */
  get dropped(): number {
    return this.#dropped;
  }

  offer(records: readonly ShadowRecord[]): void {
    for (const record of records) {
      this.#note(record.resource);
      if (this.#waiting.length < capturesMax) this.#waiting.push(record);
      else this.#dropped++;
    }
    if (!this.#draining) this.#schedule.track(() => this.#drain());
  }

  #note(resource: ResourceKey): void {
    this.#seen.delete(resource);
    this.#seen.add(resource);
    if (this.#seen.size <= seenMax) return;
    const oldest = this.#seen.values().next();
    if (!oldest.done) this.#seen.delete(oldest.value);
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.splice(0, capturesAtOnce);
        await Promise.all(batch.map((record) => takeCapture(this.#shop, this.#bodyOf, record)));
      }
    } finally {
      this.#draining = false;
    }
  }
}

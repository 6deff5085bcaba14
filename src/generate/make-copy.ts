/**
 * One fetch from beginning to end: ask the origin for one variation (conditionally where a copy exists), judge the answer,
 * and hand a new, a freshened or a removed copy to the publisher; or note the refusal. Never throws for what an origin does.
 */
import { shadowId, type ShadowRecord } from '../catalog/index.ts';
import { heedSurrogateControl } from '../compose/esi/index.ts';
import { headerReader, shadowRefusal, storableFields, updateStored, validationFields, variedHeaders, varyValues, type HeaderList, type VaryValues } from '../http/index.ts';
import { messageOf, type ResourceKey, type VariationKey } from '../kernel/index.ts';
import { accept, appraiseBeside, asPrevious, noteUnchanged } from './accept.ts';
import { judge } from './admission.ts';
import type { Kind } from './budget.ts';
import { targetId } from './candidates.ts';
import type { FetchAnswer, FetchFailure, Fetcher } from './fetch.ts';
import type { Refusal } from './refusals.ts';
import type { Workshop } from './workshop.ts';

export interface Job {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  /** Values of undeclared headers the copy to renew was made for; empty for a first copy. */
  readonly varied: VaryValues;
  readonly kind: Kind;
  /** Asked without the copy's validators: it is to be compared with what is live, whatever the origin's word is worth. */
  readonly afresh?: boolean;
}

/** What the budget is told: see `Budget.finish`. */
export type OriginWord = { readonly latencyMs: number } | 'failed' | undefined;

const failureReasons: Readonly<Record<FetchFailure, Refusal>> = {
  refused: 'origin-refused', timeout: 'origin-timeout', cut: 'origin-cut', 'too-large': 'too-large', aborted: 'aborted',
};

export async function makeCopy(shop: Workshop, fetcher: Fetcher, job: Job, signal: AbortSignal): Promise<OriginWord> {
  const { holdings, site, tally } = shop;
  const previous = holdings.get(shadowId({ ...job, vary: job.varied }), job.resource);
  const target = site.target(job.resource, job.variation, job.varied);
  const conditions = previous && !job.afresh ? validationFields(headerReader(previous.headers)) : [];
  tally.fetched++;
  const result = await fetcher({
    path: target.path, host: target.host, headers: [...target.headers, ...conditions], bytesMax: shop.config.limits.generateBytes, signal,
  });
  if (result.kind === 'failed') {
    refuse(shop, job, failureReasons[result.failure]);
    if (result.failure === 'aborted') return undefined;
    return result.failure === 'too-large' ? { latencyMs: result.latencyMs } : 'failed';
  }
  try {
    await take(shop, job, previous, site.route(job.resource).dynamics.esi ? { ...result, headers: heedSurrogateControl(result.headers) } : result);
  } catch (error) {
    shop.log.error('copy-not-kept', { resource: job.resource, problem: messageOf(error) });
    refuse(shop, job, 'storage-full');
  }
  return result.status >= 500 || result.status === 429 ? 'failed' : { latencyMs: result.latencyMs };
}

async function take(shop: Workshop, job: Job, previous: ShadowRecord | undefined, answer: FetchAnswer): Promise<void> {
  if (shop.invalidations.outdates(job.resource, answer.requestTimeMs)) {
    refuse(shop, job, 'invalidated');
    return;
  }
  if (answer.status === 304 && previous) {
    freshen(shop, job, previous, answer);
    return;
  }
  const id = targetId(job.resource, job.variation);
  const nowMs = shop.clock.nowMs();
  const policy = shop.site.route(job.resource).policy;
  if (answer.status >= 300 && answer.status < 400 && shop.site.leadsToItself(job.resource, headerReader(answer.headers).get('location'))) {
    refuse(shop, job, 'self-redirect');
    return;
  }
  const appraisal = await appraiseBeside(shop, job.resource, answer, previous);
  const verdict = judge({
    candidate: { ...answer, mayBeEncoded: false }, policy, previous: previous && asPrevious(shop, previous), textDoubt: appraisal.doubt,
    suspicion: shop.ledger.get(id)?.suspicion, nowMs,
  });
  if (verdict.kind === 'refuse') {
    // A discovery that leads nowhere makes room for others.
    if (verdict.reason === 'status' && answer.status >= 400 && !previous) shop.frontier.forget(job.resource);
    refuse(shop, job, verdict.reason, verdict.suspicion);
    return;
  }
  if (verdict.kind === 'remove') {
    if (previous) shop.publisher.remove(previous);
    shop.tally.removed++;
    shop.ledger.refused(id, 'status', undefined, nowMs);
    return;
  }
  const headers = storableFields(answer.headers);
  const record = {
    resource: job.resource, variation: job.variation, vary: varyOf(shop, job.resource, headers, answer.requestHeaders),
    status: answer.status, headers, requestTimeMs: answer.requestTimeMs, responseTimeMs: answer.responseTimeMs,
  };
  await accept(shop, { record, body: answer.body, previous, appraisal, how: 'generate' });
}

function freshen(shop: Workshop, job: Job, previous: ShadowRecord, answer: FetchAnswer): void {
  const headers = updateStored(previous.headers, storableFields(answer.headers));
  const refusal = shadowRefusal({
    method: 'GET', request: headerReader(answer.requestHeaders), status: previous.status, response: headerReader(headers),
    responseTimeMs: answer.responseTimeMs, otherCookies: false,
  }, shop.site.route(job.resource).policy);
  if (refusal) {
    refuse(shop, job, refusal);
    return;
  }
  if (shop.holdings.get(shadowId(previous), previous.resource)?.body !== previous.body) return; // overtaken by a capture or a removal
  shop.changes.observe(job.resource, answer.responseTimeMs - previous.responseTimeMs, false);
  const renewed: ShadowRecord = { ...previous, headers, requestTimeMs: answer.requestTimeMs, responseTimeMs: answer.responseTimeMs, madeBy: 'generate', version: 0 };
  shop.companions.drop(renewed);
  shop.publisher.put(renewed);
  shop.encoder.offer(renewed);
  noteUnchanged(shop, renewed);
  shop.ledger.clear(targetId(job.resource, job.variation));
  shop.tally.freshened.generate++;
}

function refuse(shop: Workshop, job: Job, reason: Refusal, suspicion = shop.ledger.get(targetId(job.resource, job.variation))?.suspicion): void {
  shop.tally.refuse(reason);
  shop.ledger.refused(targetId(job.resource, job.variation), reason, suspicion, shop.clock.nowMs());
  shop.log.debug('copy-refused', { resource: job.resource, variation: job.variation, reason });
}

/**
 * The undeclared headers the answer varies on. Accept-Encoding is left out: generated bodies are not encoded, and those suit everybody.
 */
function varyOf(shop: Workshop, resource: ResourceKey, headers: HeaderList, requestHeaders: HeaderList): VaryValues {
  const { standIns } = shop.site.route(resource);
  const names = variedHeaders(headerReader(headers).get('vary'), standIns).filter((name) => name !== 'accept-encoding');
  return varyValues(names, headerReader(requestHeaders));
}

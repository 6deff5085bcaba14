/**
 * The operator's eye and hand on shadows: lists and shows them with their slots and versions, and carries out orders (purge, go back). Every order becomes
 * part of a published version, so that it reaches every edge, survives restarts and can be looked up; a dry run tells what an order would hit.
 */
import { shadowId, tagsOf, type Catalog, type CatalogRule, type RuleTarget, type ShadowRecord } from '../../catalog/index.ts';
import { compileSlots, type FeedKey } from '../../compose/index.ts';
import { compilePattern, headerReader, parseVariation, resourceTarget } from '../../http/index.ts';
import { ForeshadowError, type ResourceKey } from '../../kernel/index.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import { targetId } from '../candidates.ts';
import type { Workshop } from '../workshop.ts';
import { compareStates } from './comparison.ts';
import { ageS, hitBy, listShadows } from './listing.ts';
import type { CopyView, DiffView, OrderResult, PurgeOrder, RollbackOrder, ShadowDetail, ShadowPage, ShadowQuery, SlotView, VersionView } from './views.ts';

/** What is looked at beyond the newest version. */
export type Archive = Pick<Catalog, 'head' | 'versions' | 'stateAt' | 'rollback' | 'filling' | 'rules' | 'history'>;

export interface CuratorParts {
  readonly shop: Workshop;
  readonly archive: Archive;
  readonly blobs: Pick<BlobStore, 'get'>;
  /** People's requests a minute that are expected. */
  readonly perMinute: (resource: ResourceKey) => number;
  readonly heardMs: (feed: FeedKey) => number | undefined;
}

const examplesMax = 20;
const textCharactersMax = 2000;

export class Curator {
  readonly #parts: CuratorParts;

  constructor(parts: CuratorParts) {
    this.#parts = parts;
  }

  list(query: ShadowQuery): ShadowPage {
    const { shop, archive, perMinute } = this.#parts;
    return listShadows({
      version: archive.head(), byResource: shop.holdings.byResource(), perMinute, nowMs: shop.clock.nowMs(),
      slotsOf: (resource) => shop.site.routeConfig(resource)?.slots.map(({ name }) => name) ?? [],
    }, query);
  }

  /** The resource that a person names; throws `usage` where it is not the site's. */
  named(name: string): ResourceKey {
    return this.#resource(name);
  }

  async show(name: string, version: number | undefined): Promise<ShadowDetail | undefined> {
    const { shop, perMinute } = this.#parts;
    const resource = this.#resource(name);
    const records = await this.#records(resource, version);
    if (records.length === 0) return undefined;
    return {
      resource, route: shop.site.routeConfig(resource)?.match, perMinute: perMinute(resource), heldUntilMs: this.#heldUntilMs(resource),
      copies: records.map((record) => this.#copyView(record)).sort((a, b) => (a.variation < b.variation ? -1 : 1)),
    };
  }

  async body(name: string, variation: string | undefined, version: number | undefined): Promise<{ bytes: Uint8Array; contentType: string } | undefined> {
    const records = await this.#records(this.#resource(name), version);
    const record = variation === undefined ? records[0] : records.find((one) => one.variation === variation);
    const bytes = record && await this.#parts.blobs.get(record.body);
    return bytes && { bytes, contentType: headerReader(record.headers).get('content-type') ?? '' };
  }

  async versions(name: string | undefined): Promise<readonly VersionView[]> {
    const { archive } = this.#parts;
    return name === undefined ? archive.versions() : archive.history(this.#resource(name));
  }

  async diff(from: number, to: number, limit: number): Promise<DiffView> {
    const { archive } = this.#parts;
    return compareStates(from, await archive.stateAt(from), to, await archive.stateAt(to), limit);
  }

  /** Throws `usage` for what is not the site's, and when it could not be published. */
  async purge(order: PurgeOrder): Promise<OrderResult> {
    const { shop } = this.#parts;
    const targets = this.#targets(order);
    const hit = hitBy(targets, shop.holdings.all());
    if (order.dryRun) return this.#result(targets, hit, true);
    const nowMs = shop.clock.nowMs();
    for (const record of hit) {
      shop.invalidations.add(record.resource, nowMs);
      shop.ledger.clear(targetId(record.resource, record.variation));
      if (!order.soft) shop.publisher.remove(record);
    }
    // Copies that only an edge has are bound by the rule for as long as they could be served.
    const untilMs = nowMs + shop.config.freshness.serveStaleForMs;
    shop.publisher.announce(targets.map((target): CatalogRule => ({ version: 0, atMs: nowMs, target, effect: order.soft ? 'soft-purge' : 'purge', untilMs })));
    await this.#publish();
    return this.#result(targets, hit, false);
  }

  async rollback(order: RollbackOrder): Promise<OrderResult> {
    const { shop, archive } = this.#parts;
    const resources = new Set(order.urls.map((name) => this.#resource(name)));
    const targets: RuleTarget[] = resources.size === 0 ? [{ kind: 'site' }] : [...resources].map((resource) => ({ kind: 'resource', resource }));
    const then = (await archive.stateAt(order.to)).records;
    const differs = hitBy(targets, then.values()).filter((record) => shop.holdings.get(shadowId(record), record.resource)?.body !== record.body);
    const added = hitBy(targets, shop.holdings.all()).filter((record) => !then.has(shadowId(record)));
    if (order.dryRun) return this.#result(targets, [...differs, ...added], true);
    await shop.publisher.goBack((base) => archive.rollback(base, order.to, {
      ...(resources.size > 0 && { only: (resource: ResourceKey) => resources.has(resource) }),
      ...(order.holdMs > 0 && { hold: { untilMs: shop.clock.nowMs() + order.holdMs } }),
    }));
    return this.#result(targets, [...differs, ...added], false);
  }

  /** Makes these anew before anything else; their copies stay until then. */
  run(names: readonly string[]): { resources: string[]; refused: string[] } {
    const { shop } = this.#parts;
    const resources: string[] = [];
    const refused: string[] = [];
    for (const name of names) {
      const resource = shop.site.named(name);
      if (resource === undefined) refused.push(name);
      else {
        resources.push(resource);
        for (const { variation } of shop.site.variations(resource, [])) shop.ledger.clear(targetId(resource, variation));
        shop.invalidations.add(resource, shop.clock.nowMs());
        if (shop.holdings.of(resource).length === 0) shop.frontier.offer({ resource, source: 'sitemap', priority: 1, parent: undefined, changedMs: undefined });
      }
    }
    return { resources, refused };
  }

  async #publish(): Promise<void> {
    const { publisher } = this.#parts.shop;
    const failures = publisher.failures;
    await publisher.publish();
    if (publisher.failures === failures) return;
    throw new ForeshadowError('storage-failed', {
      source: 'storage', retry: true, message: 'the order is noted but no volume took the version that carries it', hint: 'it goes with the next version; look at the volumes',
    });
  }

  #result(targets: readonly RuleTarget[], hit: readonly ShadowRecord[], dryRun: boolean): OrderResult {
    const resources = [...new Set(hit.map(({ resource }) => resource))].sort();
    return { version: this.#parts.archive.head(), targets, resources: resources.length, copies: hit.length, examples: resources.slice(0, examplesMax), dryRun };
  }

  #targets({ urls, patterns, tags, all }: PurgeOrder): RuleTarget[] {
    for (const pattern of patterns) {
      const compiled = compilePattern(pattern);
      if (!compiled.ok) throw misuse(`the pattern ${pattern} ${compiled.problem}`, 'write it like /products/** or /static/*.css');
    }
    const targets: RuleTarget[] = [
      ...urls.map((name): RuleTarget => ({ kind: 'resource', resource: this.#resource(name) })),
      ...patterns.map((pattern): RuleTarget => ({ kind: 'pattern', pattern })),
      ...tags.map((tag): RuleTarget => ({ kind: 'tag', tag })),
      ...(all ? [{ kind: 'site' } as const] : []),
    ];
    if (targets.length === 0) throw misuse('names nothing to purge', 'name urls, patterns, tags or all');
    return targets;
  }

  #resource(name: string): ResourceKey {
    const resource = this.#parts.shop.site.named(name);
    if (resource === undefined) throw misuse(`${name} is not a URL of the site`, 'write the whole URL, or a path that starts with /');
    return resource;
  }

  async #records(resource: ResourceKey, version: number | undefined): Promise<readonly ShadowRecord[]> {
    const { shop, archive } = this.#parts;
    if (version === undefined) return shop.holdings.of(resource);
    return hitBy([{ kind: 'resource', resource }], (await archive.stateAt(version)).records.values());
  }

  #heldUntilMs(resource: ResourceKey): number | undefined {
    const nowMs = this.#parts.shop.clock.nowMs();
    const holds = this.#parts.archive.rules().filter(({ effect, target, untilMs }) =>
      effect === 'hold' && untilMs > nowMs && (target.kind === 'site' || (target.kind === 'resource' && target.resource === resource)));
    return holds.length === 0 ? undefined : Math.max(...holds.map(({ untilMs }) => untilMs));
  }

  #copyView(record: ShadowRecord): CopyView {
    return {
      variation: record.variation, vary: Object.fromEntries(record.vary), status: record.status, headers: record.headers, body: record.body, bytes: record.bodyBytes,
      madeAtMs: record.responseTimeMs, ageS: ageS(this.#parts.shop.clock.nowMs(), record.responseTimeMs), madeBy: record.madeBy, version: record.version,
      codings: (record.codings ?? []).map(({ coding, bodyBytes }) => ({ coding, bytes: bodyBytes })), tags: tagsOf(record.headers), slots: this.#slotViews(record),
    };
  }

  #slotViews(record: ShadowRecord): SlotView[] {
    const { shop, archive, heardMs } = this.#parts;
    const route = shop.site.routeConfig(record.resource);
    const [path = ''] = resourceTarget(record.resource).target.split('?', 1);
    const values = new Map(parseVariation(record.variation));
    const valueOf = (name: string): string => values.get(name) ?? shop.config.dimensions.find((dimension) => dimension.name === name)?.fallback ?? '';
    return (route ? compileSlots(route, shop.config.feeds) : []).map((slot) => {
      const filling = archive.filling(slot.fillingId(path, valueOf));
      const heard = filling && heardMs(filling.feed);
      const heardAgeS = heard === undefined ? undefined : ageS(shop.clock.nowMs(), heard);
      const live = filling !== undefined && filling.versions.length > 0 && heard !== undefined && heard + filling.maxAgeMs > shop.clock.nowMs();
      return {
        slot: slot.config.name, feed: slot.feedKey(valueOf), filling: slot.fillingId(path, valueOf), state: live ? 'live' : filling ? 'too-old' : 'missing',
        heardAgeS, maxAgeS: Math.round(slot.feed.maxAgeMs / 1000), texts: (filling?.versions ?? []).map(({ text }) => text.slice(0, textCharactersMax)), fallback: filling?.fallback,
      };
    });
  }
}

function misuse(message: string, hint: string): ForeshadowError {
  return new ForeshadowError('usage', { source: 'client', message, hint });
}

/**
 * What the edge would decide for a request, step by step, without sending it: the same identification, look-up and decision as
 * on the serving path, over records that are given.
 */
import type { ShadowRecord } from '../catalog/index.ts';
import { chooseFilling, parseProfile, type FeedKey, type Filling } from '../compose/index.ts';
import type { Config } from '../config/index.ts';
import { compileTrustedProxies, normalisePath, parseVariation, resourceTarget } from '../http/index.ts';
import type { BlobDigest, RegionName } from '../kernel/index.ts';
import { decide, type Decision, type OriginState, type Standing } from '../route/index.ts';
import { Copies, type CopySource } from './copies.ts';
import { identify } from './identify.ts';
import { lookUp } from './lookup.ts';
import { Peers } from './peers.ts';
import { SiteRules } from './site-rules.ts';
import { Visit, type RefusalReason } from './visit.ts';

export interface Explanation {
  readonly region: RegionName;
  readonly refused: RefusalReason | undefined;
  readonly resource?: string;
  /** The declared route's pattern; undefined where none matches. */
  readonly route?: string | undefined;
  readonly shadowPolicy?: string;
  readonly cachePolicy?: string;
  readonly variation?: string;
  /** The copy that would be used. */
  readonly copy?: {
    readonly use: string;
    readonly variation: string;
    readonly version: number;
    readonly status: number;
    readonly ageS: number;
    readonly freshForS: number;
  } | undefined;
  readonly variationsAtHand?: readonly string[];
  /** What each declared slot of the page would show, where the page has it. */
  readonly slots?: readonly ExplainedSlot[];
  readonly originState: OriginState;
  readonly decision?: Decision;
}

export interface ExplainedSlot {
  readonly slot: string;
  readonly filling: string;
  readonly feed: string;
  /** The feed's value, the slot's fallback, or what the origin's page has there. */
  readonly shows: 'version' | 'fallback' | 'origin';
  /** Of several versions, which. */
  readonly version?: number;
  /** How long ago the feed was last heard; undefined where it never was. */
  readonly heardS: number | undefined;
}

export interface ExplainedRequest {
  readonly request: Request;
  readonly region: RegionName;
  readonly originState: 'healthy' | 'failing' | 'down';
  readonly records: readonly ShadowRecord[];
  readonly fillings: readonly Filling[];
  readonly heard: Iterable<readonly [feed: FeedKey, heardMs: number]>;
  readonly nowMs: number;
}

export function explainRequest(config: Config, asked: ExplainedRequest): Explanation {
  const { region, originState, nowMs } = asked;
  const site = new SiteRules(config);
  const entrance = { region, proto: 'http', peerOf: () => '127.0.0.1' } as const;
  const visit = identify(asked.request, entrance, { site, peers: new Peers(compileTrustedProxies(config.trustedProxies)), siteName: config.site, limits: config.limits });
  if (!(visit instanceof Visit)) return { region, originState, refused: visit };
  const source = sourceOf(asked.records);
  const copies = new Copies(source, config.limits);
  lookUp(visit, { copies, serveStaleForMs: config.freshness.serveStaleForMs, decodes: () => true }, nowMs);
  const { found } = visit;
  return {
    region, originState, refused: undefined,
    resource: visit.resource,
    route: config.routes[visit.rules.index]?.match,
    shadowPolicy: visit.rules.shadow, cachePolicy: visit.rules.cache,
    variation: visit.variation,
    copy: found && {
      use: visit.copy, variation: found.record.variation, version: found.record.version, status: found.record.status,
      ageS: Math.round((nowMs - found.freshness.bornMs) / 1000), freshForS: Math.round((found.freshness.freshUntilMs - nowMs) / 1000),
    },
    variationsAtHand: source.variations(visit.resource),
    slots: slotsOf(visit, asked),
    decision: decide(visit, standing(originState)),
  };
}

function slotsOf(visit: Visit, { fillings, heard, nowMs }: ExplainedRequest): ExplainedSlot[] {
  const { rules, resource, found } = visit;
  const point = new Map(parseVariation(found?.record.variation ?? visit.variation));
  const path = normalisePath(resourceTarget(resource).target.split('?', 1)[0] ?? '');
  const lastHeard = new Map(heard);
  return rules.dynamics.slots.map((slot) => {
    const id = slot.fillingId(path, (name) => point.get(name) ?? rules.value(name, visit));
    const filling = fillings.find((known) => known.id === id);
    const heardMs = filling && lastHeard.get(filling.feed);
    const profile = slot.config.profile === undefined ? undefined : parseProfile(rules.profile(slot.config.profile, visit));
    const choice = chooseFilling(filling, heardMs, profile, nowMs);
    return {
      slot: slot.config.name, filling: id, feed: slot.config.feed, shows: choice.kind, heardS: heardMs === undefined ? undefined : Math.round((nowMs - heardMs) / 1000),
      ...(choice.kind === 'version' && slot.config.variations > 1 && { version: choice.index }),
    };
  });
}

/** How an origin stands that is in this state and has room; what a trial or a wait would change is not asked. */
function standing(state: 'healthy' | 'failing' | 'down'): Standing {
  return { state, onOriginSide: state === 'healthy', slotForCovered: true, slotForUncovered: true, trialDue: false, rescueAfterMs: 0 };
}

/** Records without bodies: enough to decide. */
function sourceOf(records: readonly ShadowRecord[]): CopySource {
  const known = new Set<BlobDigest>(records.map((record) => record.body));
  return {
    records: (resource, variation) => records.filter((record) => record.resource === resource && record.variation === variation),
    variations: (resource) => [...new Set(records.filter((record) => record.resource === resource).map((record) => record.variation))],
    body: (digest) => (known.has(digest) ? new Uint8Array() : undefined),
    hasBody: (digest) => known.has(digest),
    put: () => Promise.resolve(),
    remove: () => Promise.resolve(),
  };
}

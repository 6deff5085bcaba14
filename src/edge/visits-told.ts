/**
 * What visits tell the brain: how often each resource was asked for and by whom (`DemandCounter`), and who follows whom among resources (`Journeys`). Visitors are told
 * apart by a hash of address and browser under a key that is made when the process starts and never leaves it; neither hash nor address is written anywhere, and none
 * goes to the brain.
 */
import { classifyDemand, DemandCounter, isCrawler } from '../demand/index.ts';
import type { DemandWindow } from '../demand/index.ts';
import { Journeys } from '../demand/journeys.ts';
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import type { SiteRules } from './site-rules.ts';
import type { Visit } from './visit.ts';

const userAgentsMax = 4_096;
/** A longer Referer is left aside. */
export const refererCharactersMax = 2_048;

interface Agent {
  readonly crawler: boolean;
  readonly hash: number;
}

export class VisitsTold {
  readonly #counter: DemandCounter;
  readonly #journeys = new Journeys();
  readonly #key = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  readonly #agents = new Map<string, Agent>();

  constructor(keysMax: number) {
    this.#counter = new DemandCounter(keysMax);
  }

  /** Takes a GET or HEAD. `good`: it was answered with something; `whole`: it is the visitor's own request, not one for a part of a page. */
  take(visit: Visit, region: RegionName, answered: { readonly good: boolean; readonly whole: boolean }, site: SiteRules): void {
    const agent = this.#agentOf(visit.get('user-agent') ?? '');
    const kind = visit.calledOurs ? 'generated' : classifyDemand(visit, agent.crawler);
    this.#counter.count(visit.resource, visit.variation, region, kind, answered.good);
    if (kind !== 'person' || !answered.good || !answered.whole) return;
    const { client } = visit;
    // Who has gone before it was answered has no address any more, and would be taken for one with all others.
    if (client === 'unknown') return;
    this.#journeys.note(Bun.hash.xxHash32(client, agent.hash), visit.resource, region, Date.now(), refererOf(visit, site));
  }

  /** Everything since the last call. */
  window(fromMs: number, toMs: number): DemandWindow {
    return { ...this.#counter.take(fromMs, toMs), ...this.#journeys.take(toMs) };
  }

  /** What is known of a browser's name, which is long and the same for many. */
  #agentOf(name: string): Agent {
    const known = this.#agents.get(name);
    if (known) return known;
    if (this.#agents.size >= userAgentsMax) this.#agents.clear();
    const agent = { crawler: isCrawler(name), hash: Bun.hash.xxHash32(name, this.#key) };
    this.#agents.set(name, agent);
    return agent;
  }
}

/** The page of this host that the browser came from. */
function refererOf(visit: Visit, site: SiteRules): ResourceKey | undefined {
  const referer = visit.get('referer');
  if (referer === null || visit.host === '' || referer.length > refererCharactersMax) return undefined;
  const hostAt = referer.indexOf('://') + 3;
  const pathAt = referer.indexOf('/', hostAt);
  if (hostAt < 3 || pathAt < 0 || referer.slice(hostAt, pathAt).toLowerCase() !== visit.host) return undefined;
  return site.resolve(referer.slice(pathAt), visit.host).resource;
}

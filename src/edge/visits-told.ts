/**
 * What visits tell the brain: how often each resource was asked for and by whom (`DemandCounter`), and who follows whom among resources (`Journeys`). Visitors are told
 * apart by a hash of address and browser under a key that is made when the process starts and never leaves it; neither hash nor address is written anywhere, and none
 * goes to the brain.
 */
import { classifyDemand, DemandCounter, isCrawler, Journeys } from '../demand/index.ts';
import type { DemandWindow } from '../demand/index.ts';
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import type { SiteRules } from './site-rules.ts';
import type { Visit } from './visit.ts';

const userAgentsMax = 4_096;
/** Visits a second whose journeys are followed, about; of more, only those by some browsers, which stand for the others. An address costs a system call: with all of them
 * followed, an answer from memory took 3 µs more of 24. */
export const followedPerSecondMax = 1_000;
/** Part of all browsers' names below which it does not get. */
const shareMin = 2 ** -12;
const hashes = 2 ** 32;
/** A longer Referer is left aside. */
export const refererCharactersMax = 2_048;

type ToldVisit = Pick<Visit, 'get' | 'client' | 'host' | 'resource' | 'variation' | 'calledOurs'>;

interface Agent {
  readonly crawler: boolean;
  readonly hash: number;
}

export class VisitsTold {
  readonly #counter: DemandCounter;
  readonly #journeys = new Journeys();
  readonly #key = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  readonly #agents = new Map<string, Agent>();
  /** Part of the browsers' names whose visitors are followed. */
  #share = 1;
  #seen = 0;
  #followed = 0;

  constructor(keysMax: number) {
    this.#counter = new DemandCounter(keysMax);
  }

  /** Takes a GET or HEAD. `good`: it was answered with something; `whole`: it is the visitor's own request, not one for a part of a page. */
  take(visit: ToldVisit, region: RegionName, answered: { readonly good: boolean; readonly whole: boolean }, site: Pick<SiteRules, 'resolve'>): void {
    const agent = this.#agentOf(visit.get('user-agent') ?? '');
    const kind = visit.calledOurs ? 'generated' : classifyDemand(visit, agent.crawler);
    this.#counter.count(visit.resource, visit.variation, region, kind, answered.good);
    if (kind !== 'person' || !answered.good || !answered.whole) return;
    this.#seen++;
    if (agent.hash >= this.#share * hashes) return;
    this.#followed++;
    const { client } = visit;
    // Who has gone before it was answered has no address any more, and would be taken for one with all others.
    if (client === 'unknown') return;
    this.#journeys.note(Bun.hash.xxHash32(client, agent.hash), visit.resource, region, Date.now(), refererOf(visit, site));
  }

  /** Everything since the last call. */
  window(fromMs: number, toMs: number): DemandWindow {
    const told = this.#journeys.take(toMs);
    const scale = this.#seen / Math.max(1, this.#followed);
    this.#adjust(Math.max(0.1, (toMs - fromMs) / 1000));
    return { ...this.#counter.take(fromMs, toMs), ...told, steps: scale === 1 ? told.steps : told.steps.map((step) => ({ ...step, count: step.count * scale })) };
  }

  #adjust(seconds: number): void {
    const perSecond = this.#followed / seconds;
    if (perSecond > followedPerSecondMax) this.#share = Math.max(shareMin, this.#share / 2);
    else if (this.#share < 1 && (this.#seen / seconds) * this.#share < followedPerSecondMax / 4) this.#share *= 2;
    this.#seen = this.#followed = 0;
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
function refererOf(visit: ToldVisit, site: Pick<SiteRules, 'resolve'>): ResourceKey | undefined {
  const referer = visit.get('referer');
  if (referer === null || visit.host === '' || referer.length > refererCharactersMax) return undefined;
  const hostAt = referer.indexOf('://') + 3;
  const pathAt = referer.indexOf('/', hostAt);
  if (hostAt < 3 || pathAt < 0 || referer.slice(hostAt, pathAt).toLowerCase() !== visit.host) return undefined;
  return site.resolve(referer.slice(pathAt), visit.host).resource;
}

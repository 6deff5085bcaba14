/**
 * One edge process: listeners of its regions over one set of copies, one view of the origin, one pipeline. It needs nothing
 * else alive: what it learns it puts in an outbox that may lose things, what it is told is that there is a newer catalog.
 */
import type { Server } from 'bun';
import type { CatalogReader, ShadowRecord } from '../catalog/index.ts';
import type { FeedKey } from '../compose/index.ts';
import type { Config } from '../config/index.ts';
import { compileTrustedProxies } from '../http/index.ts';
import { messageOf, randomNonce, type BlobDigest, type Log } from '../kernel/index.ts';
import { OriginRouting } from '../route/index.ts';
import type { LocalStore } from '../store/index.ts';
import { AccessLog } from './access-log.ts';
import { Capture } from './capture.ts';
import { CatalogPuller } from './catalog-puller.ts';
import { compileClientRegion, openCountries, type ClientRegion } from './client-region.ts';
import { Copies } from './copies.ts';
import { decodedFactorMax } from './decoding.ts';
import { Fillings } from './fillings.ts';
import type { FlightParts } from './flight.ts';
import { Listener } from './listener.ts';
import { OriginClient } from './origin-client.ts';
import { forOrigin } from './origin-headers.ts';
import type { EdgeFigures, EdgeOutbox } from './outbox.ts';
import { keptShare, madeShare, Outgoing } from './outgoing.ts';
import { Overtaken } from './overtaken.ts';
import { Peers } from './peers.ts';
import { Pipeline, type AnswerRecord } from './pipeline.ts';
import { Prober } from './prober.ts';
import { RefusedCaptures } from './refused-captures.ts';
import { RuleKeeper } from './rulebook.ts';
import { SharedFlights } from './shared-flights.ts';
import { SiteRules } from './site-rules.ts';
import { Tally } from './tally.ts';
import type { Entrance } from './visit.ts';
import { VisitsTold } from './visits-told.ts';
import { bridgeWebSocket, type Bridge } from './websocket-bridge.ts';

export interface EdgeOptions {
  readonly config: Config;
  readonly local: LocalStore;
  readonly catalog: CatalogReader;
  readonly bodies: { get(digest: BlobDigest): Promise<Uint8Array | undefined> };
  readonly outbox: EdgeOutbox;
  readonly log: Log;
}

const reportEveryMs = 500;
const tellEveryMs = 1000;
/** The catalog is also looked at without being told, in case the word was lost. */
const pullEveryMs = 10_000;
const hintedHostsMax = 16;

/** What is made anew when the configuration changes. */
interface World {
  readonly config: Config;
  readonly site: SiteRules;
  readonly client: OriginClient;
  readonly routing: OriginRouting;
  readonly pipeline: Pipeline;
  readonly prober: Prober;
  readonly capture: Capture;
  readonly flight: FlightParts;
  readonly clientRegion: ClientRegion;
  readonly accessLog: AccessLog | undefined;
}

export class Edge {
  readonly #options: EdgeOptions;
  readonly #startedAtMs = Date.now();
  readonly #copies: Copies;
  readonly #fillings: Fillings;
  readonly #outgoing: Outgoing;
  readonly #tally = new Tally();
  readonly #shared = new SharedFlights();
  readonly #overtaken = new Overtaken();
  readonly #told: VisitsTold;
  readonly #puller: CatalogPuller;
  readonly #rules: RuleKeeper;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #countries: Awaited<ReturnType<typeof openCountries>> | undefined;
  #world: World;
  #listeners: readonly Listener[] = [];
  readonly #hintedHosts = new Set<string>();
  #captured: ShadowRecord[] = [];
  readonly #refused = new RefusedCaptures();
  #windowFromMs = Date.now();
  #draining = false;

  private constructor(options: EdgeOptions, countries: Awaited<ReturnType<typeof openCountries>> | undefined) {
    this.#options = options;
    this.#countries = countries;
    const { limits } = options.config;
    this.#rules = new RuleKeeper({ local: options.local, log: options.log, forget: () => { this.#copies.forgetMemory(); } });
    this.#copies = new Copies(options.local, { ...limits, memoryCacheBytes: limits.memoryCacheBytes * keptShare }, this.#rules.rulebook);
    this.#fillings = new Fillings(options.local, limits.memoryCacheBytes * madeShare);
    this.#outgoing = new Outgoing({ copies: this.#copies, fillings: this.#fillings, limits, nonce: randomNonce });
    this.#told = new VisitsTold(options.config.limits.demandKeys);
    this.#puller = new CatalogPuller({
      reader: options.catalog, bodies: options.bodies, local: options.local, copies: this.#copies, log: options.log,
      missing: (records) => { options.outbox.missing(records); },
      ruled: (rules) => { void this.#rules.use(rules); }, filled: (ids) => { this.#fillings.changed(ids); }, heard: (pairs) => { this.#fillings.hear(pairs); },
    });
    this.#world = this.#makeWorld(options.config, undefined);
  }

  /** Binds the listeners and starts answering. Throws `listen-failed`. */
  static async open(options: EdgeOptions): Promise<Edge> {
    const countries = options.config.clientRegion.geoip ? await openCountries() : undefined;
    return new Edge(options, countries).#start();
  }

  /** `region → address` of every listener. */
  get addresses(): readonly { readonly region: string; readonly address: string }[] {
    return this.#listeners.map((listener) => ({ region: listener.region, address: listener.address }));
  }

  /** Looks for newer catalog versions now. Resolves when they are applied. */
  pull(): Promise<void> {
    return this.#puller.pull();
  }

  /** Feeds were heard: what they fill may be shown so much longer. */
  heard(pairs: Iterable<readonly [feed: FeedKey, heardMs: number]>): void {
    this.#fillings.hear(pairs);
  }

  /** Puts a new configuration in force, all or nothing: throws before anything is changed. Addresses and directories stay. */
  async reload(config: Config): Promise<void> {
    if (config.clientRegion.geoip) this.#countries ??= await openCountries();
    const certificates = this.#listeners.map((listener) => listener.readCertificate());
    const before = this.#world;
    this.#world = this.#makeWorld(config, before);
    for (const [index, listener] of this.#listeners.entries()) listener.useCertificate(certificates[index]);
    before.prober.close();
    before.client.retire();
    await before.accessLog?.close();
  }

  figures(): EdgeFigures {
    return {
      startedAtMs: this.#startedAtMs,
      regions: this.#listeners.map((listener) => ({ region: listener.region, listen: listener.address, ...this.#tally.region(listener.region) })),
      origin: { attempts: this.#tally.attempts, inFlight: this.#world.client.inFlight },
      local: { ...this.#options.local.stats(), appliedVersion: this.#options.local.appliedVersion() },
      captures: this.#world.capture.counts,
      connections: this.#listeners.reduce((sum, listener) => sum + listener.open, 0),
    };
  }

  /** Stops taking connections, lets requests under way finish (up to `timeouts.drain`), and writes out what is pending. */
  async close(): Promise<void> {
    this.#draining = true;
    const { drainMs } = this.#world.config.timeouts;
    await Promise.all(this.#listeners.map((listener) => listener.drain(drainMs)));
    for (const timer of this.#timers) clearInterval(timer);
    this.#world.prober.close();
    this.#world.client.close();
    this.#tell();
    await Promise.all([this.#puller.close(), this.#rules.settled()]);
    await this.#world.accessLog?.close();
    await this.#options.local.flush();
  }

  async #start(): Promise<this> {
    const { config } = this.#options;
    await this.#puller.ruleFirst();
    this.#listeners = config.regions.map((region) => new Listener(region, config, (request, entrance, server) => this.#answer(request, entrance, server), this.#options.log));
    this.#every(reportEveryMs, () => { this.#options.outbox.origin(this.#world.routing.report(now())); });
    this.#every(tellEveryMs, () => { this.#tell(); });
    this.#every(pullEveryMs, () => { void this.#puller.pull(); });
    void this.#rules.use();
    void this.#puller.pull();
    return this;
  }

  #every(ms: number, run: () => void): void {
    const timer = setInterval(run, ms);
    timer.unref();
    this.#timers.push(timer);
  }

  #answer(request: Request, entrance: Entrance, server: Server<Bridge>): Response | undefined | Promise<Response | undefined> {
    const answered = this.#world.pipeline.handle(request, entrance);
    if (!('upgrade' in answered)) return answered;
    const { upgrade: visit } = answered;
    const { flight, config, pipeline } = this.#world;
    // The handshake is read again when the visitor is upgraded, so that its fields must stay.
    return bridgeWebSocket(visit, flight.prepare(visit, new Headers(visit.request.headers)), server, config.origin.url, config.timeouts.connectMs).then((done) => pipeline.afterUpgrade(visit, done));
  }

  #makeWorld(config: Config, before: World | undefined): World {
    const { log, outbox } = this.#options;
    const site = new SiteRules(config);
    const peers = new Peers(compileTrustedProxies(config.trustedProxies));
    const routing = before && sameRouting(before.config, config) ? before.routing : this.#makeRouting(config);
    const client = new OriginClient({ url: config.origin.url, ...config.timeouts });
    const capture = new Capture({
      copies: this.#copies, site, rulebook: this.#rules.rulebook, decodedBytesMax: config.limits.captureBytes * decodedFactorMax,
      kept: (record) => { this.#captured.push(record); },
      refused: (visit, answer, reason) => { this.#refused.note(visit, answer, reason); },
      undeclared: (host) => { this.#hintAtHost(host); },
      failed: (error) => { log.warn('capture-not-stored', { problem: messageOf(error), hint: 'check the disk of the data directory; serving goes on from memory' }); },
    });
    const originHost = new URL(config.origin.url).host;
    const flight: FlightParts = {
      client, routing, capture, now, overtaken: this.#overtaken, wholeBytesMax: config.limits.captureBytes,
      prepare: (visit, headers) => {
        visit.noteBeforeForwarding();
        return forOrigin(headers, {
          peer: visit.peer.address, peerTrusted: visit.peer.trusted, proto: visit.entrance.proto, host: visit.host === '' ? undefined : visit.get('host') ?? undefined,
          httpVersion: '1.1', originHost: config.origin.host === 'preserve' && visit.host !== '' ? visit.get('host') ?? originHost : originHost,
          read: visit.method === 'read', site: config.site, esi: visit.rules.dynamics.esi,
        });
      },
      ended: (kind, outcome) => { this.#tally.attempt(kind, outcome); },
    };
    const clientRegion = compileClientRegion(config, config.clientRegion.geoip ? this.#countries : undefined);
    const accessLog = config.log.access === undefined ? undefined : new AccessLog(config.log.access, log);
    const pipeline = new Pipeline({
      config, site, peers, copies: this.#copies, routing, flight, outgoing: this.#outgoing,
      record: (record) => { this.#record(record, clientRegion, accessLog); },
      invalidated: (resources) => { outbox.invalidated(resources); },
      draining: () => this.#draining,
    }, this.#shared);
    const prober = new Prober({
      origin: config.origin, routing, now, userAgent: config.generate.userAgent, site: config.site,
      ended: (outcome) => { this.#tally.attempt('probe', outcome); },
    });
    return { config, site, client, routing, pipeline, prober, capture, flight, clientRegion, accessLog };
  }

  #makeRouting(config: Config): OriginRouting {
    return new OriginRouting({
      routes: config.routes.length,
      probe: config.origin.probe, limits: config.origin.limits, recovery: config.routing.recovery, rescueAfterMs: config.routing.rescueAfterMs,
      onChange: (change) => {
        const { from, to, because } = change;
        this.#options.log[to === 'healthy' || to === 'recovering' ? 'info' : 'warn']('origin-state', { from, to, because });
        this.#overtaken.originFails(to === 'failing' || to === 'down');
        queueMicrotask(() => { this.#options.outbox.origin(this.#world.routing.report(now())); });
      },
    }, now());
  }

  #record(record: AnswerRecord, clientRegion: ClientRegion, accessLog: AccessLog | undefined): void {
    const { visit, status, source } = record;
    // A part of a page is wanted like any resource, but nobody asked for it: it is in the demand, and no answer of ours.
    const whole = record.entrance.part === undefined;
    if (whole) this.#tally.answer(record);
    if (visit?.method === 'read') this.#told.take(visit, clientRegion(visit), { good: status < 400 && source !== 'none', whole }, this.#world.site);
    if (whole) accessLog?.write(record, Date.now());
  }

  /** Said once for each of a few names: on an honest site it is the site's own, and declaring it lets its pages be kept. */
  #hintAtHost(host: string): void {
    if (this.#hintedHosts.has(host) || this.#hintedHosts.size >= hintedHostsMax) return;
    this.#hintedHosts.add(host);
    this.#options.log.warn('host-not-declared', { host, hint: 'answers that repeat this name are not kept; if it is the site\'s, list it under hosts' });
  }

  /** Everything learned in the last second. */
  #tell(): void {
    const { outbox } = this.#options;
    const nowMs = Date.now();
    outbox.demand(this.#told.window(this.#windowFromMs, nowMs));
    this.#windowFromMs = nowMs;
    const captured = this.#captured;
    this.#captured = [];
    if (captured.length > 0) outbox.captured(captured);
    const refused = this.#refused.take();
    if (refused.length > 0) outbox.refused(refused);
    outbox.stats(this.figures());
  }
}

/** Epoch milliseconds on a clock that never goes back. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function sameRouting(a: Config, b: Config): boolean {
  const facts = (config: Config): string => JSON.stringify([config.origin, config.routing, config.routes.map((route) => route.match)]);
  return facts(a) === facts(b);
}

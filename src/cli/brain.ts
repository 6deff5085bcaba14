/**
 * The brain process: store, catalog, forecaster, generator and API, put together, and fed by what edges report over the bus.
 * `foreshadow up` starts it as `brain --managed`, with a channel; the configuration is the first frame on it (`bus/ipc.ts`), and every
 * later one a reload. It ends when it is told to, or when the parent is gone; a death at any moment loses nothing that
 * was published, and at most a minute of what forecaster and generator learned. It never stands in a request's way: edges don't wait for it.
 */
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { startApi, type ApiServer, type Status } from '../api/index.ts';
import type { BrainToEdge, BusEnd, EdgeStats, EdgeToBrain, OriginReport } from '../bus/index.ts';
import { Catalog, catalogDirs, type ShadowRecord } from '../catalog/index.ts';
import type { Config } from '../config/index.ts';
import { FreshDemand, Generator, type Memory, type Pace } from '../generate/index.ts';
import { messageOf, type Clock, type Log, type ResourceKey } from '../kernel/index.ts';
import type { DemandEngine } from '../predict/index.ts';
import { openLocalBodies, openVolumes, type BlobStore, type LocalBodies } from '../store/index.ts';
import { operations } from './brain-operations.ts';
import { loadForecaster, saveForecaster } from './forecast-file.ts';
import { loadGeneratorMemory, saveGeneratorMemory } from './generator-file.ts';
import { loadSideForecasts, saveSideForecasts, type SideForecasts } from './side-forecasts.ts';
import { Training } from './training.ts';

export interface BrainOptions {
  readonly config: Config;
  readonly bus: BusEnd<BrainToEdge, EdgeToBrain>;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Of the generator; tests run faster. */
  readonly pace?: Pace;
}

/** What earlier runs learned. */
interface Learned {
  readonly forecaster: DemandEngine;
  readonly memory: Memory | undefined;
  readonly side: SideForecasts;
}

const snapshotEveryMs = 60_000;
const closeMinutesEveryMs = 1000;
const trainingEveryMs = 60_000;
/** Before the first word on the origin nothing is asked of it: it may be down. Edges report twice a second. */
const reportWaitMs = 3000;

export async function startBrain(options: BrainOptions): Promise<Brain> {
  const { config, clock, log } = options;
  const learned = { forecaster: await loadForecaster(config.dataDir, config.limits.demandKeys, log, config.prediction.holidays), memory: await loadGeneratorMemory(config.dataDir, clock, log), side: await loadSideForecasts(config.dataDir, log) };
  const blobs = await openVolumes({ paths: config.store.volumePaths, copies: config.store.copies, site: config.site, clock, log });
  try {
    const catalog = await Catalog.open({
      dirs: catalogDirs(config.store.volumePaths), clock, log, keepForMs: config.versions.keepForMs, historyBytesMax: config.versions.storageBytes,
    });
    const brain = new Brain(options, learned, blobs, catalog);
    try {
      brain.start();
      return brain;
    } catch (error) {
      await brain.close();
      throw error;
    }
  } catch (error) {
    await blobs.close();
    throw error;
  }
}

export class Brain {
  readonly #options: BrainOptions;
  readonly #forecaster: DemandEngine;
  readonly #side: SideForecasts;
  readonly #blobs: BlobStore;
  readonly #catalog: Catalog;
  readonly #demand: FreshDemand;
  readonly #generator: Generator;
  readonly #training: Training;
  readonly #bodies: LocalBodies;
  readonly #startedAtMs: number;
  readonly #startedMonotonicMs: number;
  #config: Config;
  #api: ApiServer | undefined;
  #edge: { readonly stats: EdgeStats; readonly reportedAtMs: number } | undefined;
  #origin: OriginReport | undefined;
  #snapshotAtMs: number | undefined;
  #generating = false;
  #timers: (() => void)[] = [];
  #closing: Promise<void> | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: BrainOptions, { forecaster, memory, side }: Learned, blobs: BlobStore, catalog: Catalog) {
    const { config, clock, log, bus } = options;
    this.#options = options;
    this.#config = config;
    this.#forecaster = forecaster;
    this.#side = side;
    this.#blobs = blobs;
    this.#catalog = catalog;
    this.#startedAtMs = clock.nowMs();
    this.#startedMonotonicMs = clock.monotonicMs();
    this.#bodies = openLocalBodies(join(config.dataDir, 'edge'));
    this.#demand = new FreshDemand(forecaster, clock, config.limits.demandKeys, side.newcomers);
    this.#training = new Training(forecaster, clock, log);
    this.#generator = new Generator({
      config, outlook: this.#demand, values: side.values, catalog, records: catalog.records(), fillings: catalog.fillings(), blobs, clock, log, memory, pace: options.pace,
      bodyOf: (digest) => this.#bodies.body(digest),
      onPublished: (version) => { bus.send({ type: 'catalog', version }); },
      onHeard: (heard) => { bus.send({ type: 'feeds', heard }); },
    });
  }

  get url(): string {
    return this.#api?.url ?? '';
  }

  start(): void {
    const { bus, clock, config, log } = this.#options;
    const source = operations({ generator: this.#generator, catalog: this.#catalog, forecaster: this.#forecaster, values: this.#side.values, clock });
    this.#api = startApi({ listen: config.admin.listen, tokens: config.admin.tokens, source: { status: () => this.status(), notReady: () => this.#notReady(), ...source }, log });
    bus.onMessage((message) => { this.#receive(message); });
    if (this.#catalog.head() > 0) bus.send({ type: 'catalog', version: this.#catalog.head() });
    this.#timers.push(clock.after(reportWaitMs, () => { this.#startGenerator(); }));
    this.#repeat(closeMinutesEveryMs, () => { this.#demand.closeMinutes(); });
    // Not waited for: a piece may take longer than a minute.
    this.#repeat(trainingEveryMs, () => { void this.#training.run(); });
    this.#repeat(snapshotEveryMs, () => this.#saveLearned());
    log.info('brain-started', { admin: this.url, catalogVersion: this.#catalog.head(), records: this.#catalog.size });
  }

  /** Takes a reloaded configuration. What can't change under way (places, the admin address) stays until a restart. */
  apply(config: Config): void {
    this.#config = config;
    this.#generator.configure(config);
    this.#api?.setTokens(config.admin.tokens);
    this.#options.log.info('config-applied');
  }

  async status(): Promise<Status> {
    const { clock, bus, version } = this.#options;
    const counters = this.#catalog.counters();
    return {
      version, site: this.#config.site, roles: ['brain', ...(this.#edge ? ['edge'] : [])],
      startedAtMs: this.#startedAtMs, uptimeS: Math.round((clock.monotonicMs() - this.#startedMonotonicMs) / 1000),
      edge: this.#edge && edgeStatus(this.#edge.stats, this.#edge.reportedAtMs),
      regions: (this.#edge?.stats.regions ?? []).map(regionStatus),
      origin: this.#origin, demand: this.#demand.totals,
      catalog: { version: this.#catalog.head(), records: this.#catalog.size, bytes: this.#catalog.bytes, ...counters },
      coverage: { ...this.#generator.coverage(clock.nowMs()), horizonMin: 15, freshForMs: this.#config.freshness.targetMs },
      generator: this.#generator.status(), store: await this.#blobs.stats(),
      forecaster: { ...this.#forecaster.size(), snapshotAtMs: this.#snapshotAtMs, fallenBack: this.#forecaster.fallenBack(), training: this.#training.counts }, bus: { dropped: bus.dropped },
    };
  }

  /** Publishes what is ready, writes down what was learned, closes everything. Calls after the first wait for it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const cancel of this.#timers) cancel();
    await this.#api?.close();
    await this.#training.close();
    await this.#looking;
    await this.#generator.close();
    this.#demand.closeMinutes();
    await this.#saveLearned();
    await this.#catalog.close();
    await this.#blobs.close();
    await this.#bodies.close();
    this.#options.bus.close();
    this.#options.log.info('brain-closed');
  }

  #receive(message: EdgeToBrain): void {
    switch (message.type) {
      case 'demand':
        this.#demand.add(message.window);
        return;
      case 'captured':
        this.#generator.captured(message.records);
        return;
      case 'invalidated':
        this.#generator.invalidated(message.resources);
        return;
      case 'refused':
        this.#generator.refused(message.refusals);
        return;
      case 'missing':
        this.#looking = this.#looking.then(() => this.#lookAfter(message.records));
        return;
      case 'origin':
        this.#origin = message.report;
        this.#generator.observeOrigin(message.report);
        this.#startGenerator();
        return;
      case 'stats':
        this.#edge = { stats: message.stats, reportedAtMs: this.#options.clock.nowMs() };
        // Word of a version may have been lost: an edge that is behind is told again.
        if (message.stats.local.appliedVersion < this.#catalog.head()) this.#options.bus.send({ type: 'catalog', version: this.#catalog.head() });
    }
  }

  /** Reading a body replaces its bad copies from a good one; where none is left, the resource is made again. */
  async #lookAfter(records: readonly ShadowRecord[]): Promise<void> {
    const lost = new Set<ResourceKey>();
    for (const record of records) {
      if (this.#closing) return;
      const body = await this.#blobs.get(record.body).catch(() => undefined);
      if (!body) lost.add(record.resource);
    }
    if (lost.size > 0) {
      this.#options.log.warn('bodies-lost', { resources: lost.size, hint: 'they are fetched again when the origin allows it' });
      this.#generator.invalidated([...lost]);
    }
  }

  #startGenerator(): void {
    if (this.#generating || this.#closing) return;
    this.#generating = true;
    this.#generator.start();
  }

  #notReady(): string | undefined {
    return this.#edge || this.#origin ? undefined : 'no edge has reported yet';
  }

  async #saveLearned(): Promise<void> {
    const { log, clock } = this.#options;
    const { dataDir } = this.#config;
    try {
      await saveForecaster(dataDir, this.#forecaster);
      await saveSideForecasts(dataDir, this.#side);
      this.#snapshotAtMs = clock.nowMs();
    } catch (error) {
      log.error('forecast-not-saved', { problem: messageOf(error) });
    }
    try {
      await saveGeneratorMemory(dataDir, this.#generator.remember());
    } catch (error) {
      log.error('generator-memory-not-saved', { problem: messageOf(error) });
    }
  }

  #repeat(everyMs: number, run: () => void | Promise<void>): void {
    const { clock } = this.#options;
    let cancel = (): void => undefined;
    const again = (): void => {
      cancel = clock.after(everyMs, () => {
        void (async () => {
          await run();
          if (!this.#closing) again();
        })();
      });
    };
    again();
    this.#timers.push(() => { cancel(); });
  }
}

function edgeStatus(stats: EdgeStats, reportedAtMs: number): NonNullable<Status['edge']> {
  const { startedAtMs, origin, local, captures, connections } = stats;
  return { startedAtMs, origin, local, captures, connections, reportedAtMs };
}

function regionStatus(region: EdgeStats['regions'][number]): Status['regions'][number] {
  const answers = Object.entries(region.answers).map(([words, count]) => {
    const [source = '', reason = ''] = words.split(' ');
    return { source, reason, count };
  });
  return { name: region.region, listen: region.listen, failed: region.failed, answers };
}

/** Beside the serving process, thinking waits: the edge gets the processor first. */
export function stepBack(log: Log): void {
  try {
    setPriority(5);
  } catch (error) {
    log.debug('priority-unchanged', { problem: messageOf(error) });
  }
}

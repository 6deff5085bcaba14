/**
 * A real edge on free ports in front of an origin written in the test, with temporary folders and an outbox that records. What a test starts here
 * `strike` ends, newest first. Nothing here looks into the edge: tests see what a visitor, the origin and the brain see.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../bench/machine/program.ts';
import { CatalogReader, type ShadowRecord } from '../../src/catalog/index.ts';
import { formatProblems, loadConfig, type Config } from '../../src/config/index.ts';
import type { DemandWindow } from '../../src/demand/index.ts';
import { Edge } from '../../src/edge/index.ts';
import type { RefusedAnswer } from '../../src/http/index.ts';
import { silentLog, systemClock, type BlobDigest, type ResourceKey } from '../../src/kernel/index.ts';
import { openLocalStore } from '../../src/store/index.ts';

export type CleanUp = () => Promise<void> | void;

const cleanUps: CleanUp[] = [];

export function onStrike(cleanUp: CleanUp): void {
  cleanUps.push(cleanUp);
}

/** For `afterEach`. */
export async function strike(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'foreshadow-edge-'));
  onStrike(() => { rmSync(folder, { recursive: true, force: true }); });
  return folder;
}

export interface Outbox {
  readonly demand: DemandWindow[];
  readonly captured: ShadowRecord[];
  readonly invalidated: ResourceKey[];
  readonly refused: RefusedAnswer[];
}

export interface Stage {
  readonly edge: Edge;
  readonly config: Config;
  readonly dataDir: string;
  /** `http://host:port` of the first listener. */
  readonly url: string;
  readonly ports: readonly number[];
  readonly outbox: Outbox;
  /** Resolves when so many copies have been kept and written. */
  readonly kept: (count: number) => Promise<void>;
}

export function configOf(text: string, origin: string, dataDir: string): Config {
  const listen = text.includes('regions:') ? undefined : '127.0.0.1:0';
  const loaded = loadConfig({ text, overrides: { origin, listen, data: dataDir }, env: {}, readFile: (path) => readFileSync(path, 'utf8') });
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
  return loaded.config;
}

/** What a brain published: the catalog's folders and bodies. */
export interface Published {
  readonly dirs: readonly string[];
  readonly bodies: { get(digest: BlobDigest): Promise<Uint8Array | undefined> };
}

const nothing: Published = { dirs: [], bodies: { get: () => Promise.resolve(undefined) } };

/** Starts an edge. `text` is configuration; the origin, a free port and a temporary folder are added. */
export async function stage(origin: string, text = '', published = nothing): Promise<Stage> {
  const dataDir = temporaryFolder();
  const config = configOf(text, origin, dataDir);
  const local = openLocalStore({ path: join(dataDir, 'edge'), clock: systemClock, log: silentLog, limits: { storageBytes: 1 << 26, variantsPerVariation: 8 } });
  onStrike(() => local.close());
  const outbox = { demand: [] as DemandWindow[], captured: [] as ShadowRecord[], invalidated: [] as ResourceKey[], refused: [] as RefusedAnswer[] };
  const quiet = (): void => undefined;
  const edge = await Edge.open({
    config, local, log: silentLog, catalog: new CatalogReader({ dirs: published.dirs, log: silentLog }), bodies: published.bodies,
    outbox: {
      demand: (window) => { outbox.demand.push(window); },
      captured: (records) => { outbox.captured.push(...records); },
      invalidated: (resources) => { outbox.invalidated.push(...resources); },
      refused: (refusals) => { outbox.refused.push(...refusals); },
      missing: quiet, origin: quiet, stats: quiet,
    },
  });
  // What is still under way when a test is over belongs to nobody.
  onStrike(() => Promise.race([edge.close(), Bun.sleep(2_000)]));
  const ports = edge.addresses.map(({ address }) => Number(address.slice(address.lastIndexOf(':') + 1)));
  const kept = (count: number): Promise<void> =>
    until(`${count} copies`, () => (edge.figures().captures['kept'] ?? 0) >= count && edge.figures().local.records >= 1);
  return { edge, config, dataDir, url: `http://127.0.0.1:${ports[0] ?? 0}`, ports, outbox, kept };
}

/**
 * A generator as the brain runs it, over a real store and catalog in a temporary folder, in front of an origin that is a function. For tests of what comes
 * of generation as a whole: what it published, and every byte it left behind.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { Catalog, catalogDirs, type ShadowRecord } from '../../src/catalog/index.ts';
import { loadConfig, type Config } from '../../src/config/index.ts';
import { Generator, type Pace } from '../../src/generate/index.ts';
import { createLog, systemClock, type BlobDigest, type Clock, type ResourceKey } from '../../src/kernel/index.ts';
import { digestOf, openVolumes } from '../../src/store/index.ts';

export type Answer = (path: string, request: Request) => Response | Promise<Response>;

export interface MadeSite extends AsyncDisposable {
  readonly generator: Generator;
  readonly catalog: Catalog;
  readonly blobs: Awaited<ReturnType<typeof openVolumes>>;
  /** Paths the origin was asked for. */
  readonly asked: string[];
  /** What each version said, as it was published. */
  readonly versions: ReadonlyMap<number, readonly ShadowRecord[]>;
  readonly log: readonly string[];
  /** Offers an answer as an edge does that captured it. */
  capture(record: Omit<ShadowRecord, 'body' | 'bodyBytes' | 'madeBy' | 'version'>, body: Uint8Array): void;
  record(path: string): ShadowRecord | undefined;
  /** Every file of store and catalog, plain and unpacked, and the log: what an intruder would find. */
  leftBehind(): Buffer;
}

export interface SiteFacts {
  readonly answer: Answer;
  /** Demand a minute by path. */
  readonly rates: () => Readonly<Record<string, number>>;
  /** `ORIGIN` stands for its URL. */
  readonly config?: string;
  readonly pace?: Partial<Pace>;
  readonly clock?: Clock;
}

export async function makeSite({ answer, rates, config: text = '', pace = {}, clock = systemClock }: SiteFacts): Promise<MadeSite> {
  const folder = mkdtempSync(join(tmpdir(), 'foreshadow-made-'));
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1', port: 0, fetch(request) {
      const { pathname, search } = new URL(request.url);
      asked.push(pathname + search);
      return answer(pathname + search, request);
    },
  });
  const config = configOf(text, server.url.origin, folder);
  const log: string[] = [];
  const logger = createLog({ clock: systemClock, level: 'debug', write: (line) => log.push(line) });
  const { volumePaths, copies } = config.store;
  const blobs = await openVolumes({ paths: volumePaths, copies, site: config.site, clock: systemClock, log: logger });
  const catalog = await Catalog.open({ dirs: catalogDirs(volumePaths), clock: systemClock, log: logger });
  const bodies = new Map<BlobDigest, Uint8Array>();
  const versions = new Map<number, readonly ShadowRecord[]>();
  const generator = new Generator({
    config, catalog, records: catalog.records(), blobs, clock, log: logger, bodyOf: (digest) => bodies.get(digest),
    outlook: {
      rates: () => Object.entries(rates()).map(([path, perMinute]) => ({ resource: path as ResourceKey, perMinute })), // plain paths are keys
      variationShares: () => [],
    },
    onPublished: (version) => { versions.set(version, [...catalog.records()]); },
    pace: { planMs: 20, publishMs: 20, renewalsMs: 60, evictMs: 1000, passiveFirstMs: 0, ...pace },
  });
  generator.start();
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await generator.close();
    await catalog.close();
    await blobs.close();
  };
  return {
    generator, catalog, blobs, asked, versions, log,
    capture(record, body) {
      const digest = digestOf(body);
      bodies.set(digest, body);
      generator.captured([{ ...record, body: digest, bodyBytes: body.length, madeBy: 'capture', version: 0 }]);
    },
    record: (path) => [...catalog.records()].find(({ resource }) => String(resource) === path),
    leftBehind: () => Buffer.concat([...filesUnder(folder), Buffer.from(log.join('\n')), Buffer.from(generator.remember())]),
    async [Symbol.asyncDispose]() {
      await close();
      await server.stop(true);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf(text: string, origin: string, dataDir: string): Config {
  const loaded = loadConfig({ text: `budgets: { originRequests: 2000/s, originShare: 100%, generateConcurrency: 16 }\n${text.replaceAll('ORIGIN', origin)}`, overrides: { origin, listen: '127.0.0.1:0', data: dataDir }, env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ path, reason }) => `${path}: ${reason}`).join('\n'));
  return loaded.config;
}

function* filesUnder(folder: string): Iterable<Buffer> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    yield bytes;
    for (const unpack of [gunzipSync, zstdDecompressSync]) {
      try {
        yield unpack(bytes);
      } catch {
        // Not packed so.
      }
    }
  }
}

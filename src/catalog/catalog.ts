/**
 * The catalog's writer: which shadows exist, as immutable numbered versions, each a file in every directory (docs/formats/catalog.md).
 * A version is published when `publish` resolves: it is flushed under its name in every directory that works, and at least one. Nothing published is ever
 * changed; of old versions some stay, to be gone back to (history.ts). Of two writers that publish on the same base, one wins: the name is made exclusively.
 */
import { type BlobDigest, type Clock, ForeshadowError, type Log, type ResourceKey } from '../kernel/index.ts';
import { type Disk, systemDisk } from '../kernel/disk.ts';
import { type Chain, chainFiles, findChain, linkAfter } from './chain.ts';
import { applyDelta, type CatalogState, emptyState } from './state.ts';
import { CatalogFolders, nameOf } from './folders.ts';
import { History, type VersionInfo } from './history.ts';
import { PairCache } from './record-codec.ts';
import type { FeedKey, Filling, FillingId } from '../compose/types.ts';
import type { CatalogRule, RuleTarget } from './rule.ts';
import { mergeRules, rulesMax } from './rules.ts';
import { bodiesOf, type CatalogChange, type CatalogDelta, noChange, partsOfShadowId, type ShadowRecord, shadowId } from './shadow-record.ts';
import { compileRules } from './verdict.ts';
import { Upkeep } from './upkeep.ts';
import { deltaFrom, encodeVersion } from './version-file.ts';
import { Replicas } from './replicas.ts';

export interface CatalogOptions {
  /** Directories that all hold the same files. */
  readonly dirs: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** The last versions, all of which can be gone back to; their bodies count as live. Default 100. */
  readonly keepVersions?: number;
  /** How far back one version for each ten minutes is kept besides, and how many bytes of bodies and files there may be for old versions alone. Default: none, no limit. */
  readonly keepForMs?: number;
  readonly historyBytesMax?: number;
  readonly disk?: Disk;
}

export interface RollbackOptions {
  /** Which resources go back; all unless told. */
  readonly only?: (resource: ResourceKey) => boolean;
  /** Copies of them are to stay as they are until then: what passes by is not kept. Epoch ms. Without it, a hold of an earlier time ends. */
  readonly hold?: { readonly untilMs: number };
  /** How long edges look for captures that are newer than what was gone back to; none is of use for longer than it may be served. Epoch ms. */
  readonly untilMs?: number;
}

const keepVersionsDefault = 100;
/** Longer than captures are served while the origin can't be asked, by default. */
const capturesGiveWayMs = 86_400_000;

export class Catalog implements AsyncDisposable {
  readonly #folders: CatalogFolders;
  readonly #replicas: Replicas;
  readonly #clock: Clock;
  readonly #history: History;
  readonly #upkeep: Upkeep;
  readonly #cache = new PairCache();
  readonly #state: CatalogState = emptyState();
  #bytes = 0;
  #head = 0;
  #link = '';
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(options: CatalogOptions) {
    this.#folders = new CatalogFolders(options.dirs, options.disk ?? systemDisk, options.log);
    this.#replicas = new Replicas(this.#folders, options.clock, options.log);
    this.#clock = options.clock;
    const keepVersions = Math.max(1, options.keepVersions ?? keepVersionsDefault);
    this.#history = new History({ keepVersions, keepForMs: options.keepForMs ?? 0, historyBytesMax: options.historyBytesMax ?? Number.POSITIVE_INFINITY });
    this.#upkeep = new Upkeep({
      history: this.#history, folders: this.#folders, replicas: this.#replicas, clock: options.clock, log: options.log, thinEvery: keepVersions,
      exclusively: (run) => this.#exclusively(run), liveNow: () => this.#bodiesNow(),
    });
  }

  /** Reads the newest whole history among the directories, and gives each of them what it lacks. Throws `catalog-corrupt`, `storage-failed`. */
  static async open(options: CatalogOptions): Promise<Catalog> {
    const catalog = new Catalog(options);
    await catalog.#open();
    return catalog;
  }

  async #open(): Promise<void> {
    await this.#replicas.prepare();
    const chain = await findChain(this.#folders, 'oldest');
    await this.#replicas.mend(chain);
    await this.#adopt(chain);
    this.#replicas.writeHeads(this.#head);
  }

  async #adopt(chain: Chain): Promise<void> {
    for (const candidate of chainFiles(chain)) {
      const delta = deltaFrom(await this.#folders.read(candidate));
      const retired = applyDelta(this.#state, delta);
      this.#history.files.push({ name: nameOf(candidate.file), bytes: candidate.file.bytes });
      this.#history.add(delta, linkAfter(candidate), this.#state.records.size, retired, this.#clock.nowMs());
    }
    await this.#upkeep.begin();
    for (const record of this.#state.records.values()) this.#bytes += bytesOf(record);
    this.#head = chain.head;
    this.#link = chain.link;
  }

  head(): number {
    return this.#head;
  }

  get(id: string): ShadowRecord | undefined {
    return this.#state.records.get(id);
  }

  records(): IterableIterator<ShadowRecord> {
    return this.#state.records.values();
  }

  get size(): number {
    return this.#state.records.size;
  }

  filling(id: FillingId): Filling | undefined {
    return this.#state.fillings.get(id);
  }

  fillings(): IterableIterator<Filling> {
    return this.#state.fillings.values();
  }

  /** Rules in force, at most `rulesMax`. */
  rules(): readonly CatalogRule[] {
    return mergeRules(this.#state.rules, [], this.#clock.nowMs());
  }

  /** When each feed was last heard, as far as versions have said. */
  heard(): ReadonlyMap<FeedKey, number> {
    return this.#state.heard;
  }

  /** Of all records' bodies together, coded ones too; equal bodies count each time. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Versions that can be gone back to, oldest first. */
  versions(): VersionInfo[] {
    return this.#history.infos();
  }

  /** Those of them that changed copies of this resource. Reads the files, so it takes a while where there are many. */
  async history(resource: ResourceKey): Promise<VersionInfo[]> {
    const found: VersionInfo[] = [];
    for (const info of this.versions()) {
      const named = this.#history.files.find(({ name }) => name.kind !== 'full' && name.version === info.version);
      const file = named && await this.#folders.first(named.name, () => true);
      const put = file?.put.filter((record) => record.resource === resource).length ?? 0;
      const remove = file?.remove.filter((id) => partsOfShadowId(id).resource === resource).length ?? 0;
      if (put + remove > 0) found.push({ ...info, put, remove });
    }
    return found;
  }

  /** Damaged files met, files and directories mended, directories that failed, since the catalog was opened. */
  counters(): { readonly corrupt: number; readonly replaced: number; readonly folderFailures: number } {
    return { corrupt: this.#folders.corrupt, replaced: this.#replicas.replaced, folderFailures: this.#replicas.failures };
  }

  /** Bodies of every kept version: what the blob store must not collect. */
  liveBlobs(): Set<BlobDigest> {
    const live = this.#bodiesNow();
    this.#history.addBodies(live);
    return live;
  }

  #bodiesNow(): Set<BlobDigest> {
    const live = new Set<BlobDigest>();
    for (const record of this.#state.records.values()) for (const { body } of bodiesOf(record)) live.add(body);
    return live;
  }

  /**
   * Publishes the version after `base`. Records, fillings and rules get its number; ids in `remove` and `unfill` that don't exist or are also put are left
   * out. A purge takes with it the records it binds: a copy that was asked for before a purge in force is not published, and what is there is removed; nor is a copy of what is held. Throws
   * `catalog-conflict` when `base` is not the newest, `usage` when there would be too many rules, `storage-full` or `storage-failed` when no directory takes it.
   */
  publish(base: number, change: CatalogChange): Promise<CatalogDelta> {
    return this.#exclusively(() => {
      const rules = compileRules([...this.rules(), ...change.rules]);
      const nowMs = this.#clock.nowMs();
      const put = rules.any ? change.put.filter((record) => rules.verdict({ ...record, version: 0 }) !== 'gone' && !rules.holds(record, nowMs)) : change.put;
      return this.#publish(base, { ...change, put });
    });
  }

  /**
   * Publishes a version that says again what version `to` said of the copies, with their times: of all of them, because an edge may have replaced any by what passed
   * by. Such captures give way, by a rule of the same version. Fillings stay: they are of now, and old ones beside what was heard today would make old values look fresh. Throws as `publish` does, and
   * `usage` for a version that is not kept.
   */
  rollback(base: number, to: number, { only, hold, untilMs }: RollbackOptions = {}): Promise<CatalogDelta> {
    return this.#exclusively(async () => {
      const chosen = (records: ReadonlyMap<string, ShadowRecord>): ReadonlyMap<string, ShadowRecord> => (
        only ? new Map([...records].filter(([, { resource }]) => only(resource))) : records);
      const now = chosen(this.#state.records);
      const then = chosen((await this.#stateAt(to)).records);
      const resources = new Set([...now.values(), ...then.values()].map(({ resource }) => resource));
      const targets = only ? [...resources].map((resource): RuleTarget => ({ kind: 'resource', resource })) : [{ kind: 'site' } as const];
      const atMs = this.#clock.nowMs();
      const rules = targets.flatMap((target): CatalogRule[] => [
        { version: 0, atMs, target, effect: 'purge', only: 'captures', untilMs: untilMs ?? atMs + capturesGiveWayMs },
        { version: 0, atMs, target, effect: 'hold', untilMs: hold?.untilMs ?? atMs },
      ]);
      return this.#publish(base, { ...noChange, put: [...then.values()], remove: [...now.keys()].filter((id) => !then.has(id)), rules });
    });
  }

  /** Everything there was at a version that is kept. */
  stateAt(version: number): Promise<Readonly<CatalogState>> {
    return this.#exclusively(() => this.#stateAt(version));
  }

  #stateAt(version: number): Promise<CatalogState> {
    if (this.#history.points.some((point) => point.version === version)) return this.#upkeep.stateAt(version);
    throw new ForeshadowError('usage', { source: 'client', message: `version ${version} is not kept`, hint: 'choose one that `versions` lists' });
  }

  async #publish(base: number, change: CatalogChange): Promise<CatalogDelta> {
    if (base !== this.#head) throw conflict(base, this.#head);
    const delta = this.#numbered(change, base + 1);
    const { version, publishedAtMs } = delta;
    if (mergeRules(this.#state.rules, delta.rules, publishedAtMs).length > rulesMax) throw tooManyRules();
    const encoded = await encodeVersion({ kind: 'delta', version, link: this.#link, publishedAtMs }, delta);
    await this.#replicas.catchUp(this.#history.files.map(({ name }) => name));
    if (!(await this.#replicas.create({ kind: 'delta', version }, encoded))) throw conflict(base, version);

    const retired = applyDelta(this.#state, delta);
    for (const record of delta.put) this.#bytes += bytesOf(record);
    for (const record of retired) this.#bytes -= bytesOf(record);
    this.#head = version;
    this.#link = encoded.sum;
    this.#history.files.push({ name: { kind: 'delta', version }, bytes: encoded.bytes });
    this.#history.add(delta, this.#link, this.#state.records.size, retired, publishedAtMs);
    this.#replicas.writeHeads(version);
    const newest = this.#history.points.at(-1);
    if (newest) this.#upkeep.published(encoded.bytes, newest, this.#state);
    return delta;
  }

  /** The change as this version. */
  #numbered(change: CatalogChange, version: number): CatalogDelta {
    const { records, fillings } = this.#state;
    const byId = new Map(change.put.map((record) => [shadowId(record), this.#stamp(record, version)]));
    const filled = new Map(change.fill.map((filling) => [filling.id, { ...filling, version }]));
    const rules = change.rules.map((rule) => ({ ...rule, version }));
    const compiled = compileRules(rules);
    const purged = compiled.any ? [...records].flatMap(([id, record]) => (compiled.verdict(record) === 'gone' ? [id] : [])) : [];
    return {
      version, publishedAtMs: this.#clock.nowMs(), full: false,
      put: [...byId.values()],
      remove: [...new Set([...change.remove, ...purged])].filter((id) => records.has(id) && !byId.has(id)),
      fill: [...filled.values()],
      unfill: [...new Set(change.unfill)].filter((id) => fillings.has(id) && !filled.has(id)),
      rules, heard: change.heard,
    };
  }

  #stamp(record: ShadowRecord, version: number): ShadowRecord {
    const headers = record.headers.map(([name, value]) => this.#cache.pair(name, value));
    return { ...record, headers, version };
  }

  #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(run);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#upkeep.settled();
    await this.#queue;
    await this.#replicas.settled();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function conflict(base: number, head: number): ForeshadowError {
  return new ForeshadowError('catalog-conflict', {
    source: 'storage', message: `a version was published on version ${base}, but the newest is ${head}`,
    hint: 'only one brain may publish to these directories; read the newest version and try again',
  });
}

function bytesOf(record: ShadowRecord): number {
  return bodiesOf(record).reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
}

function tooManyRules(): ForeshadowError {
  return new ForeshadowError('usage', {
    source: 'client', message: `there would be more than ${rulesMax} rules in force`, hint: 'purge by pattern, by tag or the whole site; rules end by themselves',
  });
}

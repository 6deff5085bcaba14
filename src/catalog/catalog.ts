/**
 * The catalog's writer: which shadows exist, as immutable numbered versions, each a file in every directory (docs/formats/catalog.md).
 * A version is published when `publish` resolves: it is flushed under its name in every directory that works, and at least one. Nothing published is ever
 * changed; old versions go when nobody may ask for them any more. Of two writers that publish on the same base, one wins: the name is made exclusively.
 */
import { type BlobDigest, type Clock, ForeshadowError, type Log, messageOf } from '../kernel/index.ts';
import { type Disk, systemDisk } from '../kernel/disk.ts';
import { type Chain, chainFiles, findChain } from './chain.ts';
import { applyDelta, type CatalogState, diffRecords, emptyState, everythingIn } from './state.ts';
import { CatalogFolders, type VersionName } from './folders.ts';
import { PairCache } from './record-codec.ts';
import type { FeedKey, Filling, FillingId } from '../compose/types.ts';
import type { CatalogRule } from './rule.ts';
import { mergeRules, rulesMax } from './rules.ts';
import { bodiesOf, type CatalogChange, type CatalogDelta, noChange, type ShadowRecord, shadowId } from './shadow-record.ts';
import { compileRules } from './verdict.ts';
import { deltaFrom, encodeVersion, type EncodedVersion } from './version-file.ts';
import { Replicas } from './replicas.ts';

export interface CatalogOptions {
  /** Directories that all hold the same files. */
  readonly dirs: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** Versions that can still be read and gone back to; their bodies count as live. Default 100. */
  readonly keepVersions?: number;
  readonly disk?: Disk;
}

export interface VersionInfo {
  readonly version: number;
  readonly publishedAtMs: number;
  readonly put: number;
  readonly remove: number;
  /** Records there were in this version. */
  readonly records: number;
}

interface Kept extends VersionInfo {
  /** Bodies of records this version replaced or removed: needed by the versions before it. */
  readonly retired: readonly BlobDigest[];
}

/** A full version is written when the deltas since the last take more room than it did, but not for less than this. */
const fullBytesMin = 1024 * 1024;
const deltasPerFullMax = 1000;

export class Catalog implements AsyncDisposable {
  readonly #folders: CatalogFolders;
  readonly #replicas: Replicas;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #keepVersions: number;
  readonly #cache = new PairCache();
  readonly #state: CatalogState = emptyState();
  #bytes = 0;
  #head = 0;
  #link = '';
  /** The last `keepVersions`, oldest first. */
  #kept: Kept[] = [];
  /** Every file of the history, oldest first. */
  #files: VersionName[] = [];
  #fullBytes = 0;
  #deltaBytes = 0;
  #deltas = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #snapshot: Promise<void> | undefined;

  private constructor(options: CatalogOptions) {
    this.#folders = new CatalogFolders(options.dirs, options.disk ?? systemDisk, options.log);
    this.#replicas = new Replicas(this.#folders, options.clock, options.log);
    this.#clock = options.clock;
    this.#log = options.log;
    this.#keepVersions = Math.max(1, options.keepVersions ?? 100);
  }

  /** Reads the newest whole history among the directories, and gives each of them what it lacks. Throws `catalog-corrupt`, `storage-failed`. */
  static async open(options: CatalogOptions): Promise<Catalog> {
    const catalog = new Catalog(options);
    await catalog.#open();
    return catalog;
  }

  async #open(): Promise<void> {
    await this.#replicas.prepare();
    const chain = await findChain(this.#folders, this.#keepVersions);
    this.#adopt(chain);
    await this.#replicas.mend(chain);
    this.#replicas.writeHeads(this.#head);
  }

  #adopt(chain: Chain): void {
    for (const { candidate } of chainFiles(chain)) {
      const delta = deltaFrom(candidate.file);
      const retired = applyDelta(this.#state, delta);
      this.#remember(delta, retired);
    }
    for (const record of this.#state.records.values()) this.#bytes += bytesOf(record);
    this.#head = chain.head;
    this.#link = chain.link;
    this.#files = [...chainFiles(chain)].map(({ name }) => name);
    // How much the files took is not known without asking the disk again; counting deltas bounds the next full version all the same.
    this.#deltas = chain.deltas.length;
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

  /** Kept versions, oldest first. */
  versions(): VersionInfo[] {
    return this.#kept.map(({ version, publishedAtMs, put, remove, records }) => ({ version, publishedAtMs, put, remove, records }));
  }

  /** Damaged files met, files and directories mended, directories that failed, since the catalog was opened. */
  counters(): { readonly corrupt: number; readonly replaced: number; readonly folderFailures: number } {
    return { corrupt: this.#folders.corrupt, replaced: this.#replicas.replaced, folderFailures: this.#replicas.failures };
  }

  /** Bodies of every kept version: what the blob store must not collect. */
  liveBlobs(): Set<BlobDigest> {
    const live = new Set<BlobDigest>();
    for (const record of this.#state.records.values()) for (const { body } of bodiesOf(record)) live.add(body);
    // What the oldest kept version retired belongs to versions that are not kept.
    for (const kept of this.#kept.slice(1)) for (const digest of kept.retired) live.add(digest);
    return live;
  }

  /**
   * Publishes the version after `base`. Records, fillings and rules get its number; ids in `remove` and `unfill` that don't exist or are also put are left
   * out. A purge takes with it the records it binds: a copy that was asked for before a purge in force is not published, and what is there is removed. Throws
   * `catalog-conflict` when `base` is not the newest, `usage` when there would be too many rules, `storage-full` or `storage-failed` when no directory takes it.
   */
  publish(base: number, change: CatalogChange): Promise<CatalogDelta> {
    return this.#exclusively(() => {
      const rules = compileRules([...this.rules(), ...change.rules]);
      const put = rules.any ? change.put.filter((record) => rules.verdict({ ...record, version: 0 }) !== 'gone') : change.put;
      return this.#publish(base, { ...change, put });
    });
  }

  /** Publishes a version that says again what version `to` said. */
  rollback(base: number, to: number): Promise<CatalogDelta> {
    return this.#exclusively(async () => {
      const { put, remove } = diffRecords(this.#state.records, (await this.#stateAt(to)).records);
      return this.#publish(base, { ...noChange, put, remove });
    });
  }

  /** Everything there was at a kept version. */
  stateAt(version: number): Promise<Readonly<CatalogState>> {
    return this.#exclusively(() => this.#stateAt(version));
  }

  async #publish(base: number, change: CatalogChange): Promise<CatalogDelta> {
    if (base !== this.#head) throw conflict(base, this.#head);
    const delta = this.#numbered(change, base + 1);
    const { version, publishedAtMs } = delta;
    if (mergeRules(this.#state.rules, delta.rules, publishedAtMs).length > rulesMax) throw tooManyRules();
    const encoded = await encodeVersion({ kind: 'delta', version, link: this.#link, publishedAtMs }, delta);
    await this.#replicas.catchUp(this.#files);
    if (!(await this.#replicas.create({ kind: 'delta', version }, encoded))) throw conflict(base, version);

    const retired = applyDelta(this.#state, delta);
    for (const record of delta.put) this.#bytes += bytesOf(record);
    for (const record of retired) this.#bytes -= bytesOf(record);
    this.#head = version;
    this.#link = encoded.sum;
    this.#files.push({ kind: 'delta', version });
    this.#deltaBytes += encoded.bytes;
    this.#deltas += 1;
    this.#remember(delta, retired);
    this.#replicas.writeHeads(version);
    this.#snapshotIfDue();
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

  #remember({ version, publishedAtMs, full, put, remove }: CatalogDelta, retired: readonly ShadowRecord[]): void {
    const bodies = full ? [] : retired.flatMap((record) => bodiesOf(record).map(({ body }) => body));
    this.#kept.push({ version, publishedAtMs, put: put.length, remove: remove.length, records: this.#state.records.size, retired: bodies });
    if (this.#kept.length > this.#keepVersions) this.#kept.shift();
  }

  #snapshotIfDue(): void {
    const due = this.#deltaBytes > Math.max(fullBytesMin, this.#fullBytes) || this.#deltas >= deltasPerFullMax;
    if (!due || this.#snapshot) return;
    this.#deltaBytes = 0;
    this.#deltas = 0;
    const header = { kind: 'full' as const, version: this.#head, link: this.#link, publishedAtMs: this.#kept.at(-1)?.publishedAtMs ?? 0 };
    const everything = everythingIn(this.#state);
    this.#snapshot = (async () => {
      const encoded = await encodeVersion(header, everything);
      await this.#exclusively(() => this.#keepFull({ kind: 'full', version: header.version }, encoded));
    })().catch((error: unknown) => {
      this.#log.warn('catalog-full-not-written', { version: header.version, error: messageOf(error) });
    }).finally(() => {
      this.#snapshot = undefined;
    });
  }

  async #keepFull(name: VersionName, encoded: EncodedVersion): Promise<void> {
    await this.#replicas.replaceEverywhere(name, encoded);
    this.#fullBytes = encoded.bytes;
    this.#files.push(name);
    await this.#prune();
  }

  /** Deletes what only versions need that are no longer kept. */
  async #prune(): Promise<void> {
    const oldest = this.#kept[0]?.version ?? 0;
    const base = Math.max(0, ...this.#files.filter((name) => name.kind === 'full' && name.version <= oldest).map((name) => name.version));
    const needless = (name: VersionName): boolean => name.version < base || (name.version === base && name.kind === 'delta');
    this.#files = this.#files.filter((name) => !needless(name));
    for (const [folder, names] of await this.#folders.list()) {
      for (const name of names) if (needless(name)) await this.#folders.remove(folder, name);
    }
  }

  async #stateAt(version: number): Promise<CatalogState> {
    const kept = this.#kept.some((one) => one.version === version);
    const start = Math.max(0, ...this.#files.filter((name) => name.kind === 'full' && name.version <= version).map((name) => name.version));
    const state = emptyState();
    const need: VersionName[] = start > 0 ? [{ kind: 'full', version: start }] : [];
    for (let next = start + 1; next <= version; next++) need.push({ kind: 'delta', version: next });
    for (const name of kept ? need : []) {
      const file = await this.#folders.first(name, () => true);
      if (!file) throw corrupt(name);
      applyDelta(state, deltaFrom(file));
    }
    if (!kept) {
      throw new ForeshadowError('usage', { source: 'client', message: `version ${version} is not kept`, hint: 'choose one that `versions` lists' });
    }
    return state;
  }

  #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(run);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#snapshot;
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

function corrupt(name: VersionName): ForeshadowError {
  return new ForeshadowError('catalog-corrupt', {
    source: 'storage', message: `no good copy of catalog version ${name.version} is left`, hint: 'restore the file from a backup, or go back to another version',
  });
}

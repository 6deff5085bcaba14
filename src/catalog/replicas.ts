/**
 * The catalog's directories as one: a version is written to every one that works, exclusively in the first of them. A directory that fails is left out, and
 * later given what it has missed.
 */
import { type Clock, ForeshadowError, type Log, messageOf } from '../kernel/index.ts';
import { errnoOf } from '../kernel/disk.ts';
import { type Chain, chainFiles } from './chain.ts';
import { type Candidate, type CatalogFolders, isSameName, nameOf, type VersionName } from './folders.ts';
import type { EncodedVersion } from './version-file.ts';

const retryAfterMs = 30_000;

export class Replicas {
  /** Files copied to directories that lacked them or had them damaged, and failures of directories. */
  replaced = 0;
  failures = 0;
  readonly #folders: CatalogFolders;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Directories that missed something, and when they are tried again. */
  readonly #behind = new Map<string, number>();
  #heads: Promise<unknown> = Promise.resolve();
  #newestHead = 0;

  constructor(folders: CatalogFolders, clock: Clock, log: Log) {
    this.#folders = folders;
    this.#clock = clock;
    this.#log = log;
  }

  /** Makes the directories. Throws when none can be. */
  async prepare(): Promise<void> {
    for (const folder of this.#folders.folders) {
      await this.#folders.disk.makeFolder(folder).catch((error: unknown) => { this.#fail(folder, error); });
    }
    if (this.#working().length === 0) throw this.#none(undefined);
  }

  /** Copies what directories lack or have damaged, and sets aside files that no history reaches. */
  async mend(chain: Chain): Promise<void> {
    const listing = await this.#folders.list();
    for (const candidate of chainFiles(chain)) await this.giveAll(candidate, [...listing.keys()]);
    for (const [folder, names] of listing) {
      for (const name of names) if (name.version > chain.head) await this.#folders.setAside(folder, name, this.#clock.nowMs());
      await this.#folders.removeLeftovers(folder);
    }
  }

  /** Gives this file to those of the directories that lack it or have it damaged. */
  async giveAll({ file, folders }: Candidate, all: readonly string[]): Promise<void> {
    const [holder] = folders;
    const needing = all.filter((folder) => !folders.includes(folder));
    if (holder && needing.length > 0) this.replaced += await this.#folders.copy(nameOf(file), holder, needing);
  }

  /** The first directory that works decides whether the name is free (false: it is taken); the others follow it. Throws when none works. */
  async create(name: VersionName, encoded: EncodedVersion): Promise<boolean> {
    const folders = this.#working();
    let lastError: unknown;
    for (let first = folders.shift(); first !== undefined; first = folders.shift()) {
      try {
        if (!(await this.#folders.create(first, name, encoded))) return false;
      } catch (error) {
        lastError = error;
        this.#fail(first, error);
        continue;
      }
      await Promise.all(folders.map((folder) => this.#follow(folder, name, encoded)));
      return true;
    }
    throw this.#none(lastError);
  }

  async #follow(folder: string, name: VersionName, encoded: EncodedVersion): Promise<void> {
    try {
      if (!(await this.#folders.create(folder, name, encoded))) await this.#folders.replace(folder, name, encoded.parts);
    } catch (error) {
      this.#fail(folder, error);
    }
  }

  /** Writes a full version or a span wherever possible; its absence costs nothing but time and space. Whether any directory has it. */
  async replaceEverywhere(name: VersionName, encoded: EncodedVersion): Promise<boolean> {
    const written = await Promise.all(this.#working().map((folder) => this.#folders.replace(folder, name, encoded.parts).then(() => true, (error: unknown) => {
      this.#fail(folder, error);
      return false;
    })));
    return written.includes(true);
  }

  /** Gives directories that failed a while ago what they have missed of `files`. When nothing works, all are tried. */
  async catchUp(files: readonly VersionName[]): Promise<void> {
    const none = this.#working().length === 0;
    for (const [folder, retryAtMs] of this.#behind) {
      if (!none && this.#clock.monotonicMs() < retryAtMs) continue;
      if (await this.#copyMissed(folder, files)) this.#behind.delete(folder);
      else this.#behind.set(folder, this.#clock.monotonicMs() + retryAfterMs);
    }
  }

  async #copyMissed(folder: string, files: readonly VersionName[]): Promise<boolean> {
    const has = (await this.#folders.list()).get(folder);
    if (!has) return false;
    const lacks = files.filter((name) => !has.some((one) => isSameName(one, name)));
    const holder = this.#working()[0];
    for (const name of lacks) {
      const copied = holder === undefined ? 0 : await this.#folders.copy(name, holder, [folder]);
      if (copied === 0) return false;
      this.replaced += 1;
    }
    return true;
  }

  /** Tells readers of the newest version, in the background: they find it without, only more slowly. */
  writeHeads(version: number): void {
    this.#newestHead = version;
    this.#heads = this.#heads.then(async () => {
      // One that has been overtaken is not worth its flush.
      if (version !== this.#newestHead) return;
      await Promise.all(this.#working().map((folder) => this.#folders.writeHead(folder, version).catch(() => undefined)));
    });
  }

  async settled(): Promise<void> {
    await this.#heads;
  }

  #working(): string[] {
    return this.#folders.folders.filter((folder) => !this.#behind.has(folder));
  }

  #fail(folder: string, error: unknown): void {
    this.failures += 1;
    this.#behind.set(folder, this.#clock.monotonicMs() + retryAfterMs);
    this.#log.error('catalog-folder-failed', { folder, error: messageOf(error) });
  }

  #none(cause: unknown): ForeshadowError {
    const full = errnoOf(cause) === 'ENOSPC';
    return new ForeshadowError(full ? 'storage-full' : 'storage-failed', {
      source: 'storage', retry: true, cause, message: `no catalog directory takes the version: ${this.#folders.folders.join(', ')}`,
      hint: full ? 'free space on the disks' : 'check that the directories exist and may be written',
    });
  }
}

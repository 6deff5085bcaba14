/**
 * The catalog's files in several directories that hold the same: `0000000042.delta`, `0000000040.full`, `0000000030-0000000040.span`, `HEAD`. Finds every copy of a version,
 * tells good from bad, writes to all. Which versions make the history is `chain.ts`'s business.
 */
import { createHash } from 'node:crypto';
import { ForeshadowError, type Log, messageOf } from '../kernel/index.ts';
import { type Disk, errnoOf } from '../kernel/disk.ts';
import { PairCache } from './record-codec.ts';
import { type EncodedVersion, inspectVersion, parseVersion, type SealedHeader, type VersionFile, type VersionKind } from './version-file.ts';

const fileName = /^(?:(\d{10})\.(delta|full)|(\d{10})-(\d{10})\.span)$/;
const headName = 'HEAD';

export interface VersionName {
  readonly kind: VersionKind;
  readonly version: number;
  /** Of a span: the version it begins after. */
  readonly from?: number;
}

/** The version a delta or span begins after. */
export function fromOf(name: VersionName): number {
  return name.from ?? name.version - 1;
}

export function nameOf(file: Pick<SealedHeader, 'kind' | 'version' | 'from'>): VersionName {
  return { kind: file.kind, version: file.version, ...(file.from && { from: file.from.version }) };
}

export function isSameName(a: VersionName, b: VersionName): boolean {
  return a.kind === b.kind && a.version === b.version && a.from === b.from;
}

/** One content of a version, and the directories that hold exactly it. */
export interface Candidate {
  readonly file: SealedHeader;
  readonly folders: readonly string[];
}

export class CatalogFolders {
  readonly folders: readonly string[];
  readonly disk: Disk;
  readonly #log: Log;
  readonly #cache = new PairCache();
  /** Damaged files met. */
  corrupt = 0;

  constructor(folders: readonly string[], disk: Disk, log: Log) {
    this.folders = folders;
    this.disk = disk;
    this.#log = log;
  }

  /** What each readable directory holds. A directory that can't be read is left out. */
  async list(): Promise<Map<string, VersionName[]>> {
    const found = new Map<string, VersionName[]>();
    for (const folder of this.folders) {
      try {
        found.set(folder, (await this.disk.list(folder)).flatMap((name) => parseName(name) ?? []));
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') this.#log.warn('catalog-folder-unreadable', { folder, error: messageOf(error) });
      }
    }
    return found;
  }

  /** Every good content of this version. Damaged copies are counted and left out. Throws `catalog-corrupt` for a newer format. */
  async candidates(name: VersionName): Promise<Candidate[]> {
    const found = new Map<string, { file: SealedHeader; folders: string[] }>();
    for (const folder of this.folders) {
      const bytes = await this.#read(folder, name);
      const file = bytes && (await inspectVersion(bytes));
      if (!file) continue;
      const known = 'why' in file ? undefined : found.get(file.sum);
      if (known) known.folders.push(folder);
      else if ('why' in file) this.#bad(folder, name, file.why, file.detail);
      else if (!isSameName(nameOf(file), name)) this.#bad(folder, name, 'corrupt', 'the file is of another version');
      else found.set(file.sum, { file, folders: [folder] });
    }
    return [...found.values()];
  }

  /** The first good copy that is acceptable; cheaper than `candidates` where any will do. */
  async first(name: VersionName, accept: (file: VersionFile) => boolean): Promise<VersionFile | undefined> {
    for (const folder of this.folders) {
      const bytes = await this.#read(folder, name);
      const file = bytes && (await parseVersion(bytes, this.#cache));
      if (!file) continue;
      if ('why' in file) this.#bad(folder, name, file.why, file.detail);
      else if (isSameName(nameOf(file), name) && accept(file)) return file;
    }
    return undefined;
  }

  /** The content a chain was made of. Throws `catalog-corrupt` when it is there no more. */
  async read({ file }: Candidate): Promise<VersionFile> {
    return await this.first(nameOf(file), (one) => one.sum === file.sum) ?? Promise.reject(noCopy(nameOf(file)));
  }

  async holds(folder: string, name: VersionName): Promise<boolean> {
    return this.disk.size(pathOf(folder, name)).then(() => true, () => false);
  }

  async #read(folder: string, name: VersionName): Promise<Uint8Array | undefined> {
    try {
      return await this.disk.readWhole(pathOf(folder, name));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') this.#log.warn('catalog-file-unreadable', { file: pathOf(folder, name), error: messageOf(error) });
      return undefined;
    }
  }

  #bad(folder: string, name: VersionName, why: 'newer' | 'corrupt', detail: string): void {
    const file = pathOf(folder, name);
    if (why === 'newer') {
      throw new ForeshadowError('catalog-corrupt', {
        source: 'storage', message: `${file} is of a newer format (${detail})`, hint: 'use the newer Foreshadow, or other directories',
      });
    }
    this.corrupt += 1;
    this.#log.error('catalog-file-corrupt', { file, detail });
  }

  /** Writes a version under a name nobody has taken in this directory: false when somebody has. */
  create(folder: string, name: VersionName, encoded: EncodedVersion): Promise<boolean> {
    return this.disk.create(pathOf(folder, name), encoded.parts);
  }

  replace(folder: string, name: VersionName, parts: readonly Uint8Array[]): Promise<void> {
    return this.disk.replace(pathOf(folder, name), parts);
  }

  /** Gives every one of `needing` the copy that `holder` has. Failing is logged; the next opening tries again. */
  async copy(name: VersionName, holder: string, needing: readonly string[]): Promise<number> {
    let copied = 0;
    for (const folder of needing) {
      try {
        const bytes = await this.disk.readWhole(pathOf(holder, name));
        await this.replace(folder, name, [bytes]);
        copied += 1;
        this.#log.info('catalog-file-replaced', { file: pathOf(folder, name) });
      } catch (error) {
        this.#log.warn('catalog-file-not-replaced', { file: pathOf(folder, name), error: messageOf(error) });
      }
    }
    return copied;
  }

  async setAside(folder: string, name: VersionName, atMs: number): Promise<void> {
    const path = pathOf(folder, name);
    try {
      await this.disk.rename(path, `${path}.corrupt-${atMs}`);
    } catch (error) {
      this.#log.warn('catalog-file-not-set-aside', { file: path, error: messageOf(error) });
    }
  }

  /** Temporary files of writers that died. */
  async removeLeftovers(folder: string): Promise<void> {
    const names = await this.disk.list(folder).catch((): string[] => []);
    for (const name of names) if (name.endsWith('.tmp')) await this.disk.remove(`${folder}/${name}`).catch(() => undefined);
  }

  async remove(folder: string, name: VersionName): Promise<void> {
    await this.disk.remove(pathOf(folder, name)).catch(() => undefined);
  }

  /** The version `HEAD` names, the highest of the directories; 0 when none has a good one. Only a hint: the version files are the truth. */
  async readHead(): Promise<number> {
    let head = 0;
    for (const folder of this.folders) {
      const bytes = await this.disk.readWhole(`${folder}/${headName}`).catch(() => undefined);
      const match = bytes && /^(\d{1,15}) ([0-9a-f]{16})\n$/.exec(Buffer.from(bytes).toString());
      if (match?.[1] && match[2] === headSum(match[1])) head = Math.max(head, Number(match[1]));
    }
    return head;
  }

  async writeHead(folder: string, version: number): Promise<void> {
    const text = String(version);
    await this.disk.replace(`${folder}/${headName}`, [Buffer.from(`${text} ${headSum(text)}\n`)]);
  }
}

function parseName(name: string): VersionName | undefined {
  const match = fileName.exec(name);
  if (!match) return undefined;
  if (match[3] !== undefined) return { kind: 'span', from: Number(match[3]), version: Number(match[4]) };
  return { kind: match[2] === 'full' ? 'full' : 'delta', version: Number(match[1]) };
}

function pathOf(folder: string, { kind, version, from }: VersionName): string {
  const padded = (number: number): string => String(number).padStart(10, '0');
  return `${folder}/${from === undefined ? '' : `${padded(from)}-`}${padded(version)}.${kind}`;
}

function headSum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export function noCopy(name: VersionName): ForeshadowError {
  return new ForeshadowError('catalog-corrupt', {
    source: 'storage', message: `no good copy of catalog version ${name.version} is left`, hint: 'restore the file from a backup, or go back to another version',
  });
}

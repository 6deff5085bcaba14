/**
 * The catalog as an edge follows it: from the version it has applied to the newest, step by step, or all at once where that is not possible.
 * Only reads; damaged files are passed over in favour of another directory's copy. Needs nobody else alive.
 */
import { ForeshadowError, type Log } from '../kernel/index.ts';
import { type Disk, systemDisk } from '../kernel/disk.ts';
import { chainFiles, findChain } from './chain.ts';
import { applyDelta, emptyState, everythingIn } from './state.ts';
import { CatalogFolders, fromOf } from './folders.ts';
import type { CatalogDelta } from './shadow-record.ts';
import { deltaFrom, type VersionFile } from './version-file.ts';

/** Each that fails has met another file being merged; there are only so many. */
const attemptsMax = 10;

export class CatalogReader {
  readonly #folders: CatalogFolders;
  readonly #log: Log;

  constructor(options: { readonly dirs: readonly string[]; readonly log: Log; readonly disk?: Disk }) {
    this.#folders = new CatalogFolders(options.dirs, options.disk ?? systemDisk, options.log);
    this.#log = options.log;
  }

  /** The newest version that has a file; 0 for an empty catalog. */
  async head(): Promise<number> {
    let head = await this.#folders.readHead();
    if (head === 0 || !(await this.#exists(head))) {
      const names = [...(await this.#folders.list()).values()].flat();
      head = Math.max(0, ...names.map((name) => name.version));
    }
    while (await this.#exists(head + 1)) head += 1;
    return head;
  }

  /**
   * What has been published after `version`, oldest first; nothing when that is the newest. Begins with a full one when `version` is 0, unknown or too
   * old. Ends early, without an error, where a file can't be read yet; throws `catalog-corrupt` where no history can be read at all.
   */
  async *since(version: number): AsyncGenerator<CatalogDelta> {
    const head = await this.head();
    // No catalog at all is more likely a disk that is not there than a site without shadows: what one has stays.
    if (version === head || head === 0) return;
    let applied = version;
    let link: string | undefined;
    while (applied > 0 && applied < head) {
      const file = await this.#next(applied, link);
      if (!file) break;
      yield deltaFrom(file);
      applied = file.version;
      link = file.kind === 'delta' ? file.sum : file.link;
    }
    if (applied === head) return;
    const everything = await this.#everything(applied, head);
    if (everything) yield everything;
  }

  /** What leads on from a version: its delta, or the span that has taken its place. From within a span it leads to the same as from its beginning. */
  async #next(applied: number, link: string | undefined): Promise<VersionFile | undefined> {
    const delta = await this.#folders.first({ kind: 'delta', version: applied + 1 }, (one) => link === undefined || one.link === link);
    if (delta) return delta;
    const spans = [...(await this.#folders.list()).values()].flat().filter((name) => name.kind === 'span' && fromOf(name) <= applied && applied < name.version);
    for (const name of spans) {
      const span = await this.#folders.first(name, (one) => link === undefined || one.from?.version !== applied || one.from.link === link);
      if (span) return span;
    }
    return undefined;
  }

  /** Undefined where nothing newer can be read. */
  async #everything(applied: number, head: number): Promise<CatalogDelta | undefined> {
    for (let attempt = 1; ; attempt++) {
      const chain = await findChain(this.#folders, 'newest');
      // Files may have been merged into a span since they were listed; then a second look finds that.
      const lastAttempt = attempt === attemptsMax;
      if (chain.head < head && !lastAttempt) continue;
      // The rest is damaged in every directory and nothing newer stands on its own: the last that could be read stays in force.
      if (chain.head === 0 || chain.head === applied) {
        this.#log.error('catalog-unreadable', { head, readable: chain.head });
        if (chain.head === 0) throw unreadable(head);
        return undefined;
      }
      const files = chainFiles(chain);
      try {
        const state = emptyState();
        for (const candidate of files) applyDelta(state, deltaFrom(await this.#folders.read(candidate)));
        return { ...everythingIn(state), version: chain.head, publishedAtMs: files.at(-1)?.file.publishedAtMs ?? 0, full: true };
      } catch (error) {
        if (lastAttempt) throw error;
      }
    }
  }

  async #exists(version: number): Promise<boolean> {
    for (const folder of this.#folders.folders) {
      if (await this.#folders.holds(folder, { kind: 'delta', version })) return true;
      if (await this.#folders.holds(folder, { kind: 'full', version })) return true;
    }
    return false;
  }
}

function unreadable(head: number): ForeshadowError {
  return new ForeshadowError('catalog-corrupt', {
    source: 'storage', message: `version ${head} of the catalog is named, but no whole history can be read`, hint: 'restore the catalog directories from a backup',
  });
}

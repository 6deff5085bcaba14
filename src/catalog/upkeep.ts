/**
 * Keeps the catalog's files few, in the background: full versions to begin from, spans in the place of many versions, and nothing that no kept version
 * needs. What replaces something is written, flushed and known before that is deleted, so that a crash at any moment leaves a whole history.
 */
import type { BlobDigest, Clock, Log } from '../kernel/index.ts';
import { messageOf } from '../kernel/index.ts';
import { type CatalogFolders, fromOf, noCopy, type VersionName } from './folders.ts';
import type { History, Point } from './history.ts';
import type { Replicas } from './replicas.ts';
import { ChangeSum } from './span.ts';
import { applyDelta, type CatalogState, emptyState, everythingIn } from './state.ts';
import { deltaFrom, encodeVersion, type EncodedVersion, type VersionHeader } from './version-file.ts';

/** A full version is written when the deltas since the last take more room than it did, but not for less than this. */
const fullBytesMin = 1024 * 1024;
const deltasPerFullMax = 1000;
/** Beside the one the history begins with. More would shorten openings that never happen. */
const fullsMax = 3;
const thinEveryMs = 600_000;

export interface UpkeepParts {
  readonly history: History;
  readonly folders: CatalogFolders;
  readonly replicas: Replicas;
  readonly clock: Clock;
  readonly log: Log;
  readonly thinEvery: number;
  /** Between two publications. */
  readonly exclusively: <T>(run: () => Promise<T>) => Promise<T>;
  readonly liveNow: () => ReadonlySet<BlobDigest>;
}

export class Upkeep {
  readonly #parts: UpkeepParts;
  #fullBytes = 0;
  #deltaBytes = 0;
  #deltas = 0;
  #sinceThin = 0;
  #thinnedAtMs: number;
  #running: Promise<void> | undefined;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#thinnedAtMs = parts.clock.nowMs();
  }

  /** After opening: further full versions that lie on the history are of use too. */
  async begin(): Promise<void> {
    const { history, folders, replicas } = this.#parts;
    const links = new Map(history.points.map(({ version, link }) => [version, link]));
    const listing = await folders.list();
    const names = [...listing.values()].flat().filter((name) => name.kind === 'full' && links.has(name.version));
    for (const version of new Set(names.map((name) => name.version))) {
      if (history.files.some(({ name }) => name.kind === 'full' && name.version === version)) continue;
      const found = (await folders.candidates({ kind: 'full', version })).find(({ file }) => file.link === links.get(version));
      if (!found) continue;
      history.addFile({ name: { kind: 'full', version }, bytes: found.file.bytes });
      await replicas.giveAll(found, [...listing.keys()]);
    }
    this.#count();
  }

  /** How much there is since the newest full version. */
  #count(): void {
    const { files } = this.#parts.history;
    const full = files.findLast(({ name }) => name.kind === 'full');
    const since = files.filter(({ name }) => name.kind !== 'full' && name.version > (full?.name.version ?? 0));
    this.#fullBytes = full?.bytes ?? 0;
    this.#deltas = since.length;
    this.#deltaBytes = since.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** After each publication; what is due is done in the background. */
  published(bytes: number, newest: Point, state: CatalogState): void {
    this.#deltaBytes += bytes;
    this.#deltas += 1;
    this.#sinceThin += 1;
    if (this.#running) return;
    const nowMs = this.#parts.clock.nowMs();
    const fullDue = this.#deltaBytes > Math.max(fullBytesMin, this.#fullBytes) || this.#deltas >= deltasPerFullMax;
    const thinDue = this.#sinceThin >= this.#parts.thinEvery || nowMs - this.#thinnedAtMs >= thinEveryMs;
    if (!fullDue && !thinDue) return;
    const everything = fullDue ? everythingIn(state) : undefined;
    this.#running = (async () => {
      if (everything) await this.#writeFull(newest, encodeVersion(fullHeader(newest), everything));
      await this.#thin(nowMs);
      await this.#prune();
    })().catch((error: unknown) => {
      this.#parts.log.warn('catalog-upkeep-failed', { version: newest.version, error: messageOf(error), hint: 'the catalog is whole but larger than it need be; it is tried again' });
    }).finally(() => { this.#running = undefined; });
  }

  async settled(): Promise<void> {
    await this.#running;
  }

  /** Everything there was at a version that is kept. */
  async stateAt(version: number): Promise<CatalogState> {
    const { history, folders } = this.#parts;
    const state = emptyState();
    for (const { name } of history.pathTo(version)) {
      const file = await folders.first(name, () => true);
      if (!file) throw noCopy(name);
      applyDelta(state, deltaFrom(file));
    }
    return state;
  }

  async #writeFull(point: Point, encoding: Promise<EncodedVersion>): Promise<void> {
    const { history, replicas, exclusively } = this.#parts;
    const encoded = await encoding;
    const name: VersionName = { kind: 'full', version: point.version };
    await exclusively(async () => {
      if (!(await replicas.replaceEverywhere(name, encoded))) return;
      history.addFile({ name, bytes: encoded.bytes });
      this.#count();
    });
  }

  async #thin(nowMs: number): Promise<void> {
    const { history, exclusively, liveNow } = this.#parts;
    this.#sinceThin = 0;
    this.#thinnedAtMs = nowMs;
    await exclusively(() => {
      history.forgetOld(nowMs);
      history.forgetBeyondStorage(liveNow());
      return Promise.resolve();
    });
    for (const { before, run } of history.runs()) await this.#span(before, run);
  }

  /** Files never change, so they are read while publishing goes on. */
  async #span(before: Point, run: readonly Point[]): Promise<void> {
    const { history, folders, replicas, exclusively } = this.#parts;
    const last = run.at(-1);
    if (!last) return;
    const sum = new ChangeSum();
    for (const { name } of history.files.filter((file) => file.name.kind !== 'full' && before.version < file.name.version && file.name.version <= last.version)) {
      const file = await folders.first(name, () => true);
      if (!file) throw noCopy(name);
      sum.add(deltaFrom(file));
    }
    const change = sum.change();
    const from = { version: before.version, link: before.link };
    const encoded = await encodeVersion({ kind: 'span', version: last.version, link: last.link, publishedAtMs: last.publishedAtMs, from }, change);
    const name: VersionName = { kind: 'span', version: last.version, from: before.version };
    const counts = { put: change.put.length, remove: change.remove.length, fill: change.fill.length, unfill: change.unfill.length };
    await exclusively(async () => {
      if (!(await replicas.replaceEverywhere(name, encoded))) return;
      const replaced = history.merge(before, run, counts, { name, bytes: encoded.bytes });
      for (const folder of folders.folders) {
        // A directory that missed the span keeps what it stands for, until it has caught up.
        if (await folders.holds(folder, name)) for (const old of replaced) await folders.remove(folder, old);
      }
    });
  }

  /** Makes the history begin with its oldest point, when what leads there from an older beginning is larger than a full version would be; then deletes what is needless. */
  async #prune(): Promise<void> {
    const { history, folders, exclusively } = this.#parts;
    const [oldest] = history.points;
    if (!oldest) return;
    const [base, ...steps] = history.pathTo(oldest.version);
    const bytes = steps.reduce((sum, file) => sum + file.bytes, 0);
    if (base && bytes > Math.max(fullBytesMin, base.name.kind === 'full' ? base.bytes : 0)) {
      await this.#writeFull(oldest, encodeVersion(fullHeader(oldest), everythingIn(await this.stateAt(oldest.version))));
    }
    await exclusively(async () => {
      const needless = this.#needless(oldest.version);
      for (const [folder, names] of await folders.list()) for (const name of names) if (needless(name)) await folders.remove(folder, name);
      history.files = history.files.filter(({ name }) => !needless(name));
    });
  }

  #needless(oldest: number): (name: VersionName) => boolean {
    const { files } = this.#parts.history;
    const fulls = files.flatMap(({ name }) => (name.kind === 'full' ? [name.version] : [])).reverse();
    const base = fulls.find((version) => version <= oldest) ?? 0;
    const spans = files.flatMap(({ name }) => (name.kind === 'span' ? [name] : []));
    return (name) => {
      if (name.version < base || (name.version === base && name.kind !== 'full')) return true;
      if (name.kind === 'full') return name.version !== base && !fulls.slice(0, fullsMax).includes(name.version);
      // What a span stands for, left by a crash.
      return spans.some((span) => fromOf(span) <= fromOf(name) && name.version <= span.version && (fromOf(span) !== fromOf(name) || span.version !== name.version));
    };
  }
}

function fullHeader({ version, link, publishedAtMs }: Point): VersionHeader {
  return { kind: 'full', version, link, publishedAtMs };
}

/**
 * What can be gone back to: the points of the history that are kept, the bodies they need, and the files they are made of. Decides what is to go; touches
 * no files. The last `keepVersions` versions are kept whole; before them one for each ten minutes, as far back as `keepForMs` and `historyBytesMax` allow.
 */
import type { BlobDigest } from '../kernel/index.ts';
import type { VersionName } from './folders.ts';
import { bodiesOf, type CatalogDelta, type ShadowRecord } from './shadow-record.ts';

export interface VersionInfo {
  readonly version: number;
  readonly publishedAtMs: number;
  /** Against the version before it that is kept. */
  readonly put: number;
  readonly remove: number;
  readonly fill: number;
  readonly unfill: number;
  /** Records there were in this version. */
  readonly records: number;
}

/** A body of a record that was replaced or removed, and the version that had published it. */
interface Retired {
  readonly body: BlobDigest;
  readonly bodyBytes: number;
  readonly version: number;
}

export interface Point extends VersionInfo {
  readonly link: string;
  /** Bodies that the point before needs and this one does not. */
  readonly retired: readonly Retired[];
}

export interface HistoryFile {
  readonly name: VersionName;
  readonly bytes: number;
}

export interface HistoryLimits {
  readonly keepVersions: number;
  readonly keepForMs: number;
  readonly historyBytesMax: number;
}

/** Beyond the last versions, one is kept for each of these. */
const pointEveryMs = 600_000;

export class History {
  /** Oldest first. */
  points: Point[] = [];
  /** Every file, in the order of the versions they lead to. */
  files: HistoryFile[] = [];
  readonly #limits: HistoryLimits;

  constructor(limits: HistoryLimits) {
    this.#limits = limits;
  }

  add(delta: CatalogDelta, link: string, records: number, retired: readonly ShadowRecord[], nowMs: number): void {
    const { version, publishedAtMs, full, put, remove, fill, unfill } = delta;
    this.points.push({
      version, publishedAtMs, put: put.length, remove: remove.length, fill: fill.length, unfill: unfill.length, records, link,
      retired: full ? [] : retired.flatMap((record) => bodiesOf(record).map(({ body, bodyBytes }) => ({ body, bodyBytes, version: record.version }))),
    });
    this.forgetOld(nowMs);
  }

  infos(): VersionInfo[] {
    return this.points.map(({ version, publishedAtMs, put, remove, fill, unfill, records }) => ({ version, publishedAtMs, put, remove, fill, unfill, records }));
  }

  addFile(file: HistoryFile): void {
    this.files = [...this.files, file].sort((a, b) => a.name.version - b.name.version);
  }

  /** Drops points that are too many and too old. */
  forgetOld(nowMs: number): void {
    const { keepVersions, keepForMs } = this.#limits;
    const old = this.points.findIndex((point, n) => n >= this.points.length - keepVersions || point.publishedAtMs > nowMs - keepForMs);
    if (old > 0) this.points.splice(0, old);
  }

  /** Drops the oldest points until bodies and files that are there for older versions alone fit. */
  forgetBeyondStorage(live: ReadonlySet<BlobDigest>): void {
    const seen = new Set(live);
    let bytes = 0;
    for (let n = this.points.length - 1; n > 0; n--) {
      const point = this.points[n];
      for (const { body, bodyBytes } of point?.retired ?? []) {
        if (seen.has(body)) continue;
        seen.add(body);
        bytes += bodyBytes;
      }
      bytes += this.files.find(({ name }) => name.kind !== 'full' && name.version === point?.version)?.bytes ?? 0;
      if (bytes <= this.#limits.historyBytesMax) continue;
      this.points.splice(0, n);
      return;
    }
  }

  /** Adds what the kept points before the newest need. */
  addBodies(live: Set<BlobDigest>): void {
    for (const point of this.points.slice(1)) for (const { body } of point.retired) live.add(body);
  }

  /** Runs of points of which only the last is to stay; each with the point before it. None while there are few. */
  runs(): { readonly before: Point; readonly run: readonly Point[] }[] {
    const { keepVersions } = this.#limits;
    const thinned = this.points.slice(0, Math.max(0, this.points.length - keepVersions));
    const fulls = new Set(this.files.flatMap(({ name }) => (name.kind === 'full' ? [name.version] : [])));
    const runs: { before: Point; run: Point[] }[] = [];
    let before = thinned[0];
    let run: Point[] = [];
    for (const [n, point] of thinned.entries()) {
      if (n === 0 || !before) continue;
      run.push(point);
      const next = thinned[n + 1];
      // A full version is begun from: what leads on from it must begin there.
      if (next && bucketOf(next) === bucketOf(point) && !fulls.has(point.version)) continue;
      if (run.length > 1) runs.push({ before, run });
      before = point;
      run = [];
    }
    return runs;
  }

  /** The last point of a run stands for all of it, and one file for theirs. */
  merge(before: Point, run: readonly Point[], counts: Pick<VersionInfo, 'put' | 'remove' | 'fill' | 'unfill'>, span: HistoryFile): VersionName[] {
    const last = run.at(-1);
    if (!last) return [];
    // What came and went within the run is needed by none that stays.
    const retired = run.flatMap((point) => point.retired.filter(({ version }) => version <= before.version));
    this.points = this.points.flatMap((point) => (point.version === last.version ? [{ ...point, ...counts, retired }] : run.includes(point) ? [] : [point]));
    const replaced = this.files.filter(({ name }) => name.kind !== 'full' && before.version < name.version && name.version <= last.version);
    this.files = [...this.files.filter((file) => !replaced.includes(file)), span].sort((a, b) => a.name.version - b.name.version);
    return replaced.map(({ name }) => name);
  }

  /** The newest full version at or before this one, and the files from there to it, in order. */
  pathTo(version: number): HistoryFile[] {
    const full = this.files.findLast(({ name }) => name.kind === 'full' && name.version <= version);
    const start = full?.name.version ?? 0;
    const steps = this.files.filter(({ name }) => name.kind !== 'full' && start < name.version && name.version <= version);
    return full ? [full, ...steps] : steps;
  }
}

function bucketOf(point: Point): number {
  return Math.floor(point.publishedAtMs / pointEveryMs);
}

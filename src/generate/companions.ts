/**
 * A page and its own assets change together. A changed page that refers to assets of its site which have no copy yet waits, unpublished, until they are there
 * or refused, and then goes with them; at the latest after `companionsWaitMs`, because an old page is worse than an incomplete one. First copies never
 * wait. Plain state: what is missing and where a page goes is the caller's to say. Bodies of waiting pages are named, so that nobody collects them.
 */
import { shadowId, type ShadowRecord } from '../catalog/shadow-record.ts';
import type { BlobDigest, ResourceKey } from '../kernel/index.ts';
import { targetId } from './candidates.ts';

/** Longest wait of a page for its assets. */
export const companionsWaitMs = 15_000;
/** Pages that wait at once; further ones go without waiting. */
export const companionsMax = 256;

interface Waiting {
  readonly record: ShadowRecord;
  readonly assets: readonly ResourceKey[];
  readonly sinceMs: number;
}

export class Companions {
  readonly #waiting = new Map<string, Waiting>();
  #late = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Pages that went without some of their assets, because the time was over or there was no room to wait. */
  get late(): number {
    return this.#late;
  }

  /** Targets (`targetId`) of which a newer copy is waiting: they need not be fetched. */
  targets(): ReadonlySet<string> {
    return new Set(this.#waiting.values().map(({ record }) => targetId(record.resource, record.variation)));
  }

  /** Takes a page that lacks `assets`; false where there is no room. A newer copy of a page that waits takes its place, not more time. */
  hold(record: ShadowRecord, assets: readonly ResourceKey[], nowMs: number): boolean {
    const id = shadowId(record);
    const before = this.#waiting.get(id);
    if (!before && this.#waiting.size >= companionsMax) {
      this.#late++;
      return false;
    }
    this.#waiting.set(id, { record, assets, sinceMs: before?.sinceMs ?? nowMs });
    return true;
  }

  /** A newer copy went by without waiting, or the page is gone. */
  drop(record: Pick<ShadowRecord, 'resource' | 'variation' | 'vary'>): void {
    this.#waiting.delete(shadowId(record));
  }

  /** The pages that need wait no longer; they are the caller's from then on. */
  settle(isMissing: (asset: ResourceKey) => boolean, nowMs: number): readonly ShadowRecord[] {
    const ready: ShadowRecord[] = [];
    for (const [id, { record, assets, sinceMs }] of this.#waiting) {
      const complete = !assets.some(isMissing);
      if (!complete && nowMs - sinceMs < companionsWaitMs) continue;
      if (!complete) this.#late++;
      this.#waiting.delete(id);
      ready.push(record);
    }
    return ready;
  }

  /** Bodies that only pages in waiting name. */
  *bodies(): Iterable<BlobDigest> {
    for (const { record } of this.#waiting.values()) yield record.body;
  }
}

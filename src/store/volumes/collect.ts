/**
 * Taking space back. Three steps, each safe to die in: blobs nobody wants are forgotten; segments with nothing left in them are
 * deleted; segments that are mostly dead, or small, are rewritten: their live records are appended to the present segment, that is flushed,
 * and only then the old file goes. Dying in between leaves a second copy, which the next opening finds and the next collection removes.
 */
import { type BlobDigest, messageOf } from '../../kernel/index.ts';
import { digestFromBytes } from '../digest.ts';
import type { Copies } from './copies.ts';

/** A segment is rewritten when less than this part of it is alive. */
const liveShareMin = 0.5;
/** Segments shorter than a quarter of the full length are merged when there are more of them than this. */
const smallSegmentsMax = 8;
const idsPerTurn = 4096;

/** Records moved at the same time while a segment is rewritten. */
const movedAtOnce = 16;

export interface Collection {
  readonly keep: (digest: BlobDigest) => boolean;
  /** Flushes everything. */
  readonly sync: () => Promise<void>;
  readonly segmentBytes: number;
}

export async function collectBlobs(copies: Copies, collection: Collection): Promise<{ blobs: number; bytes: number }> {
  const freed = await forgetDead(copies, collection.keep);
  for (const [ordinal, volume] of copies.set.volumes.entries()) {
    if (volume.state !== 'ok') continue;
    try {
      await tidyVolume(copies, ordinal, collection);
    } catch (error) {
      copies.set.fail(volume, 'degraded', error);
      copies.log.warn('collect-stopped', { volume: volume.path, error: messageOf(error) });
    }
  }
  return freed;
}

async function forgetDead(copies: Copies, keep: (digest: BlobDigest) => boolean): Promise<{ blobs: number; bytes: number }> {
  let blobs = 0;
  let bytes = 0;
  let seen = 0;
  for (const id of copies.index.ids()) {
    // A million digests take most of a second to look up: let others work in between.
    if (++seen % idsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    if (copies.index.copies(id) === 0 || keep(digestFromBytes(copies.index.digestAt(id)))) continue;
    blobs += 1;
    bytes += copies.index.bodyBytes(id);
    copies.forget(id);
  }
  return { blobs, bytes };
}

async function tidyVolume(copies: Copies, ordinal: number, { sync, segmentBytes }: Collection): Promise<void> {
  const volume = copies.set.at(ordinal);
  const stillOpen = [...volume.segments].some(([segment, use]) => volume.isOpen(segment) && use.sidecarStale);
  if (stillOpen) volume.finishSegment();
  await sync();

  const closed = [...volume.segments].filter(([segment]) => !volume.isOpen(segment));
  for (const [segment, use] of closed) if (use.liveBytes <= 0) await volume.removeSegment(segment);
  const left = closed.filter(([segment]) => volume.segments.has(segment));
  const small = left.filter(([, use]) => use.fileBytes < segmentBytes / 4);
  const rewrite = new Set(left.filter(([, use]) => use.liveBytes < use.fileBytes * liveShareMin).map(([segment]) => segment));
  if (small.length > smallSegmentsMax) for (const [segment] of small) rewrite.add(segment);
  await rewriteSegments(copies, ordinal, rewrite, sync);

  const stale = left.filter(([segment, use]) => use.sidecarStale && volume.segments.has(segment));
  if (stale.length > 0) await copies.writeSidecars(ordinal, new Set(stale.map(([segment]) => segment)));
}

async function rewriteSegments(copies: Copies, ordinal: number, segments: ReadonlySet<number>, sync: () => Promise<void>): Promise<void> {
  if (segments.size === 0) return;
  const volume = copies.set.at(ordinal);
  for (const [segment, entries] of copies.entriesOf(ordinal, segments)) {
    for (let from = 0; from < entries.length; from += movedAtOnce) {
      const some = entries.slice(from, from + movedAtOnce);
      await Promise.all(some.map(({ digest, bodyOffset }) => copies.moveWithin(ordinal, digest, { segment, bodyOffset })));
    }
    await sync();
    if (volume.state !== 'ok') return;
    await volume.removeSegment(segment);
  }
}

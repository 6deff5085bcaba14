/**
 * Taking space back. Three steps, each safe to die in: blobs nobody wants are forgotten; segments with nothing left in them are
 * deleted; segments that are mostly dead, or small, are rewritten: their live records are appended to the present segment, that is flushed,
 * and only then the old file goes. Dying in between leaves a second copy, which the next opening finds and the next collection removes.
 */
import { type BlobDigest, messageOf } from '../../kernel/index.ts';
import { digestFromBytes } from '../digest.ts';
import type { VolumesStore } from './volumes.ts';

/** A segment is rewritten when less than this part of it is alive. */
const liveShareMin = 0.5;
/** Segments shorter than a quarter of the full length are merged when there are more of them than this. */
const smallSegmentsMax = 8;
const idsPerTurn = 4096;

export async function collectBlobs(
  store: VolumesStore,
  keep: (digest: BlobDigest) => boolean,
  segmentBytes: number,
): Promise<{ blobs: number; bytes: number }> {
  const freed = await forgetDead(store, keep);
  for (const [ordinal, volume] of store.set.volumes.entries()) {
    if (volume.state !== 'ok') continue;
    try {
      await tidyVolume(store, ordinal, segmentBytes);
    } catch (error) {
      store.set.fail(volume, 'degraded', error);
      store.log.warn('collect-stopped', { volume: volume.path, error: messageOf(error) });
    }
  }
  return freed;
}

async function forgetDead(store: VolumesStore, keep: (digest: BlobDigest) => boolean): Promise<{ blobs: number; bytes: number }> {
  let blobs = 0;
  let bytes = 0;
  let seen = 0;
  for (const id of store.index.ids()) {
    // A million digests take most of a second to look up: let others work in between.
    if (++seen % idsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    if (store.index.copies(id) === 0 || keep(digestFromBytes(store.index.digestAt(id)))) continue;
    blobs += 1;
    bytes += store.index.bodyBytes(id);
    store.forget(id);
  }
  return { blobs, bytes };
}

async function tidyVolume(store: VolumesStore, ordinal: number, segmentBytes: number): Promise<void> {
  const volume = store.set.at(ordinal);
  const open = [...volume.segments].filter(([segment, use]) => volume.isOpen(segment) && use.sidecarStale);
  if (open.length > 0) volume.finishSegment();
  await store.sync();

  const closed = [...volume.segments].filter(([segment]) => !volume.isOpen(segment));
  for (const [segment, use] of closed) if (use.liveBytes <= 0) await volume.removeSegment(segment);
  const left = closed.filter(([segment]) => volume.segments.has(segment));
  const small = left.filter(([, use]) => use.fileBytes < segmentBytes / 4);
  const rewrite = new Set(left.filter(([, use]) => use.liveBytes < use.fileBytes * liveShareMin).map(([segment]) => segment));
  if (small.length > smallSegmentsMax) for (const [segment] of small) rewrite.add(segment);
  await rewriteSegments(store, ordinal, rewrite);

  const stale = left.filter(([segment, use]) => use.sidecarStale && volume.segments.has(segment));
  await store.writeSidecars(ordinal, new Set(stale.map(([segment]) => segment)));
}

async function rewriteSegments(store: VolumesStore, ordinal: number, segments: ReadonlySet<number>): Promise<void> {
  const volume = store.set.at(ordinal);
  if (segments.size === 0) return;
  for (const [segment, entries] of store.entriesOf(ordinal, segments)) {
    for (const { digest, bodyOffset } of entries) await store.moveWithin(ordinal, digest, { segment, bodyOffset });
    await store.sync();
    if (volume.state !== 'ok') return;
    await volume.removeSegment(segment);
  }
}

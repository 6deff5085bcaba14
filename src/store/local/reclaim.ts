/**
 * Disk space of the local store: deletes segment files with nothing alive in them, and rewrites the emptiest while there are any that are mostly dead, or
 * the space is used up. Runs between two batches of writes, so that nothing is appended or moved meanwhile; reads go on.
 */
import { scanRecords, segmentPath } from '../segments/index.ts';
import type { BodyFiles, BodyPlace } from './body-files.ts';
import type { Changes, Ledger } from './changes.ts';
import type { Table } from './database.ts';
import { decodePlace } from './entry.ts';

/** A segment is rewritten when less than this part of it is alive; when space is short, already below the second. */
const liveShareMin = 0.5;
const liveShareWhenTight = 0.9;
const movesPerChange = 128;

interface Move {
  readonly digest: Buffer;
  readonly from: BodyPlace;
  readonly to: BodyPlace;
}

export interface Reclaimable {
  readonly files: BodyFiles;
  readonly bodies: Table;
  readonly storageBytes: number;
  readonly ledger: () => Ledger;
  /** One transaction. */
  readonly change: (run: (changes: Changes) => void) => Promise<void>;
}

export async function reclaim(store: Reclaimable): Promise<void> {
  const { files } = store;
  for (;;) {
    await files.settle();
    const { segments, recordBytes, fillingBytes } = store.ledger();
    let victim: { segment: number; share: number } | undefined;
    for (const [segment, bytes] of files.segments) {
      if (files.isOpen(segment)) continue;
      const live = segments.get(segment) ?? 0;
      if (live <= 0) files.remove(segment);
      else if (!victim || live / bytes < victim.share) victim = { segment, share: live / bytes };
    }
    const tight = files.bytes + recordBytes + fillingBytes > store.storageBytes;
    if (!victim || victim.share > (tight ? liveShareWhenTight : liveShareMin)) return;
    await rewrite(store, victim.segment);
  }
}

/** In small transactions: each keeps the serving thread. Dying in between leaves some records in both files, and the index naming one. */
async function rewrite(store: Reclaimable, segment: number): Promise<void> {
  const { files, bodies } = store;
  const bytes = await Bun.file(segmentPath(files.folder, segment)).bytes();
  let moved: Move[] = [];
  for (const found of scanRecords(bytes)) {
    const digest = Buffer.from(found.digest);
    const value = bodies.get(digest);
    const from = value && decodePlace(value);
    if (from?.segment !== segment || from.offset !== found.bodyOffset) continue;
    const to = await files.append(digest, bytes.subarray(found.bodyOffset, found.bodyOffset + found.bodyBytes));
    moved.push({ digest, from, to });
    if (moved.length < movesPerChange) continue;
    await applyMoves(store, moved);
    moved = [];
  }
  await applyMoves(store, moved);
  await store.change((changes) => {
    // What is still counted there was damaged: reading its digest finds no file, and drops it.
    changes.ledger.segments.delete(segment);
  });
  files.remove(segment);
}

function applyMoves(store: Reclaimable, moved: readonly Move[]): Promise<void> {
  return store.change((changes) => {
    for (const { digest, from, to } of moved) changes.moveBody(digest, from, to);
  });
}

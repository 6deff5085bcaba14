/**
 * The last good values of feeds as bytes, so that pages are live at once after a restart, while a feed is down. Bounded: those heard longest ago are
 * left out. A value is known again by its key and the fingerprint of its address, never by the address itself, which may hold secrets.
 */
import type { FeedKey } from '../../compose/types.ts';
import { ByteReader, ByteWriter, ForeshadowError } from '../../kernel/index.ts';
import { documentBytesMax } from './document.ts';
import type { Kept } from './instance.ts';

/** Documents in a snapshot, together. */
export const snapshotBytesMax = 16 * 1024 * 1024;
/** Values in it: more than so many small ones are not written. */
export const snapshotValuesMax = 16_384;
const nameBytesMax = 8192;
const magic = 'FSFV';
const version = 1;

export type SnapshotValue = Omit<Kept, 'document'> & { readonly key: FeedKey; readonly fingerprint: string };

export function writeSnapshot(values: readonly SnapshotValue[]): Uint8Array {
  let bytes = 0;
  const chosen = [...values].sort((a, b) => b.heardMs - a.heardMs).slice(0, snapshotValuesMax).filter((value) => {
    if (bytes + value.bytes.length > snapshotBytesMax) return false;
    bytes += value.bytes.length;
    return true;
  });
  const writer = new ByteWriter(magic, version);
  writer.uint(chosen.length);
  for (const { key, fingerprint, validators, valueTimeMs, heardMs, bytes: document } of chosen) {
    writer.string(key);
    writer.string(fingerprint);
    writer.string(validators.etag ?? '');
    writer.string(validators.lastModified ?? '');
    writer.double(valueTimeMs);
    writer.double(heardMs);
    writer.uint(document.length);
    writer.raw(document);
  }
  return writer.finish();
}

/** What was written. Throws `bytes-invalid` for anything else. */
export function readSnapshot(bytes: Uint8Array): readonly SnapshotValue[] {
  const reader = new ByteReader(bytes, magic, version, 'the feeds\' values');
  const values: SnapshotValue[] = [];
  for (let left = reader.length(1); left > 0; left--) {
    const key = reader.string(nameBytesMax) as FeedKey; // `feedKey` made it before it was written
    const fingerprint = reader.string(nameBytesMax);
    const etag = reader.string(nameBytesMax) || undefined;
    const lastModified = reader.string(nameBytesMax) || undefined;
    const valueTimeMs = readTime(reader);
    const heardMs = readTime(reader);
    const length = reader.length(1);
    if (length > documentBytesMax) throw invalid('a document is too large');
    values.push({ key, fingerprint, validators: { etag, lastModified }, valueTimeMs, heardMs, bytes: reader.raw(length).slice() });
  }
  reader.end();
  return values;
}

function readTime(reader: ByteReader): number {
  const timeMs = reader.double();
  if (!(timeMs >= 0 && Number.isFinite(timeMs))) throw invalid('a time is none');
  return timeMs;
}

function invalid(why: string): ForeshadowError {
  return new ForeshadowError('bytes-invalid', { source: 'internal', message: `the feeds' values can not be read: ${why}`, hint: 'they are asked for anew' });
}

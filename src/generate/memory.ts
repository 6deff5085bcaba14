/**
 * What the generator has learned and the catalog does not say, as bytes, so that a restart neither forgets nor asks again: refusals with
 * their waits and doubts, how often resources change, what good copies are like, and which of them passing requests renew. Of each the longest untouched is left out
 * beyond a bound. The reader takes exactly what the writer makes.
 */
import { ByteReader, ByteWriter, ForeshadowError, type ResourceKey } from '../kernel/index.ts';
import { Changes } from './changes.ts';
import { History, sightingsMax, type GoodCopy } from './history.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';
import type { ChangeEvidence } from './plan/index.ts';
import { refusals, type Refusal } from './refusals.ts';

const magic = 'FSGM';
const version = 4;
/** Before: 3 had no history, 2 had no feeds, 1 also had single observations of change in place of what they tell. */
const earlierVersions = [3, 2, 1];
const observationsMax = 8;
/** Most entries of each kind, and most characters of their names together: what is written once a minute. */
const entriesMax = 50_000;
const nameCharactersMax = 4 * 1024 * 1024;
const nameBytesMax = 65_536;
const reasonBytesMax = 64;

/** Handed over whole: the generator goes on with these very objects. */
export interface Memory {
  readonly ledger: Ledger;
  readonly changes: Changes;
  readonly history: History;
  /** Resources whose answers passing requests are known to renew. */
  readonly passing: ReadonlySet<ResourceKey>;
  /** Last good values of feeds, as `FeedHub.snapshot` made them. */
  readonly feeds?: Uint8Array | undefined;
}

export function writeMemory({ ledger, changes, history, passing, feeds = new Uint8Array() }: Memory): Uint8Array {
  const writer = new ByteWriter(magic, version);
  const entries = newest([...ledger.entries()], ([id]) => id);
  writer.uint(entries.length);
  for (const [id, entry] of entries) writeEntry(writer, id, entry);
  const learned = newest([...changes.entries()], ([resource]) => resource);
  writer.uint(learned.length);
  for (const [resource, { shape, minutes }] of learned) {
    writer.string(resource);
    writer.double(shape);
    writer.double(minutes);
  }
  const seen = newest([...passing], (resource) => resource);
  writer.uint(seen.length);
  for (const resource of seen) writer.string(resource);
  writer.uint(feeds.length);
  writer.raw(feeds);
  const copies = newest([...history.entries()], ([id]) => id);
  writer.uint(copies.length);
  for (const [id, known] of copies) {
    writer.string(id);
    writer.uint(known.length);
    for (const { bytes, words, mainWords } of known) for (const figure of [bytes, words, mainWords]) writer.uint(figure);
  }
  return writer.finish();
}

export function emptyMemory(): Memory {
  return { ledger: new Ledger(), changes: new Changes(), history: new History(), passing: new Set() };
}

/** What was written. Throws `bytes-invalid` for anything else. */
export function readMemory(bytes: Uint8Array, nowMs: number): Memory {
  const { ledger, changes, history } = emptyMemory();
  const passing = new Set<ResourceKey>();
  const written = earlierVersions.find((earlier) => bytes[4] === earlier) ?? version;
  const reader = new ByteReader(bytes, magic, written, 'the generator\'s memory');
  for (let left = count(reader, entriesMax); left > 0; left--) ledger.restore(reader.string(nameBytesMax), readEntry(reader), nowMs);
  for (let left = count(reader, entriesMax); left > 0; left--) {
    const resource = readResource(reader);
    if (written === 1) readObservations(reader, (minutes, changed) => { changes.observe(resource, minutes * 60_000, changed); });
    else changes.restore(resource, readEvidence(reader));
  }
  for (let left = count(reader, entriesMax); left > 0; left--) passing.add(readResource(reader));
  const feeds = written < 3 ? undefined : reader.raw(reader.length(1)).slice();
  if (written >= 4) for (let left = count(reader, entriesMax); left > 0; left--) history.restore(reader.string(nameBytesMax), readCopies(reader));
  reader.end();
  return { ledger, changes, history, passing, feeds: feeds && feeds.length > 0 ? feeds : undefined };
}

/** The last entries within the bounds, in their order. */
function newest<Entry>(entries: readonly Entry[], nameOf: (entry: Entry) => string): readonly Entry[] {
  let from = entries.length;
  let characters = 0;
  while (from > 0 && entries.length - from < entriesMax) {
    const next = entries[from - 1];
    if (next === undefined) break;
    characters += nameOf(next).length;
    if (characters > nameCharactersMax) break;
    from--;
  }
  return entries.slice(from);
}

function writeEntry(writer: ByteWriter, id: string, { reason, suspicion, notBeforeMs, times }: LedgerEntry): void {
  writer.string(id);
  writer.string(reason);
  writer.double(notBeforeMs);
  writer.uint(times);
  writer.uint(suspicion ? suspicion.sightings : 0);
  if (!suspicion) return;
  writer.string(suspicion.reason);
  writer.double(suspicion.firstMs);
}

function readEntry(reader: ByteReader): LedgerEntry {
  const reason = readReason(reader);
  const notBeforeMs = readTime(reader);
  const times = reader.uint();
  const sightings = reader.uint();
  const suspicion = sightings === 0 ? undefined : { reason: readReason(reader), sightings, firstMs: readTime(reader) };
  return { reason, suspicion, notBeforeMs, times };
}

function readObservations(reader: ByteReader, observe: (minutes: number, changed: boolean) => void): void {
  for (let left = count(reader, observationsMax); left > 0; left--) {
    const minutes = reader.double();
    if (!(minutes > 0 && Number.isFinite(minutes))) throw invalid('a span of time is none');
    observe(minutes, count(reader, 1) === 1);
  }
}

function readEvidence(reader: ByteReader): ChangeEvidence {
  const shape = reader.double();
  const minutes = reader.double();
  if (!(shape >= 0 && minutes >= 0 && Number.isFinite(shape) && Number.isFinite(minutes))) throw invalid('what is known of a rate is no number');
  return { shape, minutes };
}

function readCopies(reader: ByteReader): GoodCopy[] {
  const copies: GoodCopy[] = [];
  for (let left = count(reader, sightingsMax); left > 0; left--) copies.push({ bytes: reader.uint(), words: reader.uint(), mainWords: reader.uint() });
  return copies;
}

function readResource(reader: ByteReader): ResourceKey {
  return reader.string(nameBytesMax) as ResourceKey; // `resourceKey` made it before it was written
}

function readReason(reader: ByteReader): Refusal {
  const word = reader.string(reasonBytesMax);
  if (!isRefusal(word)) throw invalid(`there is no reason "${word}"`);
  return word;
}

function isRefusal(word: string): word is Refusal {
  return Object.hasOwn(refusals, word);
}

function readTime(reader: ByteReader): number {
  const timeMs = reader.double();
  if (!(timeMs >= 0 && Number.isFinite(timeMs))) throw invalid('a time is none');
  return timeMs;
}

function count(reader: ByteReader, max: number): number {
  const value = reader.uint();
  if (value > max) throw invalid(`${value} is more than there can be`);
  return value;
}

function invalid(why: string): ForeshadowError {
  return new ForeshadowError('bytes-invalid', { source: 'internal', message: `the generator's memory can not be read: ${why}`, hint: 'it is set aside, and learning begins anew' });
}

/**
 * The LMDB environment of the local store and its databases, opened with care: what `index-guard.ts` finds wrong, or is not
 * ours, is moved aside and a new one begun. All keys and values are bytes; what they mean is in `entry.ts` and docs/formats/local-store.md.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { type Clock, ForeshadowError, type Log, messageOf } from '../../kernel/index.ts';
import { isLocalFormat, localFormat } from './entry.ts';
import { breakSeal, faultOfIndex, indexFile } from './index-guard.ts';

export type Table = Database<Buffer, Buffer>;

export interface LocalDatabase {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** hash of resource (16), hash of variation (8) → its copies. */
  readonly records: Table;
  /** digest (32) → place. */
  readonly bodies: Table;
  /** digest (32), record key (24) → nothing. Who needs a body. */
  readonly users: Table;
  /** time (6), sequence (4) → record key. What may be evicted, oldest first. */
  readonly ages: Table;
  /** hash of a filling's id (16) → the filling. */
  readonly fillings: Table;
  /** name → JSON; all but the state with its sum. */
  readonly meta: Table;
}

const tableOptions = { encoding: 'binary', keyEncoding: 'binary' } as const;
const formatName = 'foreshadow-local-store';

/** Of `meta`; `notes.ts` has others. */
export const stateKey = Buffer.from('state');

export interface LocalState {
  readonly format: number;
  readonly name: string;
  /** Seeds of the key hashes, so that nobody outside can choose colliding keys. */
  readonly seeds: readonly [string, string];
  readonly appliedVersion: number;
  readonly ageSequence: number;
  readonly records: number;
  readonly recordBytes: number;
  readonly bodies: number;
  readonly bodyBytes: number;
  /** Absent in format 1. */
  readonly fillings?: number;
  readonly fillingBytes?: number;
  /** Live bytes of each segment. */
  readonly segments: readonly (readonly [segment: number, liveBytes: number])[];
}

export function freshState(seeds: readonly [string, string]): LocalState {
  return {
    format: localFormat, name: formatName, seeds, appliedVersion: 0, ageSequence: 0, records: 0, recordBytes: 0, bodies: 0, bodyBytes: 0,
    fillings: 0, fillingBytes: 0, segments: [],
  };
}

/** Undefined for anything but the state of a store of this format. */
function parseState(bytes: Uint8Array | undefined): LocalState | undefined {
  if (!bytes) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields: Record<string, unknown> = { ...value };
  const { seeds, segments } = fields;
  if (!isLocalFormat(fields['format']) || fields['name'] !== formatName) return undefined;
  if (!isNumbers(fields, ['appliedVersion', 'ageSequence', 'records', 'recordBytes', 'bodies', 'bodyBytes'])) return undefined;
  if (fields['format'] === localFormat && !isNumbers(fields, ['fillings', 'fillingBytes'])) return undefined;
  if (!Array.isArray(seeds) || seeds.length !== 2 || !seeds.every((seed) => typeof seed === 'string' && /^\d{1,20}$/.test(seed))) return undefined;
  if (!Array.isArray(segments) || !segments.every(isPairOfNumbers)) return undefined;
  return value as LocalState; // every field has just been looked at
}

function isNumbers(fields: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return names.every((name) => Number.isSafeInteger(fields[name]));
}

function isPairOfNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((one) => Number.isSafeInteger(one));
}

export interface OpenedDatabase {
  readonly database: LocalDatabase;
  readonly state: LocalState;
  /** Whether something unusable had to be moved aside. */
  readonly movedAside: boolean;
}

export function openDatabase(folder: string, options: { clock: Clock; log: Log; mapBytesMax: number | undefined }): OpenedDatabase {
  try {
    mkdirSync(folder, { recursive: true });
    const opened = openExisting(folder, options.mapBytesMax);
    if (typeof opened !== 'string') return opened;
    moveAside(folder, options, opened);
    mkdirSync(folder, { recursive: true });
    const database = openTables(folder, options.mapBytesMax, false);
    const state = freshState(newSeeds());
    database.meta.putSync(stateKey, Buffer.from(JSON.stringify(state)));
    return { database, state, movedAside: true };
  } catch (error) {
    throw new ForeshadowError('storage-failed', {
      source: 'storage', cause: error, message: `the local store ${folder} can't be opened: ${messageOf(error)}`,
      hint: 'check that the directory exists, may be written and has space',
    });
  }
}

/** What is there, or what is wrong with it. Damage that only shows when pages are read is found by LMDB itself. */
function openExisting(folder: string, mapBytesMax: number | undefined): OpenedDatabase | string {
  const fault = faultOfIndex(folder);
  if (fault !== undefined) return fault;
  const attempts = attemptsBefore(folder);
  if (attempts >= attemptsMax) {
    rmSync(attemptsFile(folder), { force: true });
    return `${attempts} attempts to open it ended the process`;
  }
  writeFileSync(attemptsFile(folder), String(attempts + 1));
  try {
    const database = openTables(folder, mapBytesMax, false);
    const state = parseState(database.meta.get(stateKey));
    if (state) return { database, state, movedAside: false };
    if (database.root.getKeysCount() <= tableCount) {
      const fresh = freshState(newSeeds());
      database.meta.putSync(stateKey, Buffer.from(JSON.stringify(fresh)));
      return { database, state: fresh, movedAside: false };
    }
    void database.root.close();
    return 'it is not a local store of this format';
  } catch (error) {
    const message = messageOf(error);
    if (damage.test(message)) return message;
    throw error;
  } finally {
    rmSync(attemptsFile(folder), { force: true });
  }
}

/** LMDB trusts its pages: some damage ends the process. An index that did so twice while it was opened is not tried a third time. */
const attemptsMax = 2;

function attemptsFile(folder: string): string {
  return `${folder}.opening`;
}

function attemptsBefore(folder: string): number {
  try {
    return Number(readFileSync(attemptsFile(folder), 'latin1')) || 0;
  } catch {
    return 0; // the last attempt, if any, came to its end
  }
}

/** LMDB's words for a file that is not whole, as against a disk that fails or a permission that is missing. */
const damage = /MDB_(?:CORRUPTED|INVALID|PAGE_NOTFOUND|VERSION_MISMATCH|INCOMPATIBLE|BAD_TXN|BAD_VALSIZE|PANIC)/;

const tableCount = 6;
const mapBytesDefault = 4 * 1024 ** 3;

export function openTables(folder: string, mapBytesMax: number | undefined, readOnly: boolean): LocalDatabase {
  if (!readOnly) breakSeal(folder);
  // Enough address space from the start: growing maps the file a second time and keeps the first, and the pages of both count as ours
  // (measured while 100,000 records were written: 340 MB of file pages against 150 MB).
  const root = open<Buffer, Buffer>({ ...tableOptions, path: folder, noSubdir: false, maxDbs: tableCount + 3, readOnly, mapSize: mapBytesMax ?? mapBytesDefault });
  const table = (name: string): Table => root.openDB<Buffer, Buffer>({ ...tableOptions, name });
  try {
    return { root, records: table('records'), bodies: table('bodies'), users: table('users'), ages: table('ages'), fillings: table('fillings'), meta: table('meta') };
  } catch (error) {
    void root.close();
    throw error;
  }
}

function newSeeds(): [string, string] {
  const [a = 0n, b = 0n] = crypto.getRandomValues(new BigUint64Array(2));
  return [a.toString(), b.toString()];
}

/** Keeps the newest of what was moved aside, for whoever wants to know what happened; more would fill the disk. */
function moveAside(folder: string, options: { clock: Clock; log: Log }, fault: string): void {
  const parent = folder.slice(0, folder.lastIndexOf('/'));
  const base = folder.slice(parent.length + 1);
  for (const name of readdirSync(parent)) {
    if (name.startsWith(`${base}.corrupt-`)) rmSync(`${parent}/${name}`, { recursive: true, force: true });
  }
  const aside = `${folder}.corrupt-${options.clock.nowMs()}`;
  if (existsSync(folder)) renameSync(folder, aside);
  options.log.error('local-store-corrupt', { file: `${folder}/${indexFile}`, fault, movedTo: aside });
}

/** Why a commit failed. lmdb rejects a second promise that carries the cause; unobserved it would end the process. */
export async function commitErrorOf(error: unknown): Promise<unknown> {
  if (typeof error !== 'object' || error === null || !('commitError' in error) || !(error.commitError instanceof Promise)) return error;
  return error.commitError.then(() => error, (cause: unknown) => cause);
}

/**
 * The engine's state as bytes, so that a restarted brain goes on where it was: keys as strings, columns in their order,
 * what has been learned. Predictions waiting for their outcome are not kept; the next half hour makes new ones.
 */
import { ByteReader, ByteWriter } from '../../kernel/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../../kernel/index.ts';
import type { Gate } from '../evidence/gate.ts';
import type { Stage } from '../stage.ts';
import type { KeyTable } from './key-table.ts';
import { createState } from './state.ts';
import type { EngineState } from './state.ts';

const magic = 'FSBF';
const version = 3;
const stageMagic = 'FSBS';
const stringBytesMax = 65_536;

/** What learns beside the state and is kept with it: the gate, and each stage under its name. */
export interface Learning {
  readonly gate: Gate;
  readonly stages: readonly Stage[];
}

export function writeSnapshot(state: EngineState, { gate, stages }: Learning): Uint8Array {
  const writer = new ByteWriter(magic, version);
  writer.double(state.beganMs);
  writeKeys(writer, state.resources);
  writeKeys(writer, state.regions);
  writeKeys(writer, state.variations);
  state.byResource.write(writer, state.resources.span);
  state.byRegion.write(writer, state.regions.span);
  state.byVariation.write(writer, state.variations.span);
  state.pace.write(writer, 1);
  state.regionsOf.write(writer);
  state.variationsOf.write(writer);
  state.blend.write(writer);
  state.regionPrior.write(writer);
  state.siteCalibration.write(writer);
  state.regionCalibration.write(writer);
  state.accuracy.write(writer);
  gate.write(writer);
  writer.uint(stages.length);
  const kept = { get: (key: number): number | undefined => (state.resources.has(key) ? key : undefined), has: (key: number): boolean => state.resources.has(key) };
  for (const stage of stages) {
    const part = new ByteWriter(stageMagic, version);
    stage.write(part, kept);
    const bytes = part.finish();
    writer.string(stage.name);
    writer.uint(bytes.length);
    writer.raw(bytes);
  }
  return writer.finish();
}

/**
 * The state that was written, and what its learning parts had learned: `learning` makes them for the state, and they are read into. Throws `bytes-invalid`
 * for anything else than was written. Keys beyond `keysMax` are left to the caller to evict. What a stage had learned that there is no more is left out.
 */
export function readSnapshot<Parts extends Learning>(bytes: Uint8Array, keysMax: number, learning: (state: EngineState) => Parts): { readonly state: EngineState; readonly parts: Parts } {
  const reader = new ByteReader(bytes, magic, version, 'a forecast snapshot');
  const beganMs = reader.double();
  const state = createState(keysMax);
  state.beganMs = Number.isFinite(beganMs) && beganMs > 0 ? beganMs : 0;
  // The brands' parsers made these strings before they were written.
  readKeys(reader, state.resources, (key) => key as ResourceKey);
  readKeys(reader, state.regions, (key) => key as RegionName);
  readKeys(reader, state.variations, (key) => key as VariationKey);
  for (const [columns, keys] of [[state.byResource, state.resources], [state.byRegion, state.regions], [state.byVariation, state.variations]] as const) {
    columns.grow(keys.span);
    columns.read(reader, keys.span);
  }
  state.pace.read(reader, 1);
  state.regionsOf.growOwners(state.resources.span);
  state.variationsOf.growOwners(state.resources.span);
  state.regionsOf.read(reader, state.resources.span, state.regions.span);
  state.variationsOf.read(reader, state.resources.span, state.variations.span);
  state.blend.read(reader);
  state.regionPrior.read(reader);
  state.siteCalibration.read(reader);
  state.regionCalibration.read(reader);
  state.accuracy.read(reader);
  const parts = learning(state);
  parts.gate.read(reader);
  const count = reader.length(2);
  for (let i = 0; i < count; i++) {
    const name = reader.string(stringBytesMax);
    const part = reader.raw(reader.length(1));
    const stage = parts.stages.find((one) => one.name === name);
    if (!stage) continue;
    const inner = new ByteReader(part, stageMagic, version, `what the stage ${name} had learned`);
    stage.read(inner);
    inner.end();
  }
  reader.end();
  return { state, parts };
}

/** Writes the keys in the order of their indexes, nothing for an index that is nobody's. */
function writeKeys<Key extends string>(writer: ByteWriter, table: KeyTable<Key>): void {
  writer.uint(table.span);
  for (let index = 0; index < table.span; index++) {
    const key = table.keyAt(index);
    writer.uint(key === undefined ? 0 : 1);
    if (key !== undefined) writer.string(key);
  }
}

/** Gives every key the index it had. */
function readKeys<Key extends string>(reader: ByteReader, table: KeyTable<Key>, keyOf: (text: string) => Key): void {
  const span = reader.length(1);
  const holes: number[] = [];
  for (let index = 0; index < span; index++) {
    const isKey = reader.uint() === 1;
    const found = table.intern(keyOf(isKey ? reader.string(stringBytesMax) : `\n${index}`));
    if (!isKey) holes.push(found);
  }
  for (const index of holes) table.release(index);
}

/**
 * The engine's state as bytes, so that a restarted brain goes on where it was: keys as strings, columns in their order,
 * what has been learned. Predictions waiting for their outcome are not kept; the next half hour makes new ones.
 */
import { ByteReader, ByteWriter } from '../../kernel/index.ts';
import type { Gate } from '../evidence/gate.ts';
import type { Stage } from '../stage.ts';
import { createState } from './state.ts';
import type { EngineState } from './state.ts';

const magic = 'FSBF';
const version = 5;
const stageMagic = 'FSBS';
const stringBytesMax = 65_536;

/** What learns beside the state and is kept with it: the gate, and each stage under its name. */
export interface Learning {
  readonly gate: Gate;
  readonly stages: readonly Stage[];
}

/** Written out, but for the largest columns, which it refers to: to be taken out (`parts`, `finish`) before the next minute is counted. */
export function writeSnapshot(state: EngineState, { gate, stages }: Learning): ByteWriter {
  const writer = new ByteWriter(magic, version);
  const owners = state.resources.span;
  writer.uint(owners);
  writer.double(state.beganMs);
  writer.double(state.lastMinuteMs);
  for (const table of [state.resources, state.regions, state.variations]) table.write(writer);
  state.byResource.write(writer, owners);
  state.byRegion.write(writer, state.regions.span);
  state.byVariation.write(writer, state.variations.span);
  state.pace.write(writer, 1);
  state.regionsOf.write(writer, owners);
  state.variationsOf.write(writer, owners);
  state.variationsOfClass.write(writer);
  state.variationsOfRegion.write(writer);
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
    writer.view(bytes);
  }
  return writer;
}

export interface SnapshotLimits {
  readonly keysMax: number;
  readonly hashSeed: number;
}

/**
 * The state that was written, and what its learning parts had learned: `learning` makes them for the state, and they are read into. Throws `bytes-invalid`
 * for anything else than was written. Keys beyond `keysMax` are left to the caller to evict. What a stage had learned that there is no more is left out.
 */
export function readSnapshot<Parts extends Learning>(bytes: Uint8Array, limits: SnapshotLimits, learning: (state: EngineState) => Parts): { readonly state: EngineState; readonly parts: Parts } {
  const reader = new ByteReader(bytes, magic, version, 'a forecast snapshot');
  const state = createState(Math.max(limits.keysMax, reader.length(4)), limits.hashSeed);
  const time = (): number => {
    const ms = reader.double();
    return Number.isFinite(ms) && ms > 0 ? ms : 0;
  };
  state.beganMs = time();
  state.lastMinuteMs = time();
  for (const table of [state.resources, state.regions, state.variations]) table.read(reader);
  for (const [columns, keys] of [[state.byResource, state.resources], [state.byRegion, state.regions], [state.byVariation, state.variations]] as const) {
    columns.grow(keys.span);
    columns.read(reader, keys.span);
  }
  state.pace.read(reader, 1);
  state.regionsOf.read(reader, state.resources.span, state.regions.span);
  state.variationsOf.read(reader, state.resources.span, state.variations.span);
  state.variationsOfClass.read(reader);
  state.variationsOfRegion.read(reader);
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

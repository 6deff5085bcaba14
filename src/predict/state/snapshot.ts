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
  for (const table of [state.resources, state.regions, state.variations]) table.write(writer);
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
  for (const table of [state.resources, state.regions, state.variations]) table.read(reader);
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

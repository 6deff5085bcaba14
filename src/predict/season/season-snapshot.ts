/** The watched series as bytes: what holds each slot, its history, levels, interval levels, and the path and model it was last given. */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import type { KeyNumbers } from '../stage.ts';
import { modelNames } from './history.ts';
import type { SeriesBank, SeriesMemo } from './series-bank.ts';
import { totalSlots } from './series-bank.ts';
import { pathAhead, pathBehind } from './series-work.ts';
import { keySlots, slotCount } from './slots.ts';
import type { Slots } from './slots.ts';

export function writeSeason(writer: ByteWriter, slots: Slots, bank: SeriesBank, numbers: KeyNumbers): void {
  const kept: number[] = [];
  for (let slot = 0; slot < slotCount; slot++) {
    const index = slots.held[slot] ?? -1;
    if (index >= 0 && (slot < keySlots || numbers.has(index))) kept.push(slot);
  }
  writer.uint(kept.length);
  for (const slot of kept) {
    const index = slots.held[slot] ?? 0;
    writer.uint(slot);
    writer.uint(slot < keySlots ? index : numbers.get(index) ?? 0);
    writer.uint((numbers.get(slots.exampleOf(slot)) ?? -1) + 1);
    writeMemo(writer, bank.memos[slot]);
  }
  bank.ring.write(writer, kept);
  bank.levels.write(writer, kept);
  const totals = kept.filter((slot) => slot < totalSlots);
  bank.intervals.write(writer, totals);
  for (const slot of totals) {
    writer.double(bank.cutDay[slot] ?? 0);
    writer.double(bank.wholeDay[slot] ?? 0);
  }
}

export function readSeason(reader: ByteReader, slots: Slots, bank: SeriesBank): void {
  const kept: number[] = [];
  const count = reader.length(8);
  for (let i = 0; i < count; i++) {
    const slot = Math.min(reader.uint(), slotCount - 1);
    const index = reader.uint();
    slots.restore(slot, index, reader.uint() - 1);
    bank.memos[slot] = readMemo(reader);
    kept.push(slot);
  }
  bank.ring.read(reader, kept);
  bank.levels.read(reader, kept);
  const totals = kept.filter((slot) => slot < totalSlots);
  bank.intervals.read(reader, totals);
  for (const slot of totals) {
    bank.cutDay[slot] = sane(reader.double());
    bank.wholeDay[slot] = sane(reader.double());
  }
}

function writeMemo(writer: ByteWriter, memo: SeriesMemo | undefined): void {
  writer.uint(memo ? modelNames.indexOf(memo.model) : 0);
  writer.double(memo?.pathEndMs ?? 0);
  writer.double(memo?.chosenMs ?? 0);
  writer.double(memo?.since ?? 0);
  writer.uint(memo?.losses.length ?? 0);
  for (const { model, loss } of memo?.losses ?? []) {
    writer.uint(modelNames.indexOf(model));
    writer.double(loss);
  }
  writer.uint(memo?.path.length ?? 0);
  for (const value of memo?.path ?? []) writer.double(value);
}

function readMemo(reader: ByteReader): SeriesMemo {
  const model = modelNames[reader.uint()] ?? 'flat';
  const pathEndMs = sane(reader.double());
  const chosenMs = sane(reader.double());
  const since = sane(reader.double());
  const losses = Array.from({ length: reader.length(9) }, () => ({ model: modelNames[reader.uint()] ?? 'flat', loss: reader.double() }));
  const path = Float64Array.from({ length: reader.length(8) }, () => reader.double());
  const isWhole = path.length === pathBehind + pathAhead && path.every((value) => Math.abs(value) < 100);
  return { model, pathEndMs, chosenMs, since, losses, path: isWhole ? path : new Float64Array(0) };
}

function sane(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

/**
 * The stage that learns from the site's own past, across all keys: trees say by what the rate of a row is to be multiplied, given what is known of it (`features.ts`).
 * Every half hour it takes a sample of rows and what came of them (`samples.ts`); from time to time it has new trees grown of these elsewhere (`train-work.ts`).
 *
 * Kept in snapshots: the models, what groups came to, the counts of families. Not kept: the samples, which are large; after a restart the models that
 * were there go on, and training waits until there are enough samples again.
 */
import type { ByteReader, ByteWriter, Random } from '../../kernel/index.ts';
import { seededRandom } from '../../kernel/index.ts';
import { facetsMax } from '../intake.ts';
import { levels } from '../stage.ts';
import type { Batch, KeyNumbers, Level, ObservedMinute, Stage } from '../stage.ts';
import type { EngineState } from '../state/state.ts';
import type { WorkDone } from '../work.ts';
import { Encoding } from './encodings.ts';
import { featureBlock } from './feature-codes.ts';
import type { FeatureBlock } from './feature-codes.ts';
import { featureMinutes, FeatureReader, featuresOf } from './features.ts';
import type { FeatureSources } from './features.ts';
import { classGroups, Kin } from './kin.ts';
import { weigh } from './learned-model.ts';
import type { LearnedModel, Words } from './learned-model.ts';
import { Novelty } from './novelty.ts';
import { Opinions } from './opinions.ts';
import { Samples } from './samples.ts';
import { readModel } from './train-work.ts';
import type { TrainReport, TrainWork } from './train-work.ts';

/** Rows kept for training, of each level. */
const sampleRowsMax = 120_000;
const hourMs = 3_600_000;
/** Samples of so many hours are there before the first training; then it is again after so many, and after the last of these always. */
const trainAfterHours = [6, 6, 12] as const;
/** Fewer rows than this are not trained on. */
const rowsMin = 500;
/** Rows whose features are at hand at one time. */
const blockRows = 512;

interface Prepared {
  readonly batch: Batch;
  readonly perMinute: Float64Array;
  readonly codes: readonly Uint8Array[];
  readonly offsets: Float64Array;
  readonly classes: Int32Array;
  readonly regions: Int32Array;
  /** What the models of then said; undefined before there were any. */
  readonly words: Words | undefined;
  readonly atMs: number;
}

export class LearnedStage implements Stage {
  readonly name = 'trees';
  readonly kin: Kin;
  readonly #novelty: Novelty;
  readonly #sources: FeatureSources;
  readonly #seed: number;
  readonly #random: Random;
  readonly #samples = new Map<Level, Samples>(levels.map((level) => [level, new Samples(level, sampleRowsMax)]));
  readonly #models = new Map<Level, LearnedModel>();
  /** The same as they are written, and how many rows each was trained on. */
  readonly #bytesOf = new Map<Level, Uint8Array>();
  readonly #rowsOf: Record<Level, number> = { site: 0, region: 0 };
  readonly #opinions: Readonly<Record<Level, Opinions>> = { site: new Opinions(), region: new Opinions() };
  readonly #reports = new Map<Level, TrainReport>();
  readonly #prepared = new Map<Level, Prepared>();
  readonly #blocks = new Map<Level, FeatureBlock>();
  #trainings = 0;
  /** When samples began, and when work was last handed out; 0 for not yet. */
  #lastWorkMs = 0;

  constructor(state: EngineState, seed: number) {
    this.kin = new Kin(state);
    this.#novelty = new Novelty(state);
    this.#sources = { state, kin: this.kin, novelty: this.#novelty, classes: new Encoding(classGroups), regions: new Encoding(facetsMax) };
    this.#seed = seed;
    this.#random = seededRandom(seed);
  }

  /** How the last training of each level went, and how much is believed of it. */
  reports(): readonly { readonly level: Level; readonly report: TrainReport; readonly believed: ReturnType<Opinions['all']> }[] {
    return Array.from(this.#reports, ([level, report]) => ({ level, report, believed: this.#opinions[level].all() }));
  }

  observe(minute: ObservedMinute): void {
    this.kin.observe(minute);
    this.#novelty.observe(minute);
  }

  skip(ms: number): void {
    this.kin.skip(ms);
  }

  forget(key: number): void {
    this.kin.forget(key);
  }

  apply(batch: Batch, perMinute: Float64Array, _horizon: number, nowMs: number): void {
    if (!this.#models.has(batch.level)) return;
    const factors = this.factors(batch, perMinute, nowMs);
    for (let row = 0; row < batch.length; row++) perMinute[row] = (perMinute[row] ?? 0) * (factors[row] ?? 1);
  }

  factors(batch: Batch, perMinute: Float64Array, nowMs: number): Float64Array {
    const model = this.#models.get(batch.level);
    const factors = new Float64Array(batch.length).fill(1);
    if (!model || batch.length === 0) return factors;
    const prepared = this.#prepared.get(batch.level);
    if (prepared?.words && prepared.batch === batch && prepared.atMs === nowMs && isEqual(prepared.perMinute, perMinute)) {
      weigh(prepared.words, perMinute, this.#opinions[batch.level], factors, 0);
      return factors;
    }
    const reader = new FeatureReader(this.#sources, nowMs);
    const block = this.#block(batch.level);
    for (let from = 0; from < batch.length; from += blockRows) {
      const length = Math.min(blockRows, batch.length - from);
      reader.read(batch, perMinute, from, from + length, block);
      weigh(model.words(block.codes, length), perMinute, this.#opinions[batch.level], factors, from);
    }
    return factors;
  }

  prepare(batch: Batch, perMinute: Float64Array, nowMs: number): void {
    const codes = this.#codes(batch, perMinute, nowMs);
    const classes = new Int32Array(batch.length);
    for (let row = 0; row < batch.length; row++) classes[row] = this.kin.classOf(batch.keys[row] ?? 0);
    const offsets = perMinute.map((rate) => Math.log(rate * featureMinutes));
    this.#prepared.set(batch.level, { batch, perMinute: perMinute.slice(), codes, offsets, classes, regions: batch.regions, words: this.#models.get(batch.level)?.words(codes, batch.length), atMs: nowMs });
  }

  learn(level: Level, counts: Float64Array): void {
    const prepared = this.#prepared.get(level);
    this.#prepared.delete(level);
    if (!prepared || prepared.offsets.length !== counts.length) return;
    const { classes, regions } = this.#sources;
    for (let row = 0; row < counts.length; row++) {
      const expected = Math.exp(prepared.offsets[row] ?? 0);
      if (!(expected > 0)) continue;
      if (level === 'site') classes.add(prepared.classes[row] ?? -1, expected, counts[row] ?? 0);
      else regions.add(prepared.regions[row] ?? -1, expected, counts[row] ?? 0);
    }
    (level === 'site' ? classes : regions).fade();
    this.#samples.get(level)?.add(prepared.codes, prepared.offsets, counts, this.#random);
    if (prepared.words) this.#opinions[level].score(prepared.offsets, prepared.words.boosted, prepared.words.forest, counts);
    if (this.#lastWorkMs === 0) this.#lastWorkMs = prepared.atMs;
  }

  work(nowMs: number): TrainWork | undefined {
    const waitMs = (trainAfterHours[Math.min(this.#trainings, trainAfterHours.length - 1)] ?? 12) * hourMs;
    if (this.#lastWorkMs === 0 || nowMs - this.#lastWorkMs < waitMs) return undefined;
    // After a restart a model of many days is not given up for one of a few hours.
    const samples = levels.flatMap((level) => {
      const one = this.#samples.get(level);
      return one && one.length >= Math.max(rowsMin, this.#rowsOf[level] / 2) ? [one.rows()] : [];
    });
    if (samples.length === 0) return undefined;
    this.#lastWorkMs = nowMs;
    return { kind: 'train', seed: this.#seed + 2 * this.#trainings++, endMs: nowMs, samples };
  }

  adopt(done: WorkDone): void {
    if (done.kind !== 'train') return;
    for (const { level, bytes, report } of done.models) {
      this.#take(level, bytes, report.rows);
      this.#reports.set(level, report);
    }
  }

  bytes(): number {
    let bytes = this.kin.bytes;
    for (const samples of this.#samples.values()) bytes += samples.bytes;
    for (const { codes, offsets } of this.#prepared.values()) bytes += codes.length * offsets.length;
    return bytes;
  }

  write(writer: ByteWriter, _numbers: KeyNumbers): void {
    this.kin.write(writer);
    this.#novelty.write(writer);
    this.#sources.classes.write(writer);
    this.#sources.regions.write(writer);
    writer.uint(this.#trainings);
    for (const level of levels) {
      this.#opinions[level].write(writer);
      const bytes = this.#bytesOf.get(level) ?? new Uint8Array(0);
      writer.uint(this.#rowsOf[level]);
      writer.uint(bytes.length);
      writer.raw(bytes);
    }
  }

  read(reader: ByteReader): void {
    this.kin.read(reader);
    this.#novelty.read(reader);
    this.#sources.classes.read(reader);
    this.#sources.regions.read(reader);
    this.#trainings = reader.uint();
    for (const level of levels) {
      this.#opinions[level].read(reader);
      const rows = Math.min(sampleRowsMax, reader.uint());
      const bytes = reader.raw(reader.length(1));
      if (bytes.length > 0) this.#take(level, bytes.slice(), rows);
    }
  }

  #take(level: Level, bytes: Uint8Array, rows: number): void {
    this.#models.set(level, readModel(bytes, level));
    this.#bytesOf.set(level, bytes);
    this.#rowsOf[level] = rows;
  }

  /** The features of a whole batch. */
  #codes(batch: Batch, perMinute: Float64Array, nowMs: number): readonly Uint8Array[] {
    const codes = featuresOf[batch.level].map(() => new Uint8Array(batch.length));
    const reader = new FeatureReader(this.#sources, nowMs);
    const block = this.#block(batch.level);
    for (let from = 0; from < batch.length; from += blockRows) {
      const length = Math.min(blockRows, batch.length - from);
      reader.read(batch, perMinute, from, from + length, block);
      codes.forEach((column, at) => { column.set(block.codes[at]?.subarray(0, length) ?? [], from); });
    }
    return codes;
  }

  #block(level: Level): FeatureBlock {
    const known = this.#blocks.get(level);
    if (known) return known;
    const made = featureBlock(featuresOf[level], blockRows);
    this.#blocks.set(level, made);
    return made;
  }
}

function isEqual(one: Float64Array, other: Float64Array): boolean {
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return one.length === other.length;
}

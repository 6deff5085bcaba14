/**
 * Demand that is not as usual: bursts, what they leave behind, and keys born a moment ago. Every minute, keys asked for more than their usual rate explains are
 * put on a short list (`watch-list.ts`) and their present rate is filtered from minute to minute (`rate-filter.ts`); what of it will last is learned from
 * how earlier bursts went on (`persistence.ts`). A burst is the same key's everywhere: regions share it as it has come from them so far, and a little as they share the key
 * usually, so that one region's burst raises the others'. Young keys without a burst are corrected by what became of others of their age (`births.ts`).
 *
 * Nothing is done for keys that were not asked for and are not on the list. Alarms, which people are told about, are held to a few false ones a day (`alarms.ts`);
 * forecasts do not need them.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { horizonsMin } from '../forecaster.ts';
import type { Emerging } from '../forecaster.ts';
import { largest } from '../selection.ts';
import type { Batch, KeyNumbers, Level, ObservedMinute, Stage } from '../stage.ts';
import type { EngineState } from '../state/state.ts';
import { Alarms } from './alarms.ts';
import { Births } from './births.ts';
import { Course } from './course.ts';
import { emergingOf } from './emerging.ts';
import { surprise } from './surprise.ts';
import { UsualRate } from './usual-rate.ts';
import { none, watchedMax, WatchList } from './watch-list.ts';

const minuteMs = 60_000;
/** A key is watched when its last minute, or its last ten, are as improbable as e^−this, and it was asked for this often in them. */
const watchSurprise = 5;
const watchRequests = 3;
/** Nothing is unusual on a site that has been watched for less. */
const settleMs = 10 * minuteMs;
/** After as many minutes without a word, what was expected above the base halves every so many minutes. */
const silenceMin = 2;
const silenceHalfMin = 5;
/** More empty minutes than this end everything. */
const gapMax = 120;

export class BurstStage implements Stage {
  readonly name = 'bursts';
  readonly #state: EngineState;
  readonly #list = new WatchList();
  readonly #alarms = new Alarms();
  readonly #course: Course;
  readonly #births: Births;
  /** Requests of the minute at hand by place in the list. */
  readonly #ofMinute = new Float32Array(watchedMax);
  /** The last minute observed, minutes since the epoch. */
  #minute = 0;
  /** Read from a snapshot, with nothing observed since. */
  #resumed = false;

  constructor(state: EngineState) {
    this.#state = state;
    this.#course = new Course(state, this.#list, this.#alarms);
    this.#births = new Births(state);
  }

  observe(minute: ObservedMinute): void {
    const now = Math.floor(minute.startMs / minuteMs);
    // What went by while the engine was stopped was not silence.
    if (this.#minute > 0 && !this.#resumed) this.#passEmpty(now);
    this.#resumed = false;
    this.#minute = now;
    const endMs = (now + 1) * minuteMs;
    const usual = new UsualRate(this.#state, endMs);
    this.#alarms.pass(minute.sums.keys.length);
    if (endMs - this.#state.beganMs >= settleMs) this.#admit(minute.sums, usual, now);
    this.#ofMinute.fill(0);
    this.#countWatched(minute);
    this.#course.pass(now, this.#ofMinute, usual.pace);
  }

  forget(key: number): void {
    const place = this.#list.placeOf(key);
    if (place !== none) this.#list.remove(place);
  }

  apply(batch: Batch, perMinute: Float64Array, horizon: number, nowMs: number): void {
    const list = this.#list;
    const { expected, base } = list;
    const silent = nowMs / minuteMs - this.#minute - 1 - silenceMin;
    const kept = silent > 0 ? 2 ** (-silent / silenceHalfMin) : 1;
    const prior = this.#state.regionPrior.trusted.strength;
    for (let i = 0; i < batch.length; i++) {
      const key = batch.keys[i] ?? 0;
      const place = list.placeOf(key);
      if (place === none) continue;
      const rate = expected[place * horizonsMin.length + horizon] ?? NaN;
      if (Number.isNaN(rate)) continue;
      const given = perMinute[i] ?? 0;
      const before = Math.max(1e-9, base[place] ?? 0);
      // Below the base: less of the row, whatever else is known of it. Above: more, and in a region its part of what is more.
      let more = (given * (rate - before)) / before;
      if (rate > before) {
        more = rate - before;
        if (batch.level === 'region') {
          const usualPart = Math.min(1, given / before);
          more *= (list.regionWeight(place, batch.regions[i] ?? none) + prior * usualPart) / (list.regionSum(place) + prior);
        }
      }
      perMinute[i] = given + more * kept;
    }
    if (batch.level === 'site') this.#births.apply(batch, perMinute, nowMs, list);
  }

  *raised(): Iterable<number> {
    const { keys, expected, base } = this.#list;
    for (let place = 0; place < keys.length; place++) {
      // False for NaN.
      if (keys[place] !== none && (expected[place * horizonsMin.length] ?? NaN) > (base[place] ?? 0)) yield keys[place] ?? 0;
    }
  }

  emerging(limit: number): Emerging[] {
    return emergingOf(this.#state, this.#list, limit);
  }

  prepare(batch: Batch, perMinute: Float64Array, nowMs: number): void {
    if (batch.level === 'site') this.#births.prepare(batch, perMinute, nowMs, this.#list);
  }

  learn(level: Level, counts: Float64Array): void {
    if (level === 'site') this.#births.learn(counts);
  }

  bytes(): number {
    return this.#list.bytes + this.#ofMinute.byteLength + this.#births.bytes + this.#course.persistence.bytes + this.#course.aftermath.bytes;
  }

  write(writer: ByteWriter, numbers: KeyNumbers): void {
    writer.uint(this.#minute);
    this.#list.write(writer, numbers);
    this.#course.persistence.write(writer);
    this.#course.aftermath.write(writer);
    this.#births.write(writer);
    this.#alarms.write(writer);
  }

  read(reader: ByteReader): void {
    this.#minute = reader.uint();
    this.#resumed = true;
    this.#list.read(reader, this.#state.resources.span);
    this.#course.persistence.read(reader);
    this.#course.aftermath.read(reader);
    this.#births.read(reader);
    this.#alarms.read(reader);
  }

  /** Minutes in which nothing was asked for are left out of what is told. */
  #passEmpty(now: number): void {
    const list = this.#list;
    if (now - this.#minute > gapMax) {
      for (let place = 0; place < list.keys.length; place++) list.remove(place);
      return;
    }
    for (let minute = this.#minute + 1; minute < now && list.size > 0; minute++) {
      this.#course.pass(minute, undefined, new UsualRate(this.#state, (minute + 1) * minuteMs).pace);
    }
  }

  /**
   * Puts the keys on the list whose requests their usual rate does not explain. When more come than there is room for, the most surprising do: at most as many as the list
   * makes room for at one time, so that a site whose whole demand changes does not turn over the list again and again within one minute.
   */
  #admit({ keys, counts }: ObservedMinute['sums'], usual: UsualRate, now: number): void {
    const list = this.#list;
    const unusual: number[] = [];
    const surprises: number[] = [];
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? 0;
      const count = counts[i] ?? 0;
      const recent = Math.max(count, usual.recentOf(key));
      if (recent < watchRequests || list.placeOf(key) !== none) continue;
      const rate = usual.of(key);
      const most = Math.max(surprise(count, rate, usual.shape), surprise(recent, rate * usual.recentMin, usual.shape));
      if (most < watchSurprise) continue;
      unusual.push(key);
      surprises.push(most);
    }
    const room = list.makeRoom(unusual.length);
    const add = (key: number): void => {
      const rate = usual.of(key);
      list.add(key, now, rate, usual.shape, usual.pace);
    };
    if (unusual.length <= room) for (const key of unusual) add(key);
    else for (const one of largest(Float64Array.from(surprises), surprises.length, room)) add(unusual[one] ?? 0);
  }

  /** What the minute brought to the keys on the list, from where, and along which links. */
  #countWatched({ sums: { keys, counts: sums, firsts }, regions, counts, steps }: ObservedMinute): void {
    const list = this.#list;
    if (list.size === 0) return;
    for (let i = 0; i < keys.length; i++) {
      const place = list.placeOf(keys[i] ?? 0);
      if (place === none) continue;
      this.#ofMinute[place] = sums[i] ?? 0;
      const end = firsts[i + 1] ?? 0;
      for (let entry = firsts[i] ?? 0; entry < end; entry++) list.addRegion(place, regions[entry] ?? 0, counts[entry] ?? 0);
    }
    for (let i = 0; i < steps.to.length; i++) {
      const place = list.placeOf(steps.to[i] ?? 0);
      if (place !== none) list.addStep(place, steps.from[i] ?? 0, steps.counts[i] ?? 0);
    }
  }
}

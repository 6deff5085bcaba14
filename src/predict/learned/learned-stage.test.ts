import { describe, expect, test } from 'bun:test';
import { ByteReader, ByteWriter, seededRandom } from '../../kernel/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../../kernel/index.ts';
import { Intake } from '../intake.ts';
import { siteBatch } from '../stage.ts';
import type { Batch } from '../stage.ts';
import { createState } from '../state/state.ts';
import { LearnedStage } from './learned-stage.ts';
import { train } from './train-work.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_040_000;
const halfHourMs = 30 * minuteMs;

const pagesMax = 1000;

/** A site of folders with pages, without the rest of the engine: every page is believed to be asked for at its long-run rate, always. */
class Site {
  stage: LearnedStage;
  readonly rates: readonly number[];
  readonly #state = createState(pagesMax, 1);
  readonly #intake = new Intake(this.#state, pagesMax, () => undefined);
  readonly #names: readonly ResourceKey[];
  readonly #random = seededRandom(11);
  readonly #pages: number;
  #since: Float64Array;
  nowMs = startMs;
  /** Poisson log-likelihood of what came by the stage's rates, less that of the given ones. */
  gain = 0;

  constructor(folders: number, pages: number) {
    this.#pages = pages;
    this.#names = Array.from({ length: folders * pages }, (_, i) => `/folder${Math.floor(i / pages)}/page-${i % pages}.html` as ResourceKey);
    this.rates = this.#names.map((_, i) => 0.15 * 2 ** (-(i % pages) / 4));
    this.#since = new Float64Array(this.rates.length);
    this.#state.beganMs = startMs;
    // All are known from the first, in the order of their rates.
    this.#intake.take(startMs, this.#names.map((resource) => ({ resource, region: 'eu' as RegionName, variation: '' as VariationKey, count: 1 })));
    this.stage = new LearnedStage(this.#state, 5);
  }

  batches(): readonly Batch[] {
    const keys = Int32Array.from(this.rates, (_, i) => i);
    return [siteBatch(keys), { level: 'region', length: keys.length, keys, regions: new Int32Array(keys.length), pairs: keys.map((key) => this.#state.regionsOf.first(key)) }];
  }

  /** Plays hours; `factor` says by what a folder's pages are asked for more at a time. */
  async play(hours: number, factor: (folder: number, halfHour: number) => number): Promise<void> {
    for (const end = this.nowMs + hours * 3_600_000; this.nowMs < end;) {
      const work = this.stage.work(this.nowMs);
      if (work) this.stage.adopt(await train(work));
      const halfHour = Math.floor((this.nowMs - startMs) / halfHourMs);
      const given = Float64Array.from(this.rates);
      for (const batch of this.batches()) this.stage.prepare(batch, given, this.nowMs);
      const made = this.made();
      this.#since.fill(0);
      for (let minute = 0; minute < 30; minute++) {
        if (minute === 15) this.#learn(given, made);
        this.#minute(factor, halfHour);
      }
    }
  }

  /** The stage's rates at the site's level. */
  made(stage = this.stage): Float64Array {
    const made = Float64Array.from(this.rates);
    for (const batch of this.batches()) if (batch.level === 'site') stage.apply(batch, made, 2, this.nowMs);
    return made;
  }

  /** A stage that read what this one wrote. */
  copy(): LearnedStage {
    const writer = new ByteWriter('TEST', 1);
    this.stage.write(writer, { get: (key) => key, has: () => true });
    const reader = new ByteReader(writer.finish(), 'TEST', 1, 'a stage');
    const copy = new LearnedStage(this.#state, 5);
    copy.read(reader);
    reader.end();
    return copy;
  }

  #learn(given: Float64Array, made: Float64Array): void {
    const counts = this.#since.slice();
    for (let key = 0; key < counts.length; key++) {
      this.gain += (counts[key] ?? 0) * Math.log((made[key] ?? 0) / (given[key] ?? 1)) - 15 * ((made[key] ?? 0) - (given[key] ?? 0));
    }
    this.stage.learn('site', counts);
    this.stage.learn('region', counts);
  }

  #minute(factor: (folder: number, halfHour: number) => number, halfHour: number): void {
    const counted = this.rates.flatMap((rate, key) => {
      const resource = this.#names[key];
      const count = this.#random.poisson(rate * factor(Math.floor(key / this.#pages), halfHour));
      this.#since[key] = (this.#since[key] ?? 0) + count;
      return count > 0 && resource !== undefined ? [{ resource, region: 'eu' as RegionName, variation: '' as VariationKey, count }] : [];
    });
    const steps = { from: new Int32Array(0), to: new Int32Array(0), lagsMin: new Int32Array(0), counts: new Float64Array(0) };
    this.stage.observe({ startMs: this.nowMs, ...this.#intake.take(this.nowMs, counted), steps, sweeps: [] });
    this.nowMs += minuteMs;
  }
}

/** Folders come and go for half hours to hours, each for itself, with the same mean. */
const waves = (folder: number, halfHour: number): number => (seededRandom(folder * 1000 + Math.floor((halfHour + folder) / 4)).next() < 0.5 ? 0.2 : 1.8);

describe('LearnedStage', () => {
  test('learns that pages of a folder come and go together', async () => {
    const site = new Site(6, 15);
    await site.play(18, waves);
    site.gain = 0;
    await site.play(8, waves);
    const reports = site.stage.reports();
    expect(reports.map(({ level }) => level)).toEqual(['site', 'region']);
    expect(reports[0]?.report.deviance.boosted).toBeLessThan(0.97 * (reports[0]?.report.deviance.given ?? 0));
    expect(site.gain).toBeGreaterThan(100);
  });

  test('leaves rates that are right as they are, within noise', async () => {
    const site = new Site(6, 15);
    await site.play(18, () => 1);
    site.gain = 0;
    await site.play(8, () => 1);
    // Some 3,500 requests were expected in the half hours that were judged.
    expect(site.gain).toBeGreaterThan(-20);
    const made = site.made();
    site.rates.forEach((rate, key) => { expect(Math.abs(Math.log((made[key] ?? 0) / rate))).toBeLessThan(0.5); });
    expect(Math.abs(made.reduce((sum, rate) => sum + rate, 0) / site.rates.reduce((sum, rate) => sum + rate, 0) - 1)).toBeLessThan(0.08);
  });

  test('equal pasts make equal stages; a snapshot goes on as it was', async () => {
    const [one, other] = [new Site(6, 20), new Site(6, 20)];
    await one.play(13, waves);
    await other.play(13, waves);
    expect(other.made()).toEqual(one.made());
    expect(one.made()).not.toEqual(Float64Array.from(one.rates));
    expect(one.made(one.copy())).toEqual(one.made());
    // Of a region never seen, a pair never seen, a key that is nobody's, and of nothing expected it says something finite.
    const rates = Float64Array.of(0.1, 0, 1e6);
    one.stage.apply({ level: 'region', length: 3, keys: Int32Array.of(0, 1, 999), regions: Int32Array.of(-1, 0, 5), pairs: Int32Array.of(-1, -1, -1) }, rates, 2, one.nowMs);
    rates.forEach((rate, row) => { expect(Number.isFinite(rate) && (row === 1 ? rate === 0 : rate > 0)).toBe(true); });
  });

  test('after a restart trains again when there are half as many samples as before', async () => {
    const site = new Site(6, 20);
    await site.play(49, waves);
    site.stage = site.copy();
    const before = site.made();
    expect(site.stage.work(site.nowMs)).toBeUndefined();
    await site.play(14, waves);
    expect(site.stage.reports()).toEqual([]);
    await site.play(24, waves);
    expect(site.stage.reports().map(({ level }) => level)).toEqual(['site', 'region']);
    expect(site.made()).not.toEqual(before);
  });

  test('says nothing before it was trained, or of outcomes nobody prepared', () => {
    const site = new Site(6, 2);
    expect(site.made()).toEqual(Float64Array.from(site.rates));
    site.stage.learn('site', new Float64Array(12));
    expect(site.stage.work(startMs + 1e9)).toBeUndefined();
    expect(site.stage.bytes()).toBeGreaterThan(0);
  });
});

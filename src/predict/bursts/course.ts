/**
 * The course of each watched key, minute by minute: usual, burst, after the burst, let go. First what came is held to what was said 5 to 30 minutes ago, then
 * it is said what is expected now.
 */
import { RateReader } from '../base/rates.ts';
import { horizonsMin } from '../forecaster.ts';
import type { EngineState } from '../state/state.ts';
import type { Alarms } from './alarms.ts';
import { afterCell, aftermath, burstCell, persistence } from './persistence.ts';
import { surprise } from './surprise.ts';
import { none, ringMin, watchedMax } from './watch-list.ts';
import type { WatchList } from './watch-list.ts';

const minuteMs = 60_000;
/** A burst begins above this probability, and ends below the other. */
const beginsAt = 0.5;
const endsAt = 0.3;
/** Watched so long without a burst, or after one, a key is let go; or before, when base and usual rate differ by less than this part. */
const idleMin = 10;
const afterMin = 360;
const afterPart = 0.15;
/** A level has turned when it is off that of two minutes ago by this many standard deviations of a minute's count, whose own spread is ±15 % and Poisson. */
const turned = 1;
const spreadSquared = 0.15 ** 2;
/** Regions and requests of a burst fade with this time constant. */
const fade = Math.exp(-1 / 15);
/** A burst with less than this part of its requests from one region comes from several. */
const severalBelow = 0.75;
/** The site's pace changes the usual rate of a watched key by at most this factor. */
const paceFactorMax = 4;
/** Spans of minutes whose requests are tested. */
const spansMin = [1, 2, 3, 5, 10] as const;
/** Minutes over which a burst must be more than one lump. */
const steadyMin = 4;
/** Something is said where level and base differ by this factor, of bursts of so many requests (above the base, and below it). */
const clearly = 1.3;
const worthAbove = 3;
const worthBelow = 12;
/** An alarm is false when in this many minutes after it not so many came, nor this many times the usual. */
const judgedMin = 15;
const worthRequests = 3;
const worthTimes = 2;
/** Cells of what is left after a burst are told from those of a burst by this. */
const afterCells = 8192;

export class Course {
  readonly persistence = persistence();
  readonly aftermath = aftermath();
  readonly #state: EngineState;
  readonly #list: WatchList;
  readonly #alarms: Alarms;

  constructor(state: EngineState, list: WatchList, alarms: Alarms) {
    this.#state = state;
    this.#list = list;
    this.#alarms = alarms;
  }

  /** One minute of every watched key. `counts`: requests of the minute by place, none when it is left out. */
  pass(minute: number, counts: Float32Array | undefined, pace: number): void {
    const list = this.#list;
    const reader = new RateReader(this.#state, (minute + 1) * minuteMs);
    for (let place = 0; place < watchedMax; place++) {
      const key = list.keys[place] ?? none;
      if (key === none) continue;
      const slot = place * ringMin + (minute & (ringMin - 1));
      const count = counts?.[place] ?? 0;
      const factor = pace / Math.max(1e-9, list.paces[place] ?? 1);
      const usual = (list.rates[place] ?? 0) * Math.max(1 / paceFactorMax, Math.min(paceFactorMax, factor));
      list.counts[slot] = count;
      list.fadeRegions(place, fade);
      this.#learn(place, minute);
      list.cellThen[slot] = none;
      list.levelsEarlier[place] = list.levelsBefore[place] ?? 0;
      list.levelsBefore[place] = list.levels[place] ?? 0;
      list.levels[place] = list.filter.step(place, count, usual);
      list.certainty[place] = list.filter.burst;
      list.base[place] = reader.rate(key);
      this.#turn(place, minute, count, usual);
      if (this.#over(place, minute, usual)) list.remove(place);
      else this.#say(place, minute, usual);
    }
  }

  /** Holds what came to what was said a horizon ago. */
  #learn(place: number, minute: number): void {
    const list = this.#list;
    const { counts, cellThen } = list;
    let sum = 0;
    let back = 0;
    for (let horizon = 0; horizon < horizonsMin.length; horizon++) {
      const minutes = horizonsMin[horizon] ?? 0;
      for (; back < minutes; back++) sum += counts[place * ringMin + ((minute - back) & (ringMin - 1))] ?? 0;
      const then = place * ringMin + ((minute - minutes) & (ringMin - 1));
      const cell = cellThen[then] ?? none;
      if (cell === none) continue;
      const base = (list.baseThen[then] ?? 0) * minutes;
      const change = ((list.changeThen[then] ?? 0) + growth(list.slopeThen[then] ?? 0, minute - minutes - (list.beganMin[place] ?? 0) + 1, minutes)) * minutes;
      if (cell >= afterCells) this.aftermath.learn(cell - afterCells, horizon, base, change, sum);
      else this.persistence.learn(cell, horizon, base, change, sum);
    }
    if (minute - (list.alarmMin[place] ?? 0) === judgedMin) {
      const came = this.#sum(place, minute, judgedMin);
      this.#alarms.judge(came < worthRequests || came < worthTimes * judgedMin * (list.rates[place] ?? 0));
    }
  }

  /** From usual to burst and from burst to over, and whether there is an alarm. */
  #turn(place: number, minute: number, count: number, usual: number): void {
    const list = this.#list;
    const certainty = list.certainty[place] ?? 0;
    const on = (list.beganMin[place] ?? 0) > 0 && list.endedMin[place] === 0;
    if (!on && certainty > beginsAt) {
      // Whatever came within a burst's first minutes is its beginning.
      const again = minute - (list.endedMin[place] ?? 0) <= spansMin[2];
      if (!again) {
        list.beganMin[place] = minute;
        list.excess[place] = 0;
        list.alarmMin[place] = 0;
      }
      list.endedMin[place] = 0;
    } else if (on && certainty < endsAt) {
      list.endedMin[place] = minute;
    }
    if ((list.beganMin[place] ?? 0) === 0) return;
    list.excess[place] = (list.excess[place] ?? 0) * (list.endedMin[place] === 0 ? fade : 1) + Math.max(0, count - usual);
    if (list.endedMin[place] !== 0) return;
    let most = 0;
    for (const span of spansMin) most = Math.max(most, surprise(this.#sum(place, minute, span), usual * span, list.shapes[place] ?? 1));
    list.surprises[place] = most;
    if (list.alarmMin[place] === 0 && most >= this.#alarms.threshold) list.alarmMin[place] = minute;
  }

  #over(place: number, minute: number, usual: number): boolean {
    const list = this.#list;
    if ((list.beganMin[place] ?? 0) === 0) return minute - (list.cameMin[place] ?? 0) > idleMin;
    const ended = list.endedMin[place] ?? 0;
    if (ended === 0) return false;
    // What was said is still to be judged.
    if (minute - ended < ringMin) return false;
    return minute - ended > afterMin || (list.base[place] ?? 0) < usual * (1 + afterPart);
  }

  #say(place: number, minute: number, usual: number): void {
    const list = this.#list;
    const slot = place * ringMin + (minute & (ringMin - 1));
    const level = list.levels[place] ?? 0;
    const base = list.base[place] ?? 0;
    const ended = list.endedMin[place] ?? 0;
    const weight = list.excess[place] ?? 0;
    const age = minute - (list.beganMin[place] ?? 0) + 1;
    const earlier = age > 2 ? list.levelsEarlier[place] ?? 0 : age > 1 ? list.levelsBefore[place] ?? 0 : level;
    const change = (level - earlier) / Math.sqrt(earlier + spreadSquared * earlier * earlier);
    const trend = change < -turned ? 0 : change > turned ? 2 : 1;
    list.trends[place] = trend;
    const from = place * horizonsMin.length;
    const above = ended === 0 && level > base * clearly;
    const truth = ended === 0 ? level : Math.max(usual, level);
    const speaks = (list.beganMin[place] ?? 0) > 0 && (above ? weight >= worthAbove : weight >= worthBelow && base > truth * clearly);
    if (!speaks) {
      list.expected.fill(NaN, from, from + horizonsMin.length);
      return;
    }
    const cell = above ? burstCell(age, trend, age > 1 ? this.#steady(place, minute) : weight, level / base, list.topRegionPart(place) < severalBelow) : afterCell(ended === 0 ? 0 : minute - ended + 1, weight, base / truth);
    const ratios = above ? this.persistence : this.aftermath;
    list.baseThen[slot] = base;
    const slope = above && trend === 2 ? (level - earlier) / Math.min(2, age - 1) : 0;
    list.changeThen[slot] = truth - base;
    list.slopeThen[slot] = slope;
    list.cellThen[slot] = above ? cell : cell + afterCells;
    for (let horizon = 0; horizon < horizonsMin.length; horizon++) {
      const ratio = ratios.of(cell, horizon);
      const change = truth - base + growth(slope, age, horizonsMin[horizon] ?? 0);
      list.expected[from + horizon] = Math.max(0, base + change * (above ? ratio : Math.min(1, ratio)));
    }
  }

  /** Requests of the last minutes but for the largest of them: what shows that a burst is no lump. */
  #steady(place: number, minute: number): number {
    let most = 0;
    for (let back = 0; back < steadyMin; back++) most = Math.max(most, this.#list.counts[place * ringMin + ((minute - back) & (ringMin - 1))] ?? 0);
    return this.#sum(place, minute, steadyMin) - most;
  }

  #sum(place: number, minute: number, minutes: number): number {
    let sum = 0;
    for (let back = 0; back < minutes; back++) sum += this.#list.counts[place * ringMin + ((minute - back) & (ringMin - 1))] ?? 0;
    return sum;
  }
}

/** What so much more a minute adds to the average of the next minutes, if it goes on for as long as it has. */
function growth(slope: number, ageMin: number, minutes: number): number {
  const age = Math.max(1, ageMin);
  return minutes <= age ? (slope * minutes) / 2 : slope * age * (1 - age / (2 * minutes));
}

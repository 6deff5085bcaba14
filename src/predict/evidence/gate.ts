/**
 * Which stage is let in at which density of demand, at the level of the site and of regions. Every half hour each stage's rates are held to what came
 * (`held-out.ts`): the gain in log-likelihood over what it was given, summed over the rows of a stratum, is one piece of evidence, however many
 * rows there were, for they share their hour. A stage is let in while the sum of what it gained stands clearly above its own scatter, and is
 * out at once when the last hours speak against it. The whole is watched in the same way: while all stages together do worse than the base
 * rates (drift), none is let in. The likelihood is negative binomial, so that one burst does not decide.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { levels, stageNames } from '../stage.ts';
import type { Level, StageName } from '../stage.ts';

/** Upper ends of the strata of expected requests in a horizon. */
export const gateStrata = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, Infinity] as const;
/** Evidence halves in two days of half hours; that of the last hours in two. */
const keepLong = 2 ** (-1 / 96);
const keepShort = 2 ** (-1 / 4);
/** Standard errors that a gain must stand above 0 to be let in, and may fall below it on the long and the short run before it is out. */
const opensAt = 2;
const closesAt = 0.5;
const alarmAt = -1.8;
/** Pieces of evidence (decayed) before anything is let in. */
const piecesMin = 5;
const dispersion = 0.5;

/** Columns of a door: long sum, long sum of squares, pieces, short sum, short sum of squares, open. */
const [longSum, longSquares, pieces, shortSum, shortSquares, isOpen] = [0, 1, 2, 3, 4, 5] as const;
const columnCount = 6;

export interface Door {
  readonly stage: StageName;
  readonly level: Level;
  /** Expected requests in the horizon are below this, and at or above the stratum before. */
  readonly meanBelow: number;
  readonly open: boolean;
  /** Gain in log-likelihood per half hour, on the long run; `NaN` before there is evidence. */
  readonly gain: number;
  /** The same in standard errors. */
  readonly certainty: number;
}

export class Gate {
  readonly #doors = new Map<string, Float64Array>();
  readonly #drift = new Map<Level, Float64Array>();

  constructor() {
    for (const level of levels) {
      this.#drift.set(level, new Float64Array(columnCount));
      for (const stage of stageNames) this.#doors.set(`${stage} ${level}`, new Float64Array(columnCount * gateStrata.length));
    }
  }

  /** Whether the stage's word counts for a row of this expected count. */
  lets(stage: StageName, level: Level, mean: number): boolean {
    return !this.fallenBack(level) && this.trusts(stage, level, mean);
  }

  /** The same but for a fall-back of the whole, so that it can be seen when that may end. */
  trusts(stage: StageName, level: Level, mean: number): boolean {
    return this.#doors.get(`${stage} ${level}`)?.[stratumOf(mean) * columnCount + isOpen] === 1;
  }

  /** Whether all, some or none of the strata are open. */
  openness(stage: StageName, level: Level): 'all' | 'some' | 'none' {
    const doors = this.#doors.get(`${stage} ${level}`);
    if (!doors || this.fallenBack(level)) return 'none';
    let open = 0;
    for (let stratum = 0; stratum < gateStrata.length; stratum++) open += doors[stratum * columnCount + isOpen] ?? 0;
    return open === 0 ? 'none' : open === gateStrata.length ? 'all' : 'some';
  }

  /** Whether nothing is let in because all together did worse than the base. */
  fallenBack(level: Level): boolean {
    return this.#drift.get(level)?.[isOpen] === 1;
  }

  /** Takes what a stage's means were worth beside those it was given: the counts that came, row by row. */
  score(stage: StageName, level: Level, given: Float64Array, made: Float64Array, counts: Float64Array): void {
    const doors = this.#doors.get(`${stage} ${level}`);
    if (!doors) return;
    const gains = new Float64Array(gateStrata.length);
    const touched = new Uint8Array(gateStrata.length);
    for (let i = 0; i < counts.length; i++) {
      const before = given[i] ?? 0;
      const after = made[i] ?? 0;
      if (before === after || !(before > 0)) continue;
      const stratum = stratumOf(before);
      gains[stratum] = (gains[stratum] ?? 0) + gainOf(counts[i] ?? 0, before, after);
      touched[stratum] = 1;
    }
    for (let stratum = 0; stratum < gateStrata.length; stratum++) if (touched[stratum] === 1) take(doors.subarray(stratum * columnCount, (stratum + 1) * columnCount), gains[stratum] ?? 0);
  }

  /** Takes what all that was let in, or would have been, was worth beside the base. */
  watch(level: Level, base: Float64Array, final: Float64Array, counts: Float64Array): void {
    const drift = this.#drift.get(level);
    if (!drift) return;
    let gain = 0;
    let touched = false;
    for (let i = 0; i < counts.length; i++) {
      const before = base[i] ?? 0;
      const after = final[i] ?? 0;
      if (before === after || !(before > 0)) continue;
      gain += gainOf(counts[i] ?? 0, before, after);
      touched = true;
    }
    if (!touched) return;
    note(drift, gain);
    const short = (drift[shortSum] ?? 0) / Math.sqrt(Math.max(1e-12, drift[shortSquares] ?? 0));
    if (short < alarmAt) drift[isOpen] = 1;
    else if (short > 0) drift[isOpen] = 0;
  }

  /** All doors there is evidence about. */
  doors(): Door[] {
    const list: Door[] = [];
    for (const stage of stageNames) for (const level of levels) {
      const doors = this.#doors.get(`${stage} ${level}`);
      gateStrata.forEach((meanBelow, stratum) => {
        const door = doors?.subarray(stratum * columnCount, (stratum + 1) * columnCount);
        if (!door || (door[pieces] ?? 0) === 0) return;
        list.push({ stage, level, meanBelow, open: door[isOpen] === 1 && !this.fallenBack(level), gain: (door[longSum] ?? 0) / (door[pieces] ?? 1), certainty: certainty(door) });
      });
    }
    return list;
  }

  write(writer: ByteWriter): void {
    for (const doors of [...this.#doors.values(), ...this.#drift.values()]) for (const value of doors) writer.double(value);
  }

  read(reader: ByteReader): void {
    for (const doors of [...this.#doors.values(), ...this.#drift.values()]) {
      for (let i = 0; i < doors.length; i++) {
        const value = reader.double();
        doors[i] = Number.isFinite(value) ? value : 0;
      }
    }
  }
}

export function stratumOf(mean: number): number {
  let stratum = 0;
  while (stratum < gateStrata.length - 1 && !(mean < (gateStrata[stratum] ?? Infinity))) stratum++;
  return stratum;
}

/** log NB(count | after) − log NB(count | before); what both have in common is left out. */
function gainOf(count: number, before: number, after: number): number {
  const least = Math.max(after, 1e-9);
  return count * Math.log(least / before) - (count + 1 / dispersion) * (Math.log1p(dispersion * least) - Math.log1p(dispersion * before));
}

function note(door: Float64Array, gain: number): void {
  door[longSum] = (door[longSum] ?? 0) * keepLong + gain;
  door[longSquares] = (door[longSquares] ?? 0) * keepLong + gain * gain;
  door[pieces] = (door[pieces] ?? 0) * keepLong + 1;
  door[shortSum] = (door[shortSum] ?? 0) * keepShort + gain;
  door[shortSquares] = (door[shortSquares] ?? 0) * keepShort + gain * gain;
}

function certainty(door: Float64Array): number {
  return (door[longSum] ?? 0) / Math.sqrt(Math.max(1e-12, door[longSquares] ?? 0));
}

function take(door: Float64Array, gain: number): void {
  note(door, gain);
  const long = certainty(door);
  const short = (door[shortSum] ?? 0) / Math.sqrt(Math.max(1e-12, door[shortSquares] ?? 0));
  if (door[isOpen] === 1) {
    if (long < closesAt || short < alarmAt) door[isOpen] = 0;
  } else if ((door[pieces] ?? 0) >= piecesMin && long > opensAt && short > 0) {
    door[isOpen] = 1;
  }
}

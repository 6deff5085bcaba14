/**
 * Which stage is let in at which density of demand, at the level of the site and of regions. Every half hour each stage's rates are held to what came
 * (`held-out.ts`): the gain in log-likelihood over what it was given, summed over the rows of a stratum, is one piece of evidence, however many
 * rows there were, for they share their hour. A stage is let in while the sum of what it gained stands clearly above its own scatter, and is
 * out as soon as the last hours speak against it. The whole is watched in the same way: while all stages together do worse than the base
 * rates (drift), none is let in. The likelihood is negative binomial, so that one burst does not decide.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { levels, stageNames } from '../stage.ts';
import type { Level, StageName } from '../stage.ts';

/** Upper ends of the strata of expected requests in a horizon. */
export const gateStrata = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, Infinity] as const;
/** Evidence halves in two days of half hours. */
const keep = 2 ** (-1 / 96);
/** Standard errors that a gain must stand above 0 to be let in, and may fall to before it is out. */
const opensAt = 2;
const closesAt = 0.5;
/** The same for stages that are presumed good. */
const presumedOpensAt = -1;
const presumedClosesAt = -2;
/** Pieces of evidence (decayed) before anything is let in. */
const piecesMin = 5;
/**
 * Let in from the first, and out once they clearly lose: stages that speak only of few rows, at moments that a sample every half hour hardly meets, and
 * hold every word of theirs to what came.
 */
const presumed: ReadonlySet<StageName> = new Set(['bursts']);
/**
 * Two running sums of the last gains in standard deviations (CUSUM; Page 1954): downward, an alarm when it reaches `alarmAt`; upward, for the end of a
 * fall-back. `slack` a piece keeps noise from adding up, and none counts for more than `pieceMax`: one burst is no alarm.
 */
const slack = 0.25;
const pieceMax = 2;
const alarmAt = -4;
const recoversAt = 3;
const dispersion = 0.5;

/** Columns of a door: sum, sum of squares, pieces, downward and upward running sum, open. */
const [sum, squares, pieces, falling, rising, isOpen] = [0, 1, 2, 3, 4, 5] as const;
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
      for (const stage of stageNames) {
        const doors = new Float64Array(columnCount * gateStrata.length);
        if (presumed.has(stage)) for (let stratum = 0; stratum < gateStrata.length; stratum++) doors[stratum * columnCount + isOpen] = 1;
        this.#doors.set(`${stage} ${level}`, doors);
      }
    }
  }

  /** For every stratum (`stratumOf`) 1 where the stage's word counts, but for a fall-back of the whole (`openness`): so that it can be seen when that may end. */
  trustedStrata(stage: StageName, level: Level): Uint8Array {
    const doors = this.#doors.get(`${stage} ${level}`);
    const trusted = new Uint8Array(gateStrata.length);
    for (let stratum = 0; stratum < trusted.length; stratum++) trusted[stratum] = doors?.[stratum * columnCount + isOpen] ?? 0;
    return trusted;
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
    for (let stratum = 0; stratum < gateStrata.length; stratum++) if (touched[stratum] === 1) take(doors.subarray(stratum * columnCount, (stratum + 1) * columnCount), gains[stratum] ?? 0, presumed.has(stage));
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
    const fallen = drift[isOpen] === 1;
    if (fallen ? (drift[rising] ?? 0) < recoversAt : (drift[falling] ?? 0) > alarmAt) return;
    drift[isOpen] = fallen ? 0 : 1;
    drift[falling] = 0;
    drift[rising] = 0;
  }

  /** All doors there is evidence about. */
  doors(): Door[] {
    const list: Door[] = [];
    for (const stage of stageNames) for (const level of levels) {
      const doors = this.#doors.get(`${stage} ${level}`);
      gateStrata.forEach((meanBelow, stratum) => {
        const door = doors?.subarray(stratum * columnCount, (stratum + 1) * columnCount);
        if (!door || (door[pieces] ?? 0) === 0) return;
        list.push({ stage, level, meanBelow, open: door[isOpen] === 1 && !this.fallenBack(level), gain: (door[sum] ?? 0) / (door[pieces] ?? 1), certainty: certainty(door) });
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
  door[sum] = (door[sum] ?? 0) * keep + gain;
  door[squares] = (door[squares] ?? 0) * keep + gain * gain;
  door[pieces] = (door[pieces] ?? 0) * keep + 1;
  const deviation = Math.sqrt((door[squares] ?? 0) / (door[pieces] ?? 1));
  const scaled = deviation > 0 ? Math.max(-pieceMax, Math.min(pieceMax, gain / deviation)) : 0;
  door[falling] = Math.min(0, (door[falling] ?? 0) + scaled + slack);
  door[rising] = Math.max(0, (door[rising] ?? 0) + scaled - slack);
}

function certainty(door: Float64Array): number {
  return (door[sum] ?? 0) / Math.sqrt(Math.max(1e-12, door[squares] ?? 0));
}

function take(door: Float64Array, gain: number, presumedGood: boolean): void {
  note(door, gain);
  if ((door[falling] ?? 0) <= alarmAt && !presumedGood) {
    // What gained before says nothing now; how far it scatters does.
    door[isOpen] = 0;
    door[squares] = (door[squares] ?? 0) / Math.max(1, door[pieces] ?? 1);
    door[sum] = 0;
    door[pieces] = 1;
    door[falling] = 0;
    return;
  }
  const certain = certainty(door);
  if (door[isOpen] === 1) {
    if (certain < (presumedGood ? presumedClosesAt : closesAt)) door[isOpen] = 0;
  } else if ((door[pieces] ?? 0) >= piecesMin && certain > (presumedGood ? presumedOpensAt : opensAt)) {
    door[isOpen] = 1;
  }
}

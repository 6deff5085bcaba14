/**
 * When a value changes: a rate for each place, shrunk towards its siblings' (Gamma-Poisson), times what the siblings have in common: how the hazard goes with the
 * time since the last change, in units of the place's own mean gap (values that change by the clock, in spells, or no more at all differ in nothing else), and
 * how it goes with the value (amber lasts less than green). Before evidence it is that of a Poisson process of uncertain rate (Lomax gaps). How much a place is
 * like its siblings, and how far back its own gaps count, is chosen by the likelihood of what came. Pure.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { bounded } from './followers.ts';

/** Ends of the pieces, in mean gaps since the last change. */
const ends = [0.125, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 8, 16, Number.POSITIVE_INFINITY] as const;
/** Changes that the prior of each piece and of each value is worth. */
const pieceWeight = 3;
const valueWeight = 3;
/** Values with a factor of their own; beyond, the longest untouched has none. */
export const timedValuesMax = 256;
/** Before anything has been seen: a change an hour, worth one. */
const firstRatePerMin = 1 / 60;
/** A feed may say two values at once. */
const gapMinMin = 1 / 60;
/** How many changes the siblings' rate is worth, and what a gap counts beside the next newer one. */
const options = [[1, 0.9], [4, 0.9], [16, 0.9], [64, 0.9], [1, 0.98], [4, 0.98], [16, 0.98], [64, 0.98]] as const;
const firstOption = 1;
/** Older likelihood counts less: half after 140 changes. */
const likelihoodFade = 0.995;
const textBytesMax = 4096;

/** What is known of a place's changes. */
export interface Timing {
  /** When its first known value came and all changes since, epoch ms, in order. */
  readonly times: readonly number[];
  /** Its present value. */
  readonly text: string;
}

/** How fast a place changes, how many changes that is known from, and what its present value makes of it. */
export interface Pace {
  readonly perMin: number;
  readonly shape: number;
  readonly factor: number;
}

interface Counted {
  events: number;
  expected: number;
}

export class ChangeTimes {
  readonly #pieces: readonly Counted[] = ends.map(() => ({ events: 0, expected: 0 }));
  readonly #values = new Map<string, Counted>();
  readonly #likelihood = new Float64Array(options.length);
  #option: number = firstOption;
  #changes = 0;
  #minutes = 0;

  paceOf(timing: Timing): Pace {
    return this.#pace(timing, this.#option);
  }

  /** Expected first changes between two ages, minutes since the last change: e^−this is the probability of none. */
  hazard(pace: Pace, fromMin: number, toMin: number): number {
    let sum = 0;
    eachPiece(pace, fromMin, toMin, (piece, expected) => { sum += expected * factorOf(this.#pieces[piece], pieceWeight); });
    return sum * pace.factor;
  }

  /** Takes it that a place did not change between two ages; `changed`: but did at the end. */
  learn(timing: Timing, fromMin: number, toMin: number, changed: boolean): void {
    this.#choose(timing, fromMin, toMin, changed);
    const pace = this.paceOf(timing);
    // What a value explains is not left to the time, nor the other way round.
    eachPiece(pace, fromMin, toMin, (at, expected) => {
      const piece = this.#pieces[at];
      if (piece) piece.expected += expected * pace.factor;
    });
    this.#minutes += Math.max(0, toMin - fromMin);
    if (!changed) return;
    this.#changes++;
    // Of values whole stays count: else one that has just come to be would seem to last, for its only stay is not over.
    const value = this.#valueOf(timing.text);
    value.events++;
    let last = pieceAt(pace.perMin * toMin);
    eachPiece(pace, 0, toMin, (at, expected) => {
      value.expected += expected * factorOf(this.#pieces[at], pieceWeight);
      last = at;
    });
    const piece = this.#pieces[last];
    if (piece) piece.events++;
  }

  write(writer: ByteWriter): void {
    for (const { events, expected } of this.#pieces) for (const number of [events, expected]) writer.double(number);
    for (const likelihood of this.#likelihood) writer.double(likelihood);
    for (const number of [this.#changes, this.#minutes]) writer.double(number);
    writer.uint(this.#values.size);
    for (const [text, { events, expected }] of this.#values) {
      writer.string(text);
      for (const number of [events, expected]) writer.double(number);
    }
  }

  read(reader: ByteReader): void {
    for (const piece of this.#pieces) {
      piece.events = reader.double();
      piece.expected = reader.double();
    }
    for (let i = 0; i < options.length; i++) this.#likelihood[i] = reader.double();
    this.#changes = reader.double();
    this.#minutes = reader.double();
    for (let left = bounded(reader.length(17), timedValuesMax); left > 0; left--) this.#values.set(reader.string(textBytesMax), { events: reader.double(), expected: reader.double() });
    this.#option = best(this.#likelihood);
  }

  #pace({ times, text }: Timing, option: number): Pace {
    const [weight, fade] = options[option] ?? options[firstOption];
    let shape = 0;
    let minutes = 0;
    let counts = 1;
    for (let i = times.length - 1; i > 0; i--) {
      shape += counts;
      minutes += counts * Math.max(gapMinMin, ((times[i] ?? 0) - (times[i - 1] ?? 0)) / 60_000);
      counts *= fade;
    }
    const siblings = (this.#changes + 1) / (this.#minutes + 1 / firstRatePerMin);
    return { perMin: (shape + weight) / (minutes + weight / siblings), shape: shape + weight, factor: factorOf(this.#values.get(text), valueWeight) };
  }

  /** Likelihood of Lomax gaps, cut off where they are not over. */
  #choose(timing: Timing, fromMin: number, toMin: number, changed: boolean): void {
    for (let option = 0; option < options.length; option++) {
      const { perMin, shape } = this.#pace(timing, option);
      const survived = -shape * Math.log((shape + perMin * toMin) / (shape + perMin * fromMin));
      const ended = changed ? Math.log((shape * perMin) / (shape + perMin * toMin)) : 0;
      this.#likelihood[option] = (this.#likelihood[option] ?? 0) * (changed ? likelihoodFade : 1) + survived + ended;
    }
    this.#option = best(this.#likelihood);
  }

  #valueOf(text: string): Counted {
    const value = this.#values.get(text) ?? { events: 0, expected: 0 };
    this.#values.delete(text);
    this.#values.set(text, value);
    if (this.#values.size > timedValuesMax) for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      break;
    }
    return value;
  }
}

function best(likelihood: Float64Array): number {
  let found: number = firstOption;
  for (let option = 0; option < options.length; option++) if ((likelihood[option] ?? 0) > (likelihood[found] ?? 0)) found = option;
  return found;
}

function factorOf(counted: Counted | undefined, weight: number): number {
  return counted ? (counted.events + weight) / (counted.expected + weight) : 1;
}

/** Hazard of Lomax gaps: rate · shape / (shape + rate · age); its integral is shape · ln(shape + rate · age). */
function eachPiece({ perMin, shape }: Pace, fromMin: number, toMin: number, take: (piece: number, expected: number) => void): void {
  let from = perMin * Math.max(0, fromMin);
  const to = perMin * toMin;
  for (let piece = pieceAt(from); piece < ends.length && from < to; piece++) {
    const until = Math.min(to, ends[piece] ?? to);
    take(piece, shape * Math.log((shape + until) / (shape + from)));
    from = until;
  }
}

function pieceAt(gaps: number): number {
  let piece = 0;
  while (piece < ends.length - 1 && gaps >= (ends[piece] ?? 0)) piece++;
  return piece;
}

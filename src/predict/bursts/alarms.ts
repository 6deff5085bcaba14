/**
 * When people are told of a burst: its surprise must pass a threshold that allows for the number of tests an hour has (Bonferroni), times the site's lumpiness:
 * visitors who come in groups or ask twice make every surprise some times too large. That factor rises with every false alarm and sinks slowly while there is none,
 * so that false alarms settle at a few a day at most (Robbins & Monro 1951), whatever the site's requests are like. False: the burst was over at once.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

/** False alarms an hour that are put up with: six a day. */
const falsePerHour = 0.25;
/** The logarithm of the lumpiness rises by this with a false alarm, and is at most the other: sixteen times. */
const penalty = 0.15;
const penaltiesMax = Math.log(16);
/** Spans of minutes that are tested for each key. */
const spans = 5;
const keepTests = 1 - 1 / 60;

export class Alarms {
  #testsPerMinute = 0;
  #penalties = 0;
  /** What falls together is one event: lumpiness rises once a minute at most. */
  #penalised = false;
  raised = 0;
  overAtOnce = 0;

  /** Nats that a burst's surprise must reach. */
  get threshold(): number {
    return Math.log(Math.max(100, this.#testsPerMinute * spans * 60) / falsePerHour) * Math.exp(this.#penalties);
  }

  /** A minute went by in which so many keys were asked for. */
  pass(keys: number): void {
    this.#testsPerMinute = this.#testsPerMinute * keepTests + keys * (1 - keepTests);
    this.#penalised = false;
    this.#penalties = Math.max(0, this.#penalties - (penalty * falsePerHour) / 60);
  }

  /** What became of an alarm. */
  judge(overAtOnce: boolean): void {
    this.raised++;
    if (!overAtOnce) return;
    this.overAtOnce++;
    if (this.#penalised) return;
    this.#penalised = true;
    this.#penalties = Math.min(penaltiesMax, this.#penalties + penalty);
  }

  write(writer: ByteWriter): void {
    for (const value of [this.#testsPerMinute, this.#penalties, this.raised, this.overAtOnce]) writer.double(value);
  }

  read(reader: ByteReader): void {
    const value = (): number => {
      const read = reader.double();
      return Number.isFinite(read) && read > 0 ? read : 0;
    };
    this.#testsPerMinute = value();
    this.#penalties = Math.min(penaltiesMax, value());
    this.raised = value();
    this.overAtOnce = value();
  }
}

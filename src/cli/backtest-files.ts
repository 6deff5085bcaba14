/** The files a backtest writes: NDJSON as it goes, opened before the run so that a bad path is known at once. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Forecast } from '../predict/index.ts';
import { ForeshadowError, messageOf } from '../kernel/index.ts';

const flushCharacters = 1 << 20;

/** A text file that is written in large pieces. */
export class TextOutput implements Disposable {
  readonly #path: string;
  readonly #file: number;
  #waiting: string[] = [];
  #length = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = this.#guard(() => openSync(path, 'w'));
  }

  write(text: string): void {
    this.#waiting.push(text);
    this.#length += text.length;
    if (this.#length >= flushCharacters) this.#flush();
  }

  [Symbol.dispose](): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    const bytes = new TextEncoder().encode(this.#waiting.join(''));
    this.#waiting = [];
    this.#length = 0;
    for (let written = 0; written < bytes.length;) written += this.#guard(() => writeSync(this.#file, bytes, written));
  }

  #guard<Result>(act: () => Result): Result {
    try {
      return act();
    } catch (cause) {
      throw new ForeshadowError('storage-failed', { source: 'storage', message: `${this.#path} can not be written: ${messageOf(cause)}`, hint: 'check the path and the space left', cause });
    }
  }
}

/** CONTRACT: `{"t", "resource", "region"}`. */
export function planLine(t: number, resource: string): string {
  return `{"t":${t},"resource":${JSON.stringify(resource)},"region":"*"}\n`;
}

/** CONTRACT: `{"t", "region", "resource", "horizonMin", "mean", "p", "q50", "q90", "q99"}`. Millions of lines: written by hand, 0.4 µs each. */
export function forecastLine(t: number, forecast: Forecast): string {
  return `{"t":${t},"region":${JSON.stringify(forecast.region)},"resource":${JSON.stringify(forecast.resource)},"horizonMin":${forecast.horizonMin}`
    + `,"mean":${millionths(forecast.mean)},"p":${millionths(forecast.p)},"q50":${forecast.q50},"q90":${forecast.q90},"q99":${forecast.q99}}\n`;
}

function millionths(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

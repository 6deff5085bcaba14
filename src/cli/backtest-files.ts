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

/**
 * CONTRACT: `{"t", "region", "resource", "horizonMin", "mean", "p", "q50", "q90", "q99"}`. A large trace makes a hundred million
 * of these lines, so what repeats from line to line is made once and numbers are put together from digits.
 */
export class ForecastLines {
  #t = -1;
  #region = '';
  #resource = '';
  #start = '';

  line(t: number, { region, resource, horizonMin, mean, p, q50, q90, q99 }: Forecast): string {
    if (t !== this.#t || resource !== this.#resource || region !== this.#region) {
      this.#t = t;
      this.#region = region;
      this.#resource = resource;
      this.#start = `{"t":${t},"region":${JSON.stringify(region)},"resource":${JSON.stringify(resource)},"horizonMin":`;
    }
    return `${this.#start}${horizonMin},"mean":${millionths(mean)},"p":${millionths(p)},"q50":${q50},"q90":${q90},"q99":${q99}}\n`;
  }
}

const threeDigits = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'));

/** A number from 0 with six decimals; a quarter of the time that printing a double takes. */
function millionths(value: number): string {
  const rounded = Math.round(value * 1e6);
  const whole = Math.floor(rounded / 1e6);
  const part = rounded - whole * 1e6;
  const thousands = Math.floor(part / 1000);
  return `${whole}.${threeDigits[thousands] ?? ''}${threeDigits[part - thousands * 1000] ?? ''}`;
}

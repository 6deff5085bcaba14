/**
 * XGBoost through its C interface (Debian's libxgboost0), as the peer that our own trees are held to: the same rows, Poisson loss, the offset as base margin, histograms, one
 * thread. Nothing of it is ever part of the product.
 */
import { CString, dlopen, FFIType, toArrayBuffer } from 'bun:ffi';
import type { Pointer } from 'bun:ffi';
import { poissonDeviance } from '../../src/predict/trees/index.ts';
import type { TrainingRows } from '../../src/predict/trees/index.ts';

const { f32, i32, ptr: address, u32, u64 } = FFIType;
const symbols = {
  XGBGetLastError: { args: [], returns: address },
  XGDMatrixCreateFromMat: { args: [address, u64, u64, f32, address], returns: i32 },
  XGDMatrixSetFloatInfo: { args: [address, address, address, u64], returns: i32 },
  XGDMatrixFree: { args: [address], returns: i32 },
  XGBoosterCreate: { args: [address, u64, address], returns: i32 },
  XGBoosterSetParam: { args: [address, address, address], returns: i32 },
  XGBoosterUpdateOneIter: { args: [address, i32, address], returns: i32 },
  XGBoosterPredict: { args: [address, address, i32, u32, i32, address, address], returns: i32 },
  XGBoosterFree: { args: [address], returns: i32 },
} as const;
type Library = ReturnType<typeof dlopen<typeof symbols>>['symbols'];

const marginOnly = 1;

/** Undefined where the library is not installed. */
export function openXgboost(): Xgboost | undefined {
  for (const name of ['libxgboost.so.0', 'libxgboost.so']) {
    try {
      return new Xgboost(dlopen(name, symbols).symbols);
    } catch { /* not under this name */ }
  }
  return undefined;
}

class Xgboost {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  /** Mean Poisson deviance of rows by a model trained on others. */
  deviance(training: TrainingRows, others: TrainingRows, rounds: number, parameters: Parameters): number {
    using rows = this.matrix(training);
    using judged = this.matrix(others);
    using booster = this.train(rows, rounds, parameters);
    return poissonDeviance(others.counts, others.offsets, booster.corrections(judged));
  }

  /** Rows as the library keeps them; the caller frees them. */
  matrix({ features, counts, offsets }: TrainingRows): Matrix {
    const values = new Float32Array(counts.length * features.length);
    features.forEach((column, at) => { for (let row = 0; row < counts.length; row++) values[row * features.length + at] = column[row] ?? Number.NaN; });
    const handle = this.#made((out) => this.#library.XGDMatrixCreateFromMat(values, counts.length, features.length, Number.NaN, out));
    for (const [name, column] of [['label', counts], ['base_margin', offsets]] as const) {
      this.#require(this.#library.XGDMatrixSetFloatInfo(handle, text(name), Float32Array.from(column), counts.length));
    }
    return { handle, offsets, [Symbol.dispose]: () => { this.#library.XGDMatrixFree(handle); } };
  }

  /** A model after so many rounds with these of the library's own parameters. */
  train(rows: Matrix, rounds: number, parameters: Parameters): Booster {
    const handle = this.#made((out) => this.#library.XGBoosterCreate(BigUint64Array.of(BigInt(rows.handle)), 1, out));
    const all = { objective: 'count:poisson', tree_method: 'hist', nthread: 1, verbosity: 0, ...parameters };
    for (const [name, value] of Object.entries(all)) this.#require(this.#library.XGBoosterSetParam(handle, text(name), text(String(value))));
    for (let round = 0; round < rounds; round++) this.#require(this.#library.XGBoosterUpdateOneIter(handle, round, rows.handle));
    return { corrections: (matrix) => this.#corrections(handle, matrix), [Symbol.dispose]: () => { this.#library.XGBoosterFree(handle); } };
  }

  #corrections(booster: Pointer, { handle, offsets }: Matrix): Float64Array {
    const length = new BigUint64Array(1);
    const margins = this.#made((out) => this.#library.XGBoosterPredict(booster, handle, marginOnly, 0, 0, length, out));
    return Float64Array.from(new Float32Array(toArrayBuffer(margins, 0, 4 * Number(length[0] ?? 0n))), (margin, row) => margin - (offsets[row] ?? 0));
  }

  /** What a call leaves at the address it is given. */
  #made(call: (out: BigUint64Array) => number): Pointer {
    const out = new BigUint64Array(1);
    this.#require(call(out));
    return Number(out[0] ?? 0n) as Pointer; // an address from the library is one
  }

  #require(status: number): void {
    if (status === 0) return;
    const message = this.#library.XGBGetLastError();
    throw new Error(`libxgboost: ${message === null ? 'no reason given' : new CString(message)}`);
  }
}

/** By the library's own names. */
type Parameters = Readonly<Record<string, string | number>>;

interface Matrix extends Disposable {
  readonly handle: Pointer;
  readonly offsets: Float64Array;
}

interface Booster extends Disposable {
  /** What the model adds to the offset of each row. */
  corrections(rows: Matrix): Float64Array;
}

/** A C string. Arrays are handed over as they are, not as addresses, so that they are there until the call returns. */
function text(value: string): Uint8Array {
  return Buffer.from(`${value}\0`);
}

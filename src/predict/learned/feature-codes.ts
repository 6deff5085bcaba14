/**
 * Features as bytes: the form in which rows are kept as samples, trees are grown and rows are predicted. A feature has a range; where a value lies in it is a code from 0 to 254, and
 * 255 stands for no value. Ratios are laid out by their logarithm, read from the bits of the float: exponent and, in place of its logarithm, mantissa. That is in order, which is all
 * that trees ask for, even within 6 % of an octave, and costs nothing. (With logarithms features took a third of the time of the trees.)
 */

/** A byte that stands for no value. */
export const missing = 255;
const steps = 254;
const infinityBits = 0x7f800000;

/** A feature and the range in which its values are told apart. */
export interface Feature {
  readonly name: string;
  /** Of ratios: their bits. */
  readonly isRatio: boolean;
  readonly from: number;
  readonly perStep: number;
}

/** A feature laid out evenly. */
export function plain(name: string, from: number, to: number): Feature {
  return { name, isRatio: false, from, perStep: steps / (to - from) };
}

/** A ratio, never below 0, laid out by its logarithm; ends of the range in natural logarithms. */
export function ratio(name: string, from: number, to: number): Feature {
  const bits = new Int32Array(Float32Array.of(Math.exp(from), Math.exp(to)).buffer);
  return { name, isRatio: true, from: bits[0] ?? 0, perStep: steps / ((bits[1] ?? 0) - (bits[0] ?? 0)) };
}

/** Columns of so many rows: of values, and of their codes. */
export interface FeatureBlock {
  readonly values: Float32Array;
  readonly codes: readonly Uint8Array[];
  readonly capacity: number;
}

export function featureBlock(features: readonly Feature[], capacity: number): FeatureBlock {
  return { values: new Float32Array(features.length * capacity), codes: features.map(() => new Uint8Array(capacity)), capacity };
}

/** Turns the values of the first `length` rows into codes. */
export function encode(features: readonly Feature[], { values, codes, capacity }: FeatureBlock, length: number): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let column = 0; column < features.length; column++) {
    const feature = features[column];
    const into = codes[column];
    if (!feature || !into) continue;
    if (feature.isRatio) encodeRatios(feature, bits, column * capacity, length, into);
    else encodePlain(feature, values, column * capacity, length, into);
  }
}

function encodeRatios({ from, perStep }: Feature, bits: Int32Array, at: number, length: number, into: Uint8Array): void {
  for (let row = 0; row < length; row++) {
    const value = bits[at + row] ?? 0;
    const code = (value - from) * perStep;
    into[row] = value > infinityBits ? missing : code <= 0 ? 0 : code >= steps ? steps : (code + 0.5) | 0;
  }
}

function encodePlain({ from, perStep }: Feature, values: Float32Array, at: number, length: number, into: Uint8Array): void {
  for (let row = 0; row < length; row++) {
    const code = ((values[at + row] ?? 0) - from) * perStep;
    into[row] = Number.isNaN(code) ? missing : code <= 0 ? 0 : code >= steps ? steps : (code + 0.5) | 0;
  }
}

/** Typed-array columns: wider ones, some rows of one, their bytes, and what is done to all entries of one at a time. */

/** Less than this, at a landmark, is nothing; and below it come numbers that processors are slow with. */
const least = 1e-30;

/** How much wider a column gets when it is full: a sixteenth is the most that lies idle, and a key is copied sixteen times on the average (0.1 µs). */
export const columnGrowth = 1.0625;

/** A wider column that begins with what is there. */
export function widened(column: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(capacity);
  wider.set(column);
  return wider;
}

export function widenedInts(column: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(capacity);
  wider.set(column);
  return wider;
}

export function widenedFloats(column: Float32Array, capacity: number): Float32Array<ArrayBuffer> {
  const wider = new Float32Array(capacity);
  wider.set(column);
  return wider;
}

export function widenedShorts(column: Uint16Array, capacity: number): Uint16Array<ArrayBuffer> {
  const wider = new Uint16Array(capacity);
  wider.set(column);
  return wider;
}

export function widenedDoubles(column: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(capacity);
  wider.set(column);
  return wider;
}

/** The entries of a column in these rows. Not by `from` or `map`, which cost several times as much. */
export function pickedInts(column: Int32Array, rows: Int32Array): Int32Array<ArrayBuffer> {
  const picked = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i] ?? 0] ?? 0;
  return picked;
}

export function pickedDoubles(column: Float64Array, rows: Int32Array): Float64Array<ArrayBuffer> {
  const picked = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i] ?? 0] ?? 0;
  return picked;
}

/** A column's own bytes, little-endian as every machine Bun runs on. */
export function bytesOf(column: Float32Array | Uint32Array | Int32Array | Uint16Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

/** Multiplies a column by a factor below 1; what becomes too little becomes nothing. */
export function fade(column: Float32Array, factor: number): void {
  for (let i = 0; i < column.length; i++) {
    const faded = (column[i] ?? 0) * factor;
    column[i] = faded < least ? 0 : faded;
  }
}

/** Numbers that can't be counts become 0. */
export function heal(column: Float32Array): void {
  for (let i = 0; i < column.length; i++) {
    const value = column[i] ?? 0;
    if (!(value >= least && value < Infinity)) column[i] = 0;
  }
}

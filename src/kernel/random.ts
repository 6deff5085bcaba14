/**
 * Randomness as an argument, so that a seed reproduces a run. `seededRandom` is sfc32 (Chris Doty-Humphrey's Small Fast
 * Counting generator, 128-bit state), seeded through splitmix32. Not for secrets: those come from `crypto`.
 */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, limit). */
  below(limit: number): number;
  /** Exponentially distributed with the given mean (inter-arrival times of a Poisson process). */
  exponential(mean: number): number;
  /** A Poisson-distributed count: arrivals, with exponential gaps, in a time in which `mean` are expected. Takes time in proportion to the mean. */
  poisson(mean: number): number;
}

export function seededRandom(seed: number): Random {
  let s = seed | 0;
  const splitmix = (): number => {
    s = (s + 0x9e3779b9) | 0;
    let t = s ^ (s >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return (t ^ (t >>> 15)) | 0;
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 12; i++) next();
  const exponential = (mean: number): number => -Math.log(1 - next()) * mean;
  return {
    next, exponential,
    below: (limit) => Math.floor(next() * limit),
    poisson(mean) {
      let count = 0;
      for (let at = exponential(1); at < mean; at += exponential(1)) count++;
      return count;
    },
  };
}

/** A seed that differs from run to run, for production use; the caller logs it. */
export function freshSeed(): number {
  const words = new Uint32Array(1);
  crypto.getRandomValues(words);
  return words[0] ?? 0;
}

/** 128 bits that nobody can guess, base64: as a nonce of CSP needs them (CSP Level 3 §7.1). */
export function randomNonce(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64');
}

/**
 * The order in which lists are gone through: by the last part of a path with its query, letters of either case alike, numbers as numbers (`page=10` after `page=9`).
 * `code` is the beginning of that order as one number, so that a million resources can be looked through without touching their names.
 */
const foldedMax = 64;
const codeBytes = 6;

export class SweepOrder {
  readonly #a = new Uint8Array(foldedMax);
  readonly #b = new Uint8Array(foldedMax);

  /** Below 0 when `a` comes before `b`; 0 for equal strings only. */
  compare(a: string, b: string): number {
    const lengthA = fold(a, this.#a);
    const lengthB = fold(b, this.#b);
    const length = Math.min(lengthA, lengthB);
    for (let i = 0; i < length; i++) {
      const difference = (this.#a[i] ?? 0) - (this.#b[i] ?? 0);
      if (difference !== 0) return difference;
    }
    if (lengthA !== lengthB) return lengthA - lengthB;
    return a < b ? -1 : a > b ? 1 : 0;
  }

  /** Positive; what comes first in the order never has the greater code. */
  code(resource: string): number {
    const length = fold(resource, this.#a);
    let code = 0;
    for (let i = 0; i < codeBytes; i++) code = code * 256 + (i < length ? this.#a[i] ?? 0 : 0);
    return code + 1;
  }
}

/** Writes the order's bytes of a resource; returns how many. A number is its length and then its digits, which sorts numbers by size. */
function fold(resource: string, into: Uint8Array): number {
  const question = resource.indexOf('?');
  const pathEnd = question < 0 ? resource.length : question;
  let at = resource.lastIndexOf('/', pathEnd - 2) + 1;
  let length = 0;
  while (at < resource.length && length < into.length) {
    let code = resource.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) {
      while (code === 0x30 && isDigit(resource.charCodeAt(at + 1))) code = resource.charCodeAt(++at);
      let end = at + 1;
      while (isDigit(resource.charCodeAt(end))) end++;
      into[length++] = 0x30 + Math.min(9, end - at);
      while (at < end && length < into.length) into[length++] = resource.charCodeAt(at++);
      continue;
    }
    if (code >= 0x41 && code <= 0x5a) code += 0x20;
    into[length++] = code > 0xff ? 0xff : code;
    at++;
  }
  return length;
}

/** False for NaN, past the end. */
function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

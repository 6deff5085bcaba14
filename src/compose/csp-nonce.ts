/**
 * The nonce of a Content-Security-Policy: which it is, where the page repeats it, and another in its stead. A copy with a nonce that
 * everybody gets protects nobody; one made anew for each answer does (CSP Level 3 §7.1). Pure.
 */
import type { HeaderList } from '../http/index.ts';
import type { Hole } from './types.ts';

const policyFields: ReadonlySet<string> = new Set(['content-security-policy', 'content-security-policy-report-only']);
/** CSP Level 3 §2.3.1: base64 or its URL-safe kin. */
const nonceSource = /'nonce-([A-Za-z0-9+/_-]+={0,2})'/g;
/** A nonce this long (96 bits) occurs by no accident: wherever the page repeats it, it means the nonce. A shorter one is only looked for in attributes. */
const unmistakableCharacters = 16;
/** Room for `nonce = "` with some blanks. */
const lookBackCharacters = 16;

/** The nonce that the policies name; undefined with none, or with several: which stands for what is the origin's secret. */
export function cspNonce(headers: HeaderList): string | undefined {
  const nonces = new Set<string>();
  for (const [name, value] of headers) {
    if (policyFields.has(name)) for (const [, nonce] of value.matchAll(nonceSource)) if (nonce !== undefined) nonces.add(nonce);
  }
  const [only, ...others] = nonces;
  return others.length === 0 ? only : undefined;
}

/** The header fields with `newNonce` wherever the policies name `oldNonce`. */
export function restampCsp(headers: HeaderList, oldNonce: string, newNonce: string): HeaderList {
  return headers.map((field) => {
    const [name, value] = field;
    return policyFields.has(name) ? [name, value.replaceAll(`'nonce-${oldNonce}'`, () => `'nonce-${newNonce}'`)] as const : field;
  });
}

/** Where the page has the nonce; nowhere unless at least one `nonce` attribute has it. Finds it also where a template engine wrote `+`, `/` or `=` as references. */
export function noncePlaces(body: Uint8Array, nonce: string): readonly Hole[] {
  const page = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const letters = /^[A-Za-z0-9]*/.exec(nonce)?.[0] ?? '';
  if (letters !== '' && !page.includes(letters, 0, 'latin1')) return [];
  const spelled = nonce.replaceAll(/[+/=]/g, (character) => spellings[character] ?? character);
  const text = page.toString('latin1');
  const places: Hole[] = [];
  let stamped = false;
  for (const match of text.matchAll(new RegExp(`${spelled}(?![A-Za-z0-9+/_=-])`, 'g'))) {
    const from = match.index;
    const before = text.slice(Math.max(0, from - lookBackCharacters), from);
    const inAttribute = /nonce\s*=\s*["']?$/i.test(before);
    stamped ||= inAttribute;
    const quoted = nonce.length >= unmistakableCharacters && /(?:["'`]|nonce-)$/.test(before);
    if (inAttribute || quoted) places.push({ kind: 'nonce', from, to: from + match[0].length });
  }
  return stamped ? places : [];
}

/** How template engines write these within attributes. */
const spellings: Readonly<Record<string, string>> = {
  '+': '(?:\\+|&#0*43;|&#[xX]0*2[bB];|&plus;)',
  '/': '(?:/|&#0*47;|&#[xX]0*2[fF];|&sol;)',
  '=': '(?:=|&#0*61;|&#[xX]0*3[dD];|&equals;)',
};

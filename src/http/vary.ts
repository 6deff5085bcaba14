/**
 * Vary (RFC 9110 §12.5.5, RFC 9111 §4.1): which request headers an answer depends on, and whether a stored answer was
 * made for a request like this one. Headers that declared dimensions are read from are left out: there only the
 * declared values count. Values are normalised where that can't change what the origin would choose.
 */
import type { HeaderReader } from './headers.ts';

/** A copy's varied headers: lower-case name and normalised value, sorted by name. The empty value is an absent header. */
export type VaryValues = readonly (readonly [name: string, value: string])[];

const noVary: VaryValues = Object.freeze([]);

/** Whether `*` is among the members: no later request can be known to match. */
export function variesOnEverything(vary: string | null): boolean {
  return vary !== null && vary.includes('*') && vary.split(',').some((name) => name.trim() === '*');
}

/** Whether an answer varies on this header (lower case). */
export function variesOn(vary: string | null, name: string): boolean {
  return vary !== null && vary.split(',').some((part) => part.trim().toLowerCase() === name);
}

/** The names an answer varies on besides those in `standIns` (lower case), sorted, each once. */
export function variedHeaders(vary: string | null, standIns: ReadonlySet<string>): readonly string[] {
  if (vary === null || vary === '') return [];
  const names = new Set<string>();
  for (const part of vary.split(',')) {
    const name = part.trim().toLowerCase();
    if (name !== '' && name !== '*' && !standIns.has(name)) names.add(name);
  }
  return [...names].sort();
}

/** The identity of a copy made for this request. */
export function varyValues(names: readonly string[], request: HeaderReader): VaryValues {
  if (names.length === 0) return noVary;
  return names.map((name) => [name, normaliseVaried(name, request.get(name))] as const);
}

/** Whether a copy with these varied values answers this request. */
export function varyMatches(stored: VaryValues, request: HeaderReader): boolean {
  for (const [name, value] of stored) if (normaliseVaried(name, request.get(name)) !== value) return false;
  return true;
}

/** The form in which a varied header is kept and compared. */
export function normaliseVaried(name: string, value: string | null): string {
  if (value === null) return '';
  if (name === 'accept-encoding') return acceptedEncodings(value);
  // Language tags and q are case-insensitive (RFC 9110 §12.5.4). Order is kept: origins break ties by it.
  if (name === 'accept-language') return value.toLowerCase().replace(/[ \t]+/g, '');
  if (!value.includes(',') || value.includes('"')) return value.trim();
  return value.split(',').map((part) => part.trim()).join(',');
}

const encodings = ['br', 'gzip', 'zstd'] as const;

/** The codings sites use, out of Accept-Encoding: any order, weight above zero. `identity` when none is accepted. */
export function acceptedEncodings(value: string): string {
  let star: boolean | undefined;
  const accepted = new Map<string, boolean>();
  for (const part of value.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const wanted = weight === undefined || Number(weight.slice(2)) > 0;
    if (coding === '*') star = wanted;
    else accepted.set(coding === 'x-gzip' ? 'gzip' : coding, wanted);
  }
  const found = encodings.filter((coding) => accepted.get(coding) ?? star ?? false);
  return found.length === 0 ? 'identity' : found.join(',');
}

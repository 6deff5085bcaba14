/**
 * A visitor's interests as weights by name, and which of several prepared profiles is the most similar: the cosine of the angle between
 * them, so that only proportions count. Read from cookies, thus from anybody: bounded, and anything odd is no profile. Pure.
 */
import type { Profile } from './types.ts';

/** A longer text is no profile. */
const profileCharactersMax = 1024;
/** Further names are left out. */
const profileNamesMax = 64;
/** Cosines that differ by less are equal: the same profile at another scale must not win over the one before it. */
const equalWithin = 1e-9;

/** `books:0.8,garden:0.2` or `0.8,0.2`, URL-encoded or not, or the same as a JSON object or array. */
export function parseProfile(text: string | null): Profile | undefined {
  if (text === null || text.length > profileCharactersMax) return undefined;
  const plain = unescaped(text).trim();
  if (plain.startsWith('{') || plain.startsWith('[')) return profileFrom(parsedJson(plain));
  const pairs = plain.split(',').map((pair): readonly [string, string] => {
    const colon = pair.lastIndexOf(':');
    return [pair.slice(0, Math.max(0, colon)).trim(), pair.slice(colon + 1).trim()];
  });
  const dense = pairs.every(([name]) => name === '');
  return profileOf(pairs.map(([name, weight], index) => [dense ? String(index) : name, decimal(weight)]));
}

/** From a feed's JSON: an object of weights by name, or a list of weights. */
export function profileFrom(value: unknown): Profile | undefined {
  if (Array.isArray(value)) return profileOf(value.map((weight: unknown, index) => [String(index), weight]));
  return typeof value === 'object' && value !== null ? profileOf(Object.entries(value)) : undefined;
}

/** The index of the profile most similar to `wanted`; of equals, and without any, the first. A missing profile is like none and unlike none (0). */
export function mostSimilar(profiles: readonly (Profile | undefined)[], wanted: Profile | undefined): number {
  if (wanted === undefined || profiles.length < 2) return 0;
  let best = 0;
  let bestCosine = cosine(profiles[0], wanted);
  for (let i = 1; i < profiles.length; i++) {
    const at = cosine(profiles[i], wanted);
    if (at > bestCosine + equalWithin) {
      best = i;
      bestCosine = at;
    }
  }
  return best;
}

function cosine(a: Profile | undefined, b: Profile): number {
  if (a === undefined) return 0;
  let dot = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (const [name, weight] of a) {
    squaresA += weight * weight;
    const other = b.get(name);
    if (other !== undefined) dot += weight * other;
  }
  for (const weight of b.values()) squaresB += weight * weight;
  return squaresA > 0 && squaresB > 0 ? dot / Math.sqrt(squaresA * squaresB) : 0;
}

/** Undefined without a weight that counts, or with one that is no finite number. Weights are scaled to at most 1, so that their squares stay finite. */
function profileOf(pairs: readonly (readonly [string, unknown])[]): Profile | undefined {
  const weights = new Map<string, number>();
  let largest = 0;
  for (const [name, weight] of pairs.slice(0, profileNamesMax)) {
    if (typeof weight !== 'number' || !Number.isFinite(weight) || name === '') return undefined;
    weights.set(name, weight);
    largest = Math.max(largest, Math.abs(weight));
  }
  if (largest === 0) return undefined;
  for (const [name, weight] of weights) weights.set(name, weight / largest);
  return weights;
}

function decimal(text: string): number {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

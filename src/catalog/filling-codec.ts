/**
 * A filling as it lies on disk, in catalog files and in an edge's local store: one JSON array in fixed order, profiles flattened to name, weight,
 * name, weight. Reading is strict: anything else is undefined, never a guess.
 */
import type { FeedKey, Filling, FillingId, FillingVersion, Profile } from '../compose/types.ts';

const fields = 7;

/** When this changes, so do the formats of the catalog (version-file.ts) and of the local store (fillings.ts there). */
export function fillingToTuple(filling: Filling): unknown[] {
  const versions = filling.versions.map(({ text, profile }) => (profile ? [text, [...profile].flat()] : [text]));
  return [filling.id, filling.feed, filling.maxAgeMs, filling.valueTimeMs, versions, filling.fallback ?? null, filling.version];
}

export function fillingFromTuple(value: unknown): Filling | undefined {
  if (!Array.isArray(value) || value.length !== fields) return undefined;
  const tuple: readonly unknown[] = value;
  const [id, feed, maxAgeMs, valueTimeMs, list, fallback, version] = tuple;
  if (typeof id !== 'string' || typeof feed !== 'string' || !isTime(maxAgeMs) || !isTime(valueTimeMs) || !Array.isArray(list)) return undefined;
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0 || (fallback !== null && typeof fallback !== 'string')) return undefined;
  const versions: FillingVersion[] = [];
  for (const one of list as readonly unknown[]) { // what Array.isArray gives is any[]
    const read = versionFrom(one);
    if (!read) return undefined;
    versions.push(read);
  }
  // The brands' constructors made these before they were written; the checksum around them says they are unchanged.
  return { id: id as FillingId, feed: feed as FeedKey, maxAgeMs, valueTimeMs, versions, fallback: fallback ?? undefined, version };
}

function versionFrom(value: unknown): FillingVersion | undefined {
  if (!Array.isArray(value) || value.length < 1 || value.length > 2) return undefined;
  const pair: readonly unknown[] = value;
  const [text, flat] = pair;
  if (typeof text !== 'string') return undefined;
  if (pair.length === 1) return { text, profile: undefined };
  const profile = profileFrom(flat);
  return profile && { text, profile };
}

function profileFrom(value: unknown): Profile | undefined {
  if (!Array.isArray(value) || value.length % 2 !== 0) return undefined;
  const flat: readonly unknown[] = value;
  const profile = new Map<string, number>();
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i];
    const weight = flat[i + 1];
    if (typeof name !== 'string' || !isTime(weight)) return undefined;
    profile.set(name, weight);
  }
  return profile;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

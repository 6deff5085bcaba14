/**
 * What a slot shows now: a prepared version, its fallback, or what the origin had there. Nothing is shown longer than its feed's
 * `maxAge` after the feed was last heard, whoever is alive to say so. Pure.
 */
import { mostSimilar } from './profile.ts';
import type { Filling, Profile } from './types.ts';

export type Choice =
  /** `untilMs`: from then on it must be chosen anew. */
  | { readonly kind: 'version'; readonly index: number; readonly text: string; readonly untilMs: number }
  | { readonly kind: 'fallback'; readonly text: string }
  | { readonly kind: 'origin' };

/** A brain's clock may run ahead of an edge's by this; what it says it heard later than that counts as heard now. */
const clockAheadMsMax = 60_000;

const originChoice: Choice = { kind: 'origin' };

/**
 * `heardMs`: when the filling's feed was last heard, as far as is known here. The value a filling was made from was heard too, at
 * `valueTimeMs`; the later of the two counts.
 */
export function chooseFilling(filling: Filling | undefined, heardMs: number | undefined, profile: Profile | undefined, nowMs: number): Choice {
  if (filling === undefined) return originChoice;
  const untilMs = notAhead(Math.max(heardMs ?? Number.NEGATIVE_INFINITY, filling.valueTimeMs), nowMs) + filling.maxAgeMs;
  const { versions } = filling;
  const index = profile !== undefined && versions.length > 1 ? mostSimilar(versions.map((version) => version.profile), profile) : 0;
  const version = versions[index];
  if (version !== undefined && nowMs < untilMs) return { kind: 'version', index, text: version.text, untilMs };
  return filling.fallback === undefined ? originChoice : { kind: 'fallback', text: filling.fallback };
}

function notAhead(heardMs: number, nowMs: number): number {
  return heardMs > nowMs + clockAheadMsMax ? nowMs : heardMs;
}

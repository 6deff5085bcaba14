/** What the origin can be made to do, and what it reports of it. Plain data, shared by the origin's process and the benchmark's. */

/** Requests the returning origin serves at once. */
export const capacity = 12;

export const modes = ['ok', 'refused', 'hang', 'slow', 'errors', 'cut', 'flap', 'capacity'] as const;
export type Mode = (typeof modes)[number];

/** `user` holds trials too: a trial is a visitor's request, and nothing in it says so. */
export type RequestKind = 'user' | 'probe' | 'generate' | 'discovery';

export interface MutableOriginCounts {
  requests: Record<RequestKind, number>;
  connections: number;
  /** Requests refused with 503 because `capacity` were being served. */
  turnedAway: number;
  inFlightMax: number;
}

export type OriginCounts = Readonly<Omit<MutableOriginCounts, 'requests'>> & { readonly requests: Readonly<Record<RequestKind, number>> };

export function noCounts(): MutableOriginCounts {
  return { requests: { user: 0, probe: 0, generate: 0, discovery: 0 }, connections: 0, turnedAway: 0, inFlightMax: 0 };
}

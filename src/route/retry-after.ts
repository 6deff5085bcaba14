/**
 * When a client that was refused should come back (RFC 9110 §10.2.3), in whole seconds. An outage that has lasted long is likely
 * to last (so a quarter of its length), within bounds; clients are spread over half as much again, so that they
 * do not come back all at once.
 */
import type { OriginState } from './types.ts';

const downMinS = 5;
const failingMinS = 2;
const maxS = 60;
const positions = 4_294_967_296;

export function retryAfterS(
  state: OriginState, sinceMs: number, holdRemainingMs: number, probeIntervalMs: number, nowMs: number, position: number,
): number {
  if (state === 'healthy' || state === 'strained' || state === 'recovering') return 1 + Math.floor((position / positions) * 2);
  const lastedS = Math.max(0, nowMs - sinceMs) / 1000;
  const leastS = state === 'down' ? Math.max(downMinS, (holdRemainingMs + probeIntervalMs) / 1000) : failingMinS;
  const baseS = Math.min(maxS, Math.max(leastS, lastedS / 4));
  return Math.ceil(baseS * (1 + position / positions / 2));
}

/**
 * Whether anything reaches the origin at all: what tells `down` from `failing`. Refusals are proof at once; silence is proof
 * only after longer than a brownout's answers take, since writes go to an origin that is slow and are refused when it is down.
 */
import type { ProbeLog } from './probe-log.ts';
import type { OriginAttempt } from './types.ts';

const refusalsToDown = 3;
const timeoutsToDown = 3;
const silentProbesToDown = 2;
const silentToDownMs = 5000;

export class Reachability {
  #refusals = 0;
  #refusedMs = Number.NEGATIVE_INFINITY;
  #timeouts = 0;
  #answeredMs = Number.NEGATIVE_INFINITY;

  observe(attempt: OriginAttempt): void {
    switch (attempt.outcome) {
      case 'refused':
        this.#refusals++;
        this.#refusedMs = attempt.atMs;
        return;
      case 'timeout':
        if (attempt.kind !== 'probe') this.#timeouts++;
        return;
      case 'late': case 'aborted':
        return;
      default:
        // Answers to what was sent before the last refusal prove nothing.
        if (attempt.atMs - attempt.latencyMs < this.#refusedMs) return;
        this.#refusals = 0;
        this.#timeouts = 0;
    }
  }

  /** Something came back that counts. */
  answered(nowMs: number): void {
    this.#answeredMs = nowMs;
  }

  /** Why an origin that has been failing since then is down; undefined while it is not. */
  downBecause(nowMs: number, failingSinceMs: number, probes: ProbeLog): string | undefined {
    const unreachable = probes.unreachableInARow;
    if (unreachable >= 1 && this.#refusals >= refusalsToDown) return 'connections are refused';
    const isSilent = this.#answeredMs < failingSinceMs && nowMs - failingSinceMs >= silentToDownMs;
    const isUnanswered = (isSilent && unreachable >= silentProbesToDown) || (unreachable >= 1 && this.#timeouts >= timeoutsToDown);
    return isUnanswered ? 'nothing is answered' : undefined;
  }
}

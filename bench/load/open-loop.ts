/**
 * Open-loop arrivals: requests start when their time has come, whether or not earlier ones have been answered, and
 * latency counts from the scheduled time, so that a stalled server can't hide its queue ("coordinated omission").
 * Arrivals are a Poisson process from a seed: every server meets the same requests at the same moments.
 */
import type { Random } from '../../src/kernel/index.ts';

export interface OpenLoop {
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly random: Random;
  /** Starts one request; `scheduledMs` on the `performance.now()` scale. */
  readonly start: (scheduledMs: number) => void;
}

/** Resolves when the last arrival has been started, or `stop` says so. */
export async function runOpenLoop(loop: OpenLoop, stop: { readonly requested: boolean } = { requested: false }): Promise<void> {
  const meanMs = 1000 / loop.ratePerSecond;
  // Above this rate timers (1 ms at best) are too coarse; the generator then spins on its own core.
  const spin = loop.ratePerSecond > 2000;
  const beganMs = performance.now();
  let nextMs = beganMs + loop.random.exponential(meanMs);
  const endMs = beganMs + loop.durationMs;
  while (nextMs < endMs && !stop.requested) {
    const nowMs = performance.now();
    while (nextMs <= nowMs && nextMs < endMs) {
      loop.start(nextMs);
      nextMs += loop.random.exponential(meanMs);
    }
    const waitMs = nextMs - performance.now();
    if (spin || waitMs < 0.5) await new Promise<void>((resolve) => { setImmediate(resolve); });
    else await new Promise<void>((resolve) => { setTimeout(resolve, Math.floor(waitMs)); });
  }
}

/**
 * When the site is read for what nobody has asked for: at the start, then now and then; sooner again where it could not be read whole. Each
 * of its fetches takes its turn within the generator's budget.
 */
import { sleep, type Clock, type Log } from '../kernel/index.ts';
import type { Budget } from './budget.ts';
import type { Discoverer, DiscoveryOutcome } from './discover.ts';
import type { FetchResult } from './fetch.ts';
import type { Schedule } from './schedule.ts';

const everyMs = 600_000;
/** Syndication feeds tell what is new: they are small, and asked for with their validators. */
const feedsEveryMs = 300_000;
/** After a round that was not complete: doubling from the first to the longest wait. */
const retryMs = { first: 5000, longest: 60_000 } as const;
/** How long a step waits for its turn at the origin. */
const turnMaxMs = 15_000;
const lookEveryMs = 20;

export class DiscoveryRounds {
  readonly #budget: Budget;
  readonly #schedule: Schedule;
  readonly #clock: Clock;
  readonly #log: Log;
  #last: (DiscoveryOutcome & { readonly atMs: number }) | undefined;

  constructor(parts: { readonly budget: Budget; readonly schedule: Schedule; readonly clock: Clock; readonly log: Log }) {
    this.#budget = parts.budget;
    this.#schedule = parts.schedule;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  get last(): (DiscoveryOutcome & { readonly atMs: number }) | undefined {
    return this.#last;
  }

  /** Goes on until the schedule is closed. `wanted` is looked at before each round; `found` is called after it. */
  run(discoverer: Discoverer, wanted: () => boolean, found: () => void): void {
    let retries = 0;
    const again = (delayMs: number): void => { this.#schedule.after(delayMs, round); };
    const round = async (): Promise<void> => {
      if (!wanted()) {
        again(retryMs.longest);
        return;
      }
      const outcome = await discoverer.readSite();
      if (this.#schedule.signal.aborted) return;
      this.#last = { ...outcome, atMs: this.#clock.nowMs() };
      this.#log.info('site-discovered', { ...outcome });
      retries = outcome.complete ? 0 : retries + 1;
      again(outcome.complete ? everyMs : Math.min(retryMs.longest, retryMs.first * 2 ** (retries - 1)));
      found();
    };
    this.#schedule.track(round);
    this.#schedule.every(async () => {
      if (wanted() && (await discoverer.readFeeds()) > 0 && !this.#schedule.signal.aborted) found();
    }, () => feedsEveryMs, feedsEveryMs);
  }

  /** Waits for a turn within the budget, then fetches. Undefined when no turn came. */
  async pay(fetch: () => Promise<FetchResult>): Promise<FetchResult | undefined> {
    const giveUpMs = this.#clock.monotonicMs() + turnMaxMs;
    while (!this.#budget.tryTake('first')) {
      if (this.#schedule.signal.aborted || this.#clock.monotonicMs() > giveUpMs) return undefined;
      await sleep(this.#clock, lookEveryMs, this.#schedule.signal);
    }
    const result = await fetch();
    const silent = result.kind === 'failed' && (result.failure === 'too-large' || result.failure === 'aborted');
    this.#budget.finish(result.kind === 'answer' ? { latencyMs: result.latencyMs } : silent ? undefined : 'failed');
    return result;
  }
}

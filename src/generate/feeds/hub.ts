/**
 * Keeps the last good value of every declared feed, whatever the feeds do: each instance is asked at its own pace, by polls, server-sent events
 * or looks at a file, and a failing one harms nobody but itself. Says when values changed and when they were last heard; whether one is too
 * old to be shown is its readers' business. Goes on while the origin is down and while the generator rests.
 */
import type { FeedKey } from '../../compose/types.ts';
import type { DimensionConfig, FeedConfig } from '../../config/types.ts';
import { ForeshadowError, messageOf, sleep, type Clock, type Log, type Random } from '../../kernel/index.ts';
import { compileSchema, type Schema } from './document.ts';
import { FileSource } from './file-source.ts';
import { FeedInstance, noValidators, type FeedSource, type Held } from './instance.ts';
import { addressesOf } from './instances.ts';
import { PollSource } from './poll-source.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import { StreamSource } from './stream-source.ts';
import { Turns } from './turns.ts';
import type { FeedState, FeedValue } from './types.ts';

/** Polls of the instances of one feed at the same time. */
const pollsAtOnceMax = 4;
/** Rest after a defect of ours in an attempt. */
const brokenWaitMs = 60_000;

export interface FeedHubOptions {
  readonly feeds: readonly FeedConfig[];
  readonly dimensions: readonly DimensionConfig[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Sent with requests unless the feed's own headers have one. */
  readonly userAgent: string;
  /** The document under this key became another one, or there is none any more. Called with the new one in place. */
  readonly changed: (key: FeedKey) => void;
}

interface Runner {
  readonly instance: FeedInstance;
  readonly source: FeedSource;
  readonly stop: AbortController;
}

export class FeedHub {
  readonly #options: FeedHubOptions;
  readonly #held: Held = { bytes: 0 };
  readonly #running = new Set<Promise<void>>();
  #runners: ReadonlyMap<FeedKey, Runner>;
  #started = false;
  #closed = false;

  /** Throws `config-invalid` for feeds that the configuration's check would have refused. Asks nothing before `start`. */
  constructor(options: FeedHubOptions) {
    this.#options = options;
    this.#runners = this.#build(options.feeds, options.dimensions, new Map());
  }

  start(): void {
    if (this.#started || this.#closed) return;
    this.#started = true;
    for (const runner of this.#runners.values()) this.#run(runner);
  }

  /** All or nothing. Unchanged feeds go on; a changed one keeps its value if it is still from the same address and fits. */
  configure(feeds: readonly FeedConfig[], dimensions: readonly DimensionConfig[]): void {
    if (this.#closed) return;
    const before = this.#runners;
    const after = this.#build(feeds, dimensions, before);
    this.#runners = after;
    const had = new Set([...before].filter(([, { instance }]) => instance.kept).map(([key]) => key));
    for (const [key, runner] of before) if (after.get(key) !== runner) this.#retire(runner, after.get(key));
    for (const [key, runner] of after) if (this.#started && before.get(key) !== runner) this.#run(runner);
    for (const key of had) if (!after.get(key)?.instance.kept) this.#tell(key);
  }

  /** The last good value, however old. */
  value(key: FeedKey): FeedValue | undefined {
    return this.#runners.get(key)?.instance.kept;
  }

  /** When each feed that has a value was last heard. */
  heard(): readonly (readonly [feed: FeedKey, heardMs: number])[] {
    return [...this.#runners].flatMap(([key, { instance }]) => (instance.kept ? [[key, instance.kept.heardMs] as const] : []));
  }

  states(): readonly FeedState[] {
    return [...this.#runners.values()].map(({ instance }) => instance.state());
  }

  /** The last good values as bytes, those heard last first, as many as fit. */
  snapshot(): Uint8Array {
    return writeSnapshot([...this.#runners.values()].flatMap(({ instance: { parts: { address }, kept } }) => (kept ? [{ ...kept, key: address.key, fingerprint: address.fingerprint }] : [])));
  }

  /** Takes what `snapshot` gave for every instance that has no value yet; best before `start`. Throws `bytes-invalid` for anything else. */
  restore(bytes: Uint8Array): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { key, fingerprint, bytes: document, validators, valueTimeMs, heardMs } of readSnapshot(bytes)) {
      const instance = this.#runners.get(key)?.instance;
      if (instance?.parts.address.fingerprint !== fingerprint) continue;
      // A clock that was ahead then must not make it younger than it is.
      if (instance.adopt(document, { valueTimeMs: Math.min(valueTimeMs, nowMs), heardMs: Math.min(heardMs, nowMs) }, validators)) this.#tell(key);
    }
  }

  /** Ends all requests and waits until they have ended. Values stay readable. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { stop } of this.#runners.values()) stop.abort();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #build(feeds: readonly FeedConfig[], dimensions: readonly DimensionConfig[], before: ReadonlyMap<FeedKey, Runner>): ReadonlyMap<FeedKey, Runner> {
    const runners = new Map<FeedKey, Runner>();
    for (const feed of feeds) {
      const addresses = addressesOf(feed, dimensions);
      const schema = schemaOf(feed);
      const turns = new Turns(pollsAtOnceMax);
      for (const address of addresses) {
        const there = before.get(address.key);
        const { clock, log } = this.#options;
        const unchanged = there?.instance.parts.address.fingerprint === address.fingerprint && JSON.stringify(there.instance.parts.feed) === JSON.stringify(feed);
        if (unchanged) {
          runners.set(address.key, there);
          continue;
        }
        const instance = new FeedInstance({ feed, address, schema, held: this.#held, clock, log, changed: () => { this.#options.changed(address.key); } });
        runners.set(address.key, { instance, source: this.#sourceOf(instance, turns), stop: new AbortController() });
      }
    }
    return runners;
  }

  #sourceOf(instance: FeedInstance, turns: Turns): FeedSource {
    const { random, userAgent } = this.#options;
    const { source } = instance.parts.feed;
    switch (source.kind) {
      case 'poll': return new PollSource({ instance, everyMs: source.everyMs, random, userAgent, turns });
      case 'sse': return new StreamSource({ instance, random, userAgent });
      case 'file': return new FileSource(instance, source.path, source.everyMs);
    }
  }

  #retire({ instance, stop }: Runner, successor: Runner | undefined): void {
    stop.abort();
    const { kept, parts } = instance;
    instance.retire();
    // Other headers may bring another document under the same validators.
    if (kept && successor?.instance.parts.address.fingerprint === parts.address.fingerprint) successor.instance.adopt(kept.bytes, kept, noValidators);
  }

  #run({ instance, source, stop }: Runner): void {
    const { clock, log } = this.#options;
    const running = (async () => {
      while (!stop.signal.aborted) {
        instance.began();
        let waitMs = brokenWaitMs;
        try {
          waitMs = Math.ceil(await source.attempt(stop.signal));
        } catch (error) {
          log.error('feed-attempt-failed', { feed: instance.parts.address.key, problem: messageOf(error) });
        }
        instance.nextAttemptMs = clock.nowMs() + waitMs;
        await sleep(clock, waitMs, stop.signal);
      }
    })().finally(() => { this.#running.delete(running); });
    this.#running.add(running);
  }

  #tell(key: FeedKey): void {
    try {
      this.#options.changed(key);
    } catch (error) {
      this.#options.log.error('feed-change-failed', { feed: key, problem: messageOf(error) });
    }
  }
}

function schemaOf(feed: FeedConfig): Schema | undefined {
  try {
    return compileSchema(feed.schema);
  } catch (cause) {
    throw new ForeshadowError('config-invalid', { source: 'config', message: `feed ${feed.name}: its schema is not a JSON Schema that can be used: ${messageOf(cause)}`, hint: 'foreshadow check names what is wrong', cause });
  }
}

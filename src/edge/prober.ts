/**
 * Active probes: asks the origin's probe path when routing says it is time, and tells routing what came of it. Any answer below
 * 500 within the time-out is alive: a probe path that does not exist still proves that somebody answers.
 */
import type { Config } from '../config/index.ts';
import type { AttemptOutcome, OriginRouting } from '../route/index.ts';
import { pseudonym } from './origin-headers.ts';

export interface ProberOptions {
  readonly origin: Config['origin'];
  readonly routing: OriginRouting;
  readonly now: () => number;
  readonly userAgent: string;
  readonly site: string;
  readonly ended: (outcome: AttemptOutcome) => void;
}

/** Routing is asked this often whether time has changed anything. */
const tickMs = 100;
/** What is read of a probe's answer. */
const probeBytesMax = 65_536;

export class Prober {
  readonly #options: ProberOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #closing = new AbortController();

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#timer = setInterval(() => { this.#tick(); }, tickMs);
    this.#timer.unref();
    // The first probe goes out at once, so that an origin that is not there is known before the first visitor.
    this.#tick();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#closing.abort();
  }

  #tick(): void {
    const { routing, now } = this.#options;
    routing.tick(now());
    if (routing.takeProbe(now())) void this.#probe();
  }

  async #probe(): Promise<void> {
    const { origin, routing, now, ended } = this.#options;
    const startedMs = performance.now();
    const outcome = await this.#ask(origin);
    if (this.#closing.signal.aborted) return;
    ended(outcome);
    routing.observe({ atMs: now(), outcome, latencyMs: performance.now() - startedMs, route: -1, kind: 'probe' });
  }

  async #ask(origin: Config['origin']): Promise<AttemptOutcome> {
    try {
      const answer = await fetch(origin.url + origin.probe.path, {
        headers: { 'user-agent': this.#options.userAgent, 'cdn-loop': `${pseudonym}; site=${this.#options.site}`, 'cache-control': 'no-cache', 'foreshadow-purpose': 'probe' },
        redirect: 'manual', decompress: false, keepalive: false,
        signal: AbortSignal.any([AbortSignal.timeout(origin.probe.timeoutMs), this.#closing.signal]),
      });
      await drain(answer);
      return answer.status >= 500 ? 'error-status' : 'ok';
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
      if (thrown instanceof Error && thrown.name === 'TimeoutError') return 'timeout';
      return /REFUSED|UNREACH|NOTFOUND|FailedToOpenSocket|CERT|TLS/i.test(code) ? 'refused' : 'cut';
    }
  }
}

/** Reads the body, so that one that breaks off is noticed, but no more of it than a probe is worth. */
async function drain(answer: Response): Promise<void> {
  const body: ReadableStream<Uint8Array> | null = answer.body;
  const reader = body?.getReader();
  for (let bytes = 0; reader && bytes <= probeBytesMax;) {
    const { done, value } = await reader.read();
    if (done) return;
    bytes += value.byteLength;
  }
  await reader?.cancel();
}

/**
 * When an origin that is not well is only slower than it used to be, for good: ten minutes in which it answered what it was asked
 * with no more errors than its limit, and no slower at their end than at their start. Its latency is then accepted as
 * usual, so that a site that really became slower is not kept on shadows for ever. A probe that times out is an error here too.
 * Two halves of five minutes are compared; errors beyond the limit start them anew. Fixed memory.
 */
import type { LatencyBook } from './latency-book.ts';
import { LogHistogram } from './log-histogram.ts';
import type { ProbeLog } from './probe-log.ts';
import type { OriginAttempt } from './types.ts';

const halfMs = 300_000;
/** In each half, for its median to mean something. */
const answersMin = 10;
/** Medians of the halves that differ by more are no steady latency. */
const steadyFactor = 2;
/** As for strain: more than one answer in twenty above what is slow. */
const slowPart = 0.05;

class Latencies {
  readonly times = new LogHistogram();
  slow = 0;

  add(latencyMs: number, isSlow: boolean): void {
    this.times.add(latencyMs);
    if (isSlow) this.slow++;
  }

  clear(): void {
    this.times.clear();
    this.slow = 0;
  }
}

class Half {
  readonly reads = new Latencies();
  readonly probes = new Latencies();
  answers = 0;
  errors = 0;

  clear(): void {
    this.reads.clear();
    this.probes.clear();
    this.answers = 0;
    this.errors = 0;
  }
}

export class NewUsual {
  readonly #book: LatencyBook;
  readonly #probes: ProbeLog;
  readonly #errorRate: number;
  readonly #onSlower: (factor: number) => void;
  #former = new Half();
  #latter = new Half();
  #sinceMs = 0;

  /** `onSlower`: how many times the former 95th percentile people's requests take now. */
  constructor(book: LatencyBook, probes: ProbeLog, options: { readonly errorRate: number; readonly onSlower: (factor: number) => void }) {
    this.#book = book;
    this.#probes = probes;
    this.#errorRate = options.errorRate;
    this.#onSlower = options.onSlower;
  }

  /** The origin has just ceased to be well, or what came before counts no more. */
  restart(nowMs: number): void {
    this.#former.clear();
    this.#latter.clear();
    this.#sinceMs = nowMs;
  }

  /** Any attempt while the origin is not well. `isSlow`: slower than what is usual now has as its limit. */
  observe(attempt: OriginAttempt, isSlow: boolean): void {
    if (attempt.outcome === 'late' || attempt.outcome === 'aborted' || attempt.kind === 'generate') return;
    const half = this.#latter;
    half.answers++;
    if (attempt.outcome !== 'ok') {
      half.errors++;
      if (half.errors > Math.max(1, half.answers * this.#errorRate)) this.restart(attempt.atMs);
    } else if (attempt.kind === 'probe') half.probes.add(attempt.latencyMs, isSlow);
    else if (attempt.kind !== 'write') half.reads.add(attempt.latencyMs, isSlow);
  }

  /** Once a second while the origin is not well: accepts what there is to accept, and says who told it. */
  consider(nowMs: number): 'by requests' | 'by probes' | undefined {
    if (nowMs - this.#sinceMs < halfMs) return undefined;
    const accepted = this.#judge();
    if (accepted) {
      this.restart(nowMs);
      return accepted;
    }
    [this.#former, this.#latter] = [this.#latter, this.#former];
    this.#latter.clear();
    this.#sinceMs = nowMs;
    return undefined;
  }

  #judge(): 'by requests' | 'by probes' | undefined {
    const probes = newlyUsual(this.#former.probes, this.#latter.probes);
    const reads = newlyUsual(this.#former.reads, this.#latter.reads);
    const hasReads = this.#latter.reads.times.total >= answersMin;
    // What people's requests take goes before what probes take: probes alone tell only where nobody comes.
    if (hasReads ? !reads : !probes) return undefined;
    if (probes) this.#probes.relearn(probes);
    if (!hasReads || !reads) return 'by probes';
    const formerP95Ms = this.#book.usualP95Ms();
    this.#book.relearn(reads);
    const p95Ms = this.#book.usualP95Ms();
    if (formerP95Ms !== undefined && p95Ms !== undefined) this.#onSlower(Math.max(1, p95Ms / formerP95Ms));
    return 'by requests';
  }
}

/** Both halves together if they are slow, and equally so. */
function newlyUsual(former: Latencies, latter: Latencies): LogHistogram | undefined {
  if (former.times.total < answersMin || latter.times.total < answersMin) return undefined;
  if (former.slow + latter.slow <= (former.times.total + latter.times.total) * slowPart) return undefined;
  const [before, after] = [former.times.quantile(0.5) ?? 0, latter.times.quantile(0.5) ?? 0];
  if (Math.max(before, after) > Math.min(before, after) * steadyFactor) return undefined;
  const both = new LogHistogram();
  both.merge(former.times);
  both.merge(latter.times);
  return both;
}

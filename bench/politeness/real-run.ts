/**
 * The product's own generator against a real origin with a queue, beside people who come at random (open loop) and ask it directly. Generation is
 * paused and let go in turns of the same length, in which the same people come, so that only generation makes the difference; of the pairs of turns the
 * median counts, because a busy machine stalls now and then. Then the origin strains, and nobody but the generator's own requests tells.
 */
import { Generator } from '../../src/generate/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { createLog, seededRandom, systemClock } from '../../src/kernel/index.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import { runOpenLoop } from '../load/open-loop.ts';
import { median, quantile } from '../load/samples.ts';
import { QueueOrigin } from './queue-origin.ts';
import { mostWithin } from './simulation.ts';

export interface RealFacts {
  readonly workers: number;
  readonly serviceMs: number;
  readonly load: number;
  readonly turnMs: number;
  /** Pairs of turns, one with generation and one without; the first pair is not counted. */
  readonly pairs: number;
  readonly seed: number;
}

export interface RealResult {
  readonly load: number;
  readonly offP95Ms: number;
  readonly onP95Ms: number;
  readonly people: number;
  readonly generatedPerSecond: number;
  readonly mostInASecond: number;
  /** Generated requests that began later than a second after the origin began to take 3 s, within the 8 s looked at. */
  readonly afterStrain: number;
  /** The last of them that was no trial (at least a second after the one before), ms after the strain. */
  readonly lastBeforeRestMs: number;
}

const reportMs = 500;
const windowMs = 10_000;
const strainMs = 9000;

export async function runReal(facts: RealFacts): Promise<RealResult> {
  const { workers, serviceMs, load, turnMs, pairs, seed } = facts;
  const origin = new QueueOrigin(workers, serviceMs);
  const generator = startGenerator(origin);
  const seen: { readonly atMs: number; readonly latencyMs: number }[] = [];
  const p95s = { on: [] as number[], off: [] as number[] };
  let people = 0;
  let usualP95Ms: number | undefined;
  let open = 0;
  const reports = setInterval(() => {
    const nowMs = performance.now();
    while (seen[0] && seen[0].atMs < nowMs - windowMs) seen.shift();
    const p95 = seen.length < 20 ? undefined : quantile(Float64Array.from(seen, ({ latencyMs }) => latencyMs).sort(), 0.95);
    if (p95 !== undefined) usualP95Ms = usualP95Ms === undefined ? p95 : usualP95Ms + (1 - 0.5 ** (reportMs / 600_000)) * (p95 - usualP95Ms);
    generator.observeOrigin({
      atMs: Date.now(), view: { state: 'healthy', share: 0, sinceMs: 0 }, latencyP95Ms: p95, usualP95Ms, requestsPerSecond: seen.length / (Math.min(windowMs, nowMs - beganMs) / 1000),
    });
  }, reportMs);
  const beganMs = performance.now();
  const ask = (scheduledMs: number, turn: { readonly fromMs: number; readonly latencies: number[] }): void => {
    open++;
    void fetch(`${origin.url}/people`).then((answer) => answer.arrayBuffer()).then(() => {
      const nowMs = performance.now();
      seen.push({ atMs: nowMs, latencyMs: nowMs - scheduledMs });
      // What the turn before left in the queue is not this turn's.
      if (scheduledMs > turn.fromMs + turnMs / 4) turn.latencies.push(nowMs - scheduledMs);
      return undefined;
    }).finally(() => { open--; });
  };
  for (let pair = 0; pair < pairs; pair++) {
    // The order alternates, so that a trend of the machine favours neither.
    for (const half of pair % 2 === 0 ? ['on', 'off'] as const : ['off', 'on'] as const) {
      generator.levers.change({ paused: half === 'off' });
      const turn = { fromMs: performance.now(), latencies: [] as number[] };
      await runOpenLoop({ ratePerSecond: (load * workers * 1000) / serviceMs, durationMs: turnMs, random: seededRandom(seed + pair), start: (scheduledMs) => { ask(scheduledMs, turn); } });
      if (pair === 0) continue;
      people += turn.latencies.length;
      p95s[half].push(quantile(Float64Array.from(turn.latencies).sort(), 0.95));
    }
  }
  const generated = origin.generatedAtMs.filter((atMs) => atMs - beganMs > 2 * turnMs).length;
  clearInterval(reports);
  generator.levers.change({ paused: false });
  await Bun.sleep(6000); // reports grow old, and the whole rate comes back
  const strained = performance.now();
  origin.serviceMs = 3000;
  await Bun.sleep(strainMs);
  const late = origin.generatedAtMs.filter((atMs) => atMs > strained).map((atMs) => atMs - strained);
  while (open > 0) await Bun.sleep(10);
  await generator.close();
  await origin.close();
  return {
    load, offP95Ms: median(p95s.off), onP95Ms: median(p95s.on), people,
    generatedPerSecond: generated / (((pairs - 1) * turnMs) / 1000), mostInASecond: mostWithin(origin.generatedAtMs, 1000),
    afterStrain: late.filter((atMs) => atMs > 1000).length, lastBeforeRestMs: Math.max(0, ...late.filter((atMs, at) => at === 0 || atMs - (late[at - 1] ?? 0) < 900)),
  };
}

function startGenerator(origin: QueueOrigin): Generator {
  const loaded = loadConfig({ overrides: { origin: origin.url }, env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded));
  let version = 0;
  const generator = new Generator({
    config: loaded.config, blobs: openMemoryStore(), records: [], clock: systemClock, bodyOf: () => undefined,
    outlook: { rates: () => [], variationShares: () => [] }, log: createLog({ clock: systemClock, level: 'error', write: (line) => { console.error(line); } }),
    catalog: {
      head: () => version, liveBlobs: () => new Set(), get: () => undefined, rules: () => [],
      publish: (base, change) => Promise.resolve({ ...change, version: base + 1, publishedAtMs: 0, full: false, put: change.put.map((record) => ({ ...record, version: base + 1 })) }),
    },
    onPublished: (published) => { version = published; },
  });
  generator.start();
  return generator;
}

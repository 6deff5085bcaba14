/** `bun measure.ts KEYS TWO-REGIONS`: one engine in a process of its own; prints what it measured as JSON. */
import type { DemandCount } from '../../src/demand/index.ts';
import { DemandEngine } from '../../src/predict/index.ts';
import { BusySite } from './busy-site.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_040_000;
const countsPerMinute = 60_000;
/** Demand after the filling, minutes: long enough for predictions to be made, come due and be judged several times. */
const steadyMinutes = 100;
/** After so many nothing more is added to the process's memory by making demand (11 MB). */
const rehearsalMinutes = 40;

export interface ScaleNumbers {
  readonly keys: number;
  readonly pairsPerKey: number;
  readonly residentBytesPerKey: number;
  readonly ownBytesPerKey: number;
  readonly observeEventsPerSecond: number;
  readonly observeSlowestMs: number;
  readonly birthsMs: number;
  readonly ratesFirstMs: number;
  readonly ratesMs: number;
  readonly forecasts: number;
  readonly forecastsMs: number;
  readonly snapshotMs: number;
  readonly snapshotBytes: number;
  readonly restoreMs: number;
}

/** CPU time of the process, all its threads. */
function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Once the collector has given back what it will: the allocator takes its time. */
async function residentBytes(): Promise<number> {
  let least = Infinity;
  for (let same = 0; same < 5; same++) {
    Bun.gc(true);
    await Bun.sleep(200);
    const now = process.memoryUsage.rss();
    if (now < least - 1e6) same = 0;
    least = Math.min(least, now);
  }
  return least;
}

async function measure(keys: number, twoRegions: number): Promise<ScaleNumbers> {
  const options = { keys, countsPerMinute, twoRegions, seed: 1 };
  // Demand is made, and thrown away, before there is an engine too: what that leaves in memory is not the engine's.
  const rehearsal = new BusySite(options);
  for (let minute = 0; minute < rehearsalMinutes; minute++) rehearsal.next();
  const before = await residentBytes();
  const site = new BusySite(options);
  const engine = new DemandEngine({ keysMax: keys });
  let atMs = startMs;
  const observe = (counts: readonly DemandCount[]): number => {
    const spent = cpuMs(() => { engine.observe(atMs, counts); });
    atMs += minuteMs;
    return spent;
  };
  for (let minute = 0; minute < site.minutesToFill; minute++) observe(site.next());
  const times: number[] = [];
  for (let minute = 0; minute < steadyMinutes; minute++) times.push(observe(site.next()));
  const ratesFirstMs = cpuMs(() => { engine.rates(atMs, 50_000, 'next'); });
  const ratesMs = Math.min(...Array.from({ length: 3 }, () => cpuMs(() => { engine.rates(atMs, 50_000, 'next'); })));
  const resident = await residentBytes() - before;
  const own = engine.size();
  let forecasts = 0;
  const forecastsMs = cpuMs(() => { for (const { horizonMin } of engine.forecasts(atMs, 0, 0)) forecasts += horizonMin === 5 ? 1 : 0; });
  let snapshotBytes = 0;
  const snapshotMs = cpuMs(() => { for (const part of engine.snapshotParts()) snapshotBytes += part.length; });
  const snapshot = engine.snapshot();
  let restored = 0;
  const restoreMs = cpuMs(() => { restored = new DemandEngine({ keysMax: keys, snapshot }).size().keys; });
  if (restored !== own.keys) throw new Error(`${restored} keys came back of ${own.keys}`);
  const birthsMs = observe(site.births(countsPerMinute));
  return {
    keys: own.keys, pairsPerKey: 1 + twoRegions, residentBytesPerKey: resident / own.keys, ownBytesPerKey: own.bytes / own.keys,
    observeEventsPerSecond: (1000 * countsPerMinute * times.length) / times.reduce((sum, one) => sum + one, 0), observeSlowestMs: Math.max(...times),
    birthsMs, ratesFirstMs, ratesMs, forecasts, forecastsMs, snapshotMs, snapshotBytes, restoreMs,
  };
}

console.log(JSON.stringify(await measure(Number(process.argv[2] ?? 1_000_000), Number(process.argv[3] ?? 0))));

/** `bun measure.ts KEYS TWO-REGIONS`: one engine in a process of its own; prints what it measured as JSON. CPU time is the process's, all threads, from one moment to the other. */
import type { DemandCount } from '../../src/demand/index.ts';
import { DemandEngine } from '../../src/predict/index.ts';
import { BusySite } from './busy-site.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_040_000;
const countsPerMinute = 60_000;
/** Demand after the filling: two and a half hours, so that predictions have come due and the gate has judged. */
const steadyMinutes = 100;

export interface ScaleNumbers {
  readonly keys: number;
  readonly pairsPerKey: number;
  readonly residentBytesPerKey: number;
  readonly afterCycleBytesPerKey: number;
  readonly ownBytesPerKey: number;
  readonly observeEventsPerSecond: number;
  readonly observeSlowestMs: number;
  readonly ratesMs: number;
  readonly ratesFirstMs: number;
  readonly forecasts: number;
  readonly forecastsMs: number;
  readonly birthsMs: number;
  readonly snapshotMs: number;
  readonly snapshotBytes: number;
  readonly restoreMs: number;
}

function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function residentBytes(): number {
  for (let i = 0; i < 3; i++) Bun.gc(true);
  return process.memoryUsage.rss();
}

function measure(keys: number, twoRegions: number): ScaleNumbers {
  const site = new BusySite({ keys, countsPerMinute, twoRegions, seed: 1 });
  // What a process has once it has made a minute of input and run an engine's code is not the engine's.
  const rehearsal = new BusySite({ keys: 2 * countsPerMinute, countsPerMinute, twoRegions, seed: 2 });
  const small = new DemandEngine({ keysMax: 2 * countsPerMinute });
  for (let minute = 0; minute < 6; minute++) small.observe(startMs + minute * minuteMs, rehearsal.next());
  small.rates(startMs + 6 * minuteMs, 50_000);
  let atMs = startMs;
  const before = residentBytes();
  const engine = new DemandEngine({ keysMax: keys });
  const observe = (counts: readonly DemandCount[]): number => {
    const spent = cpuMs(() => { engine.observe(atMs, counts); });
    atMs += minuteMs;
    return spent;
  };
  for (let minute = 0; minute < site.minutesToFill; minute++) observe(site.next());
  const times: number[] = [];
  for (let minute = 0; minute < steadyMinutes; minute++) times.push(observe(site.next()));
  const resident = residentBytes() - before;
  const ownBytes = engine.size().bytes;
  const ratesFirstMs = cpuMs(() => { engine.rates(atMs, 50_000); });
  const ratesMs = Math.min(...Array.from({ length: 3 }, () => cpuMs(() => { engine.rates(atMs, 50_000); })));
  const afterCycle = residentBytes() - before;
  let forecasts = 0;
  const forecastsMs = cpuMs(() => { for (const { horizonMin } of engine.forecasts(atMs, 0, 0)) forecasts += horizonMin === 5 ? 1 : 0; });
  let snapshotBytes = 0;
  const snapshotMs = cpuMs(() => { for (const part of engine.snapshotParts()) snapshotBytes += part.length; });
  const snapshot = engine.snapshot();
  const restoreMs = cpuMs(() => { new DemandEngine({ keysMax: keys, snapshot }); });
  const births = site.births(countsPerMinute);
  const birthsMs = observe(births);
  return {
    keys: engine.size().keys, pairsPerKey: 1 + twoRegions, residentBytesPerKey: resident / keys, afterCycleBytesPerKey: afterCycle / keys, ownBytesPerKey: ownBytes / keys,
    observeEventsPerSecond: (1000 * countsPerMinute * times.length) / times.reduce((sum, one) => sum + one, 0), observeSlowestMs: Math.max(...times),
    ratesMs, ratesFirstMs, forecasts, forecastsMs, birthsMs, snapshotMs, snapshotBytes, restoreMs,
  };
}

console.log(JSON.stringify(measure(Number(process.argv[2] ?? 1_000_000), Number(process.argv[3] ?? 0))));

/**
 * The models that come from libraries: exponential smoothing, MSTL and Prophet from augurs, ARIMA from ctsa. All on logarithms. WebAssembly is read and
 * started when work is done, in whatever thread that is, and never at import.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { harmonicProfile } from './harmonics.ts';
import { logs, stepsOfDay } from './history.ts';
import type { History, Model, ModelName } from './history.ts';
import { optimizeProphet } from './prophet-optimizer.ts';

/** Steps that exponential smoothing and ARIMA look back: four days. */
const recentSteps = 192;
/** Steps of the last level: what a path that starts from it is relative to. */
const levelSteps = 6;
const levelKeep = Math.exp(-0.5);
const prophetChanges = 10;
const dayHarmonics = 6;
const weekDays = 14;

export async function libraryModels(): Promise<Model[]> {
  const [{ AutoETS, initSync: startEts }, { MSTL, initSync: startMstl }, { Prophet, initSync: startProphet }] = await Promise.all([
    import('@bsull/augurs/ets'), import('@bsull/augurs/mstl'), import('@bsull/augurs/prophet'),
  ]);
  startEts({ module: wasmOf('ets') });
  startMstl({ module: wasmOf('mstl') });
  startProphet({ module: wasmOf('prophet') });
  const { default: ARIMA } = await import('arima');

  const ets = fromLevel('ets', 48, (series, ahead) => {
    using model = new AutoETS(1, 'ZZN');
    model.fit(Float64Array.from(series));
    return model.predict(ahead).point;
  });

  const arima: Model = {
    name: 'arima', stepsMin: 96,
    path(history, behind, ahead) {
      const season = harmonicProfile(history, stepsOfDay(history), [1, 2, 3], history.counts.length, ahead);
      const rest = logs(history.counts).map((value, i) => value - (season[i] ?? 0));
      const recent = rest.slice(-recentSteps);
      const mean = recent.reduce((sum, value) => sum + value, 0) / recent.length;
      const model = new ARIMA({ p: 2, d: 0, q: 1, method: 1, verbose: false }).train(recent.map((value) => value - mean));
      const [told] = model.predict(ahead);
      model.destroy();
      const level = levelOf(rest);
      return joined(behind, ahead, (i) => (season[season.length - ahead + i] ?? 0) + (i < 0 ? level : (told[i] ?? 0) + mean));
    },
  };

  const mstl: Model = {
    name: 'mstl', stepsMin: 96,
    path(history, behind, ahead) {
      const day = stepsOfDay(history);
      const hasWeeks = history.counts.length >= weekDays * day;
      using model = MSTL.ets(Uint32Array.from(hasWeeks ? [day, 7 * day] : [day]));
      model.fit(Float64Array.from(logs(history.counts)));
      const told = model.predict(ahead).point;
      const fitted = model.predictInSample().point;
      return joined(behind, ahead, (i) => (i < 0 ? fitted.at(i) : told[i]) ?? NaN);
    },
  };

  const prophet: Model = {
    name: 'prophet', stepsMin: 96,
    path(history, behind, ahead) {
      const { counts, endMs, stepMin } = history;
      const seconds = (step: number): number => Math.round(endMs / 1000) + (step - counts.length) * stepMin * 60;
      const hasWeeks = counts.length >= weekDays * stepsOfDay(history);
      using model = new Prophet({
        optimizer: { optimize: optimizeProphet }, uncertaintySamples: 0, nChangepoints: prophetChanges, holidays: holidaysOf(history),
        yearlySeasonality: { type: 'manual', enabled: false },
        weeklySeasonality: hasWeeks ? { type: 'fourier', order: 3 } : { type: 'manual', enabled: false },
        dailySeasonality: { type: 'fourier', order: dayHarmonics },
      });
      const steps = Array.from(counts, (_, step) => seconds(step));
      model.fit({ ds: steps, y: logs(counts) });
      const { yhat } = model.predict({ ds: Array.from({ length: behind + ahead }, (_, i) => seconds(counts.length + i - behind)) });
      return Float64Array.from(yhat.point);
    },
  };
  return [ets, arima, mstl, prophet];
}

/** A part of augurs as WebAssembly, for its `initSync`. */
export function wasmOf(part: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(createRequire(import.meta.url).resolve(`@bsull/augurs/${part}`).replace(/\.js$/, '_bg.wasm')));
}

/** A model without seasons: what it tells follows on the level of the last hours. */
function fromLevel(name: ModelName, stepsMin: number, tell: (series: readonly number[], ahead: number) => readonly number[]): Model {
  return {
    name, stepsMin,
    path({ counts }, behind, ahead) {
      const series = logs(counts).slice(-recentSteps);
      const level = levelOf(series);
      const told = tell(series, ahead);
      return joined(behind, ahead, (i) => (i < 0 ? level : told[i] ?? NaN));
    },
  };
}

function levelOf(series: readonly number[]): number {
  let sum = 0;
  let weights = 0;
  for (let ago = 0, weight = 1; ago < levelSteps; ago++, weight *= levelKeep) {
    sum += weight * (series.at(-1 - ago) ?? 0);
    weights += weight;
  }
  return sum / weights;
}

/** `at`: steps from the end of the series; below 0 what was. */
function joined(behind: number, ahead: number, at: (step: number) => number): Float64Array {
  return Float64Array.from({ length: behind + ahead }, (_, i) => at(i - behind));
}

function holidaysOf({ holidays, endMs, counts, stepMin }: History): Map<string, { occurrences: { start: number; end: number }[] }> {
  const found = new Map<string, { occurrences: { start: number; end: number }[] }>();
  const startMs = endMs - counts.length * stepMin * 60_000;
  // A holiday that never was in the history has no effect to learn.
  const known = new Set(holidays.filter((one) => one.startMs >= startMs && one.startMs < endMs).map(({ name }) => name));
  for (const { name, startMs: from, endMs: to } of holidays) {
    if (!known.has(name)) continue;
    const entry = found.get(name) ?? { occurrences: [] };
    entry.occurrences.push({ start: from / 1000, end: to / 1000 });
    found.set(name, entry);
  }
  return found;
}

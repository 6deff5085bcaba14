/**
 * The Demand Prediction Engine against the field on the same trace, outages and budget: caches (LRU, LFU), recent popularity, weighted rates, AutoETS and Prophet for
 * the most wanted resources, and planners that know the future. By default on a seeded synthetic site; `--trace F,G` for real logs.
 */
import { basename, join } from 'node:path';
import { ModelWorker } from '../../src/cli/model-worker.ts';
import { planRefreshes } from '../../src/cli/backtest-plan.ts';
import { policyTitles, summarise } from '../../src/cli/backtest-summary.ts';
import type { BacktestSummary } from '../../src/cli/backtest-summary.ts';
import { TraceFindings } from '../../src/demand/trace/index.ts';
import { everywhere } from '../../src/predict/index.ts';
import { TraceMinutes, playTrace, traceLengthMs } from '../../src/predict/backtest/index.ts';
import type { PlayResult } from '../../src/predict/backtest/index.ts';
import { formatDuration } from '../../src/kernel/index.ts';
import { percent } from '../report.ts';
import type { Suite, SuiteContext } from '../suite.ts';
import { playField } from './field-play.ts';
import type { FieldResult, SeriesResult } from './field-play.ts';
import { autoEts, prophet, startLibraries } from './series-rates.ts';
import { writeSyntheticTrace } from './synthetic-trace.ts';

const minuteMs = 60_000;
const dayMs = 1440 * minuteMs;
const resourcesMax = 1_000_000;
/** Forecasts of Foreshadow's below this are kept as this: the field's models look at the most wanted only. */
const pKept = 0.02;
/** Required of the whole: log loss this far below the best shrunk weighted rate's, on pairs of (region, resource). */
const belowBestMin = 0.04;

interface Run {
  readonly budgetPerMinute: number;
  readonly summary: BacktestSummary;
  readonly field: readonly FieldResult[];
  readonly series: readonly SeriesResult[];
  readonly seconds: number;
}

export const prediction: Suite = {
  name: 'prediction',
  about: 'forecasts and refreshes against LRU, LFU, popularity, EWMA, AutoETS and Prophet (--trace F,G for real logs)',
  async run(context) {
    const files = filesOf(context);
    startLibraries();
    const lengthMs = await traceLengthMs(files, 'auto', new TraceFindings(), 8 * dayMs);
    const warmupMs = Math.floor(Math.min(7 * dayMs, lengthMs / 2) / (30 * minuteMs)) * 30 * minuteMs;
    const runs: Run[] = [];
    for (const budgetPerMinute of context.quick ? [10] : [10, 30]) {
      context.say(`prediction: ${files.length} files, ${budgetPerMinute} refreshes a minute, scored after ${formatDuration(warmupMs)}`);
      runs.push(await play(context, files, budgetPerMinute, warmupMs));
    }
    return {
      numbers: { files: context.options['trace'] === undefined ? ['synthetic'] : files.map((file) => basename(file)), warmupMs, runs: runs.map(({ budgetPerMinute, summary, field, series, seconds }) => ({ budgetPerMinute, seconds, policies: summary.policies, forecasts: summary.forecasts.levels, field, series })) },
      tables: [...runs.map(coverageTable), lossTable(runs), seriesTable(runs)],
      missed: runs.flatMap(missedBy),
    };
  },
};

function filesOf(context: SuiteContext): string[] {
  const { options, folder, quick } = context;
  if (options['trace'] !== undefined) return options['trace'].split(',');
  const path = join(folder, 'synthetic.ndjson');
  const requests = writeSyntheticTrace(path, { days: quick ? 2 : 4, viewsPerMinute: quick ? 20 : 40, seed: 11 });
  context.say(`prediction: a synthetic site of ${requests} requests`);
  return [path];
}

async function play(context: SuiteContext, files: readonly string[], budgetPerMinute: number, warmupMs: number): Promise<Run> {
  const options = { warmupMs, outageEveryMs: 30 * minuteMs, outageLengthMs: 15 * minuteMs, freshForMs: 30 * minuteMs, budgetPerMinute };
  const findings = new TraceFindings();
  const trace = new TraceMinutes({ format: 'auto', findings, resourcesMax });
  const said = new Map<number, Map<string, number>>();
  const began = performance.now();
  await using models = new ModelWorker();
  const result: PlayResult = await playTrace(trace, files, { ...options, forecastsFromStart: false, without: new Set() }, {
    plan: planRefreshes(), doWork: (work) => models.run(work), onRefresh: () => undefined, onMinute: () => undefined,
    onForecasts(atMs, forecasts) {
      const kept = new Map<string, number>();
      for (const { region, resource, horizonMin, p } of forecasts) if (region === everywhere && horizonMin === 15 && p > pKept) kept.set(resource, p);
      said.set(atMs, kept);
    },
  });
  const seconds = (performance.now() - began) / 1000;
  const summary = summarise({
    traces: files, format: 'auto', ...options, planOut: undefined, forecastOut: undefined, json: undefined, report: undefined, without: new Set(), clientRequestsMax: undefined,
  }, { ms: warmupMs, why: 'half of the trace, seven days at most' }, result, trace.totals, findings);
  const { policies, series } = await playField(new TraceMinutes({ format: 'auto', findings: new TraceFindings(), resourcesMax }), files, {
    ...options, places: Math.round(result.freshCopies), models: context.quick ? [autoEts(50), prophet(10)] : [autoEts(200), prophet(50)],
    foreshadow: (atMs, resource) => said.get(atMs)?.get(resource) ?? pKept,
  });
  return { budgetPerMinute, summary, field: policies, series, seconds };
}

function coverageTable({ budgetPerMinute, summary, field }: Run) {
  const passive = coverageOf(summary, 'passive');
  const clairvoyant = coverageOf(summary, 'clairvoyant');
  const row = (name: string, coverage: number, byRefresh: number): { readonly coverage: number; readonly cells: string[] } =>
    ({ coverage, cells: [name, percent(coverage, 1), percent(byRefresh, 1), ((coverage - passive) / Math.max(1e-9, clairvoyant - passive)).toFixed(3)] });
  const rows = [
    ...summary.policies.map(({ policy, coverage, coverageByRefresh }) => row(policyTitles[policy], coverage, coverageByRefresh)),
    // The weighted rate of an hour is among the backtest's own.
    ...field.filter(({ policy }) => policy !== policyTitles.ewma).map(({ policy, coverage, byRefresh }) => row(policy, coverage, byRefresh)),
  ];
  return { title: `Answered freshly in outages, ${budgetPerMinute} refreshes a minute`, columns: ['policy', 'fresh', 'by a refresh', 'gap closed'], rows: rows.sort((a, b) => a.coverage - b.coverage).map(({ cells }) => cells) };
}

/** Forecasts do not depend on the budget: the first run's. */
function lossTable(runs: readonly Run[]) {
  const found = runs[0]?.summary.forecasts.levels ?? [];
  return {
    title: 'Log loss of P(≥1 in 15 min), resources seen in the last 24 h', columns: ['rows', 'Foreshadow', ...(found[0]?.yardsticks.map(({ name }) => `${name}, shrunk`) ?? []), 'below the best', 'calibration error', 'in 90 %'],
    rows: found.map((level) => [level.level, level.logLoss.toFixed(5), ...level.yardsticks.map(({ logLoss }) => logLoss.toFixed(5)), percent(level.belowBest, 1), level.calibrationError.toFixed(3), percent(level.central90, 1)]),
  };
}

function seriesTable(runs: readonly Run[]) {
  return {
    title: 'Models of single series, on the resources they were fitted to', columns: ['model', 'series', 'fits', 'failed', 'ms a fit', 'log loss', 'EWMA 1 h', 'Foreshadow'],
    rows: (runs[0]?.series ?? []).map(({ model, series, fits, failed, msAFit, logLoss, logLossOfEwma, logLossOfForeshadow }) =>
      [model, String(series), String(fits), String(failed), msAFit.toFixed(1), logLoss.toFixed(4), logLossOfEwma.toFixed(4), logLossOfForeshadow.toFixed(4)]),
  };
}

function missedBy({ budgetPerMinute, summary, field, series }: Run): string[] {
  const own = coverageOf(summary, 'foreshadow');
  const better = [...summary.policies.filter(({ policy }) => policy !== 'clairvoyant' && policy !== 'semiClairvoyant' && policy !== 'foreshadow').map(({ policy, coverage }) => ({ policy: policyTitles[policy], coverage })), ...field]
    .filter(({ coverage }) => coverage > own).map(({ policy, coverage }) => `${budgetPerMinute} a minute: ${policy} answers ${percent(coverage, 1)}, Foreshadow ${percent(own, 1)}`);
  const region = summary.forecasts.levels.find(({ level }) => level === 'region');
  const loss = region && region.belowBest < belowBestMin ? [`log loss by region is ${percent(region.belowBest, 1)} below the best weighted rate; at least ${percent(belowBestMin, 1)} is required`] : [];
  return [...better, ...loss, ...series.filter(({ logLoss, logLossOfForeshadow }) => logLoss < logLossOfForeshadow).map(({ model }) => `${model} forecasts its own resources better`)];
}

function coverageOf(summary: BacktestSummary, name: string): number {
  return summary.policies.find(({ policy }) => policy === name)?.coverage ?? 0;
}

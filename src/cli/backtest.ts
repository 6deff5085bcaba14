/**
 * `foreshadow backtest`: plays a trace through the real forecaster and planner and tells what the copies would have been worth
 * in outages, against simpler and against clairvoyant planners. Exit 0 done, 1 failed, 2 wrong usage.
 */
import { statSync } from 'node:fs';
import { TraceFindings } from '../demand/trace/index.ts';
import { ForeshadowError, formatDuration, messageOf, systemClock } from '../kernel/index.ts';
import { TraceMinutes, playTrace, traceLengthMs } from '../predict/backtest/index.ts';
import type { PlayHooks } from '../predict/backtest/index.ts';
import { ForecastLines, TextOutput, planLine } from './backtest-files.ts';
import { planRefreshes } from './backtest-plan.ts';
import { BacktestProgress } from './backtest-progress.ts';
import { parseBacktestOptions } from './backtest-options.ts';
import type { BacktestOptions } from './backtest-options.ts';
import { backtestReport } from './backtest-report.ts';
import { summarise } from './backtest-summary.ts';
import type { BacktestSummary } from './backtest-summary.ts';
import { backtestText } from './backtest-text.ts';
import type { CliIo } from './io.ts';
import { ModelWorker } from './model-worker.ts';

const dayMs = 86_400_000;
const usualWarmupMs = 7 * dayMs;
/** Shorter traces than this have no week to spare. */
const shortTraceMs = 8 * dayMs;
const keysMax = 1_000_000;

export async function runBacktest(args: readonly string[], io: CliIo): Promise<number> {
  try {
    const options = parseBacktestOptions(args);
    const summary = await backtest(options, io);
    io.out(backtestText(summary));
    if (summary.outages > 0) return 0;
    io.err('foreshadow backtest: no outage could be scored; give a longer trace or a shorter --warmup\n');
    return 1;
  } catch (thrown) {
    if (!(thrown instanceof ForeshadowError)) throw thrown;
    io.err(`foreshadow backtest: ${messageOf(thrown)}\n`);
    return thrown.code === 'usage' ? 2 : 1;
  }
}

async function backtest(options: BacktestOptions, io: CliIo): Promise<BacktestSummary> {
  using files = new DisposableStack();
  const open = (path: string | undefined): TextOutput | undefined => (path === undefined ? undefined : files.use(new TextOutput(path)));
  const planOut = open(options.planOut);
  const forecastOut = open(options.forecastOut);
  const jsonOut = open(options.json);
  const reportOut = open(options.report);
  const findings = new TraceFindings();
  const trace = new TraceMinutes({ format: options.format, findings, resourcesMax: keysMax, clientRequestsMax: options.clientRequestsMax ?? Infinity });
  const warmup = await chooseWarmup(options);
  if (warmup.derived) io.err(`warm-up: ${formatDuration(warmup.ms)}, ${warmup.why}; --warmup sets it\n`);
  const forecastLines = new ForecastLines();
  await using models = new ModelWorker();
  const hooks: PlayHooks = {
    plan: planRefreshes(),
    doWork: (work) => models.run(work),
    onRefresh: (minuteMs, resource) => planOut?.write(planLine(minuteMs, resource)),
    onForecasts: forecastOut && ((atMs, forecasts) => {
      for (const forecast of forecasts) if (forecast.p >= 0.001) forecastOut.write(forecastLines.line(atMs, forecast));
    }),
    onMinute: progress(io, trace, options.traces),
  };
  const result = await playTrace(trace, options.traces, {
    warmupMs: warmup.ms, outageEveryMs: options.outageEveryMs, outageLengthMs: options.outageLengthMs, freshForMs: options.freshForMs,
    budgetPerMinute: options.budgetPerMinute, forecastsFromStart: warmup.derived, without: options.without,
  }, hooks);
  if (io.isTty) io.err('\r\u001b[K');
  const summary = summarise(options, warmup, result, trace.totals, findings);
  jsonOut?.write(`${JSON.stringify(summary, undefined, 1)}\n`);
  reportOut?.write(backtestReport(summary));
  return summary;
}

/** As given; else seven days; else, of a trace too short for that, a third. */
async function chooseWarmup(options: BacktestOptions): Promise<{ readonly ms: number; readonly why: string; readonly derived: boolean }> {
  if (options.warmupMs !== undefined) return { ms: options.warmupMs, why: 'as given', derived: false };
  const lengthMs = await traceLengthMs(options.traces, options.format, new TraceFindings(), shortTraceMs);
  if (lengthMs >= shortTraceMs) return { ms: usualWarmupMs, why: 'as usual', derived: false };
  return { ms: Math.floor(lengthMs / 3 / 60_000) * 60_000, why: `a third of a trace of ${formatDuration(lengthMs)}`, derived: true };
}

/** A line that tells how far the play has come, where a person watches. */
function progress(io: CliIo, trace: TraceMinutes, files: readonly string[]): (minuteMs: number) => void {
  if (!io.isTty) return () => undefined;
  const shown = new BacktestProgress(systemClock, files.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0), (line) => { io.err(`\r${line}\u001b[K`); });
  return (minuteMs) => { shown.played(minuteMs, trace.reading); };
}

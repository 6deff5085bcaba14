/** The command line of `foreshadow backtest`, read and checked: every mistake is named with what was expected. */
import { parseArgs } from 'node:util';
import { traceFormats } from '../demand/trace/index.ts';
import type { TraceFormat } from '../demand/trace/index.ts';
import { ForeshadowError, messageOf, parseDuration, parseRate } from '../kernel/index.ts';
import { stageNames } from '../predict/index.ts';
import type { StageName } from '../predict/index.ts';

export const usage = 'usage: foreshadow backtest --trace F… [--format auto|combined|json] [--warmup 7d] [--outage-every 30m] [--outage-length 15m] '
  + '[--fresh-for 30m] [--refresh-budget 30/min] [--plan-out F] [--forecast-out F] [--json F] [--report F.html] '
  + `[--without ${stageNames.join(',')}] [--clients-above 1000/day]`;

export interface BacktestOptions {
  readonly traces: readonly string[];
  readonly format: TraceFormat;
  /** Undefined: seven days, or a third of a shorter trace. */
  readonly warmupMs: number | undefined;
  readonly outageEveryMs: number;
  readonly outageLengthMs: number;
  readonly freshForMs: number;
  readonly budgetPerMinute: number;
  readonly planOut: string | undefined;
  readonly forecastOut: string | undefined;
  readonly json: string | undefined;
  readonly report: string | undefined;
  /** Parts of the engine that are left out, to see what each contributes. */
  readonly without: ReadonlySet<StageName>;
  /** Clients with more requests in a day are left out of everything. */
  readonly clientRequestsMax: number | undefined;
}

const minuteMs = 60_000;

/** Throws `usage` for a command line that is not understood. */
export function parseBacktestOptions(args: readonly string[]): BacktestOptions {
  const { values, positionals } = readArguments(args);
  const traces = [...(values.trace ?? []), ...positionals];
  if (values.trace === undefined) throw wrong('no trace is given');
  const format = traceFormats.find((known) => known === (values.format ?? 'auto'));
  if (!format) throw wrong(`--format ${values.format ?? ''} is not known; it is auto, combined or json`);
  const outageLengthMs = wholeMinutes('outage-length', values['outage-length'] ?? '15m');
  const freshForMs = wholeMinutes('fresh-for', values['fresh-for'] ?? '30m');
  if (outageLengthMs > freshForMs) throw wrong('--outage-length is longer than --fresh-for, so no copy could outlast an outage');
  return {
    traces, format, outageLengthMs, freshForMs,
    warmupMs: values.warmup === undefined ? undefined : duration('warmup', values.warmup, 0),
    outageEveryMs: wholeMinutes('outage-every', values['outage-every'] ?? '30m'),
    budgetPerMinute: rate('refresh-budget', values['refresh-budget'] ?? '30/min') * 60,
    planOut: values['plan-out'], forecastOut: values['forecast-out'], json: values.json, report: values.report,
    without: stages(values.without ?? ''),
    clientRequestsMax: values['clients-above'] === undefined ? undefined : perDay('clients-above', values['clients-above']),
  };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        trace: { type: 'string', multiple: true }, format: { type: 'string' }, warmup: { type: 'string' },
        'outage-every': { type: 'string' }, 'outage-length': { type: 'string' }, 'fresh-for': { type: 'string' },
        'refresh-budget': { type: 'string' }, 'plan-out': { type: 'string' }, 'forecast-out': { type: 'string' },
        json: { type: 'string' }, report: { type: 'string' }, without: { type: 'string' },
        'clients-above': { type: 'string' },
      },
    });
  } catch (thrown) {
    throw wrong(messageOf(thrown));
  }
}

function perDay(name: string, text: string): number {
  const found = /^(\d{1,12})\/(?:day|d)$/.exec(text)?.[1];
  if (found === undefined) throw wrong(`--${name} ${text} is not a number a day such as 1000/day`);
  return Number(found);
}

function stages(list: string): ReadonlySet<StageName> {
  const found = new Set<StageName>();
  for (const word of list.split(',').filter((part) => part !== '')) {
    const stage = stageNames.find((name) => name === word);
    if (!stage) throw wrong(`--without ${word} is not a part of the engine; they are ${stageNames.join(', ')}`);
    found.add(stage);
  }
  return found;
}

function duration(name: string, text: string, leastMs: number): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < leastMs) throw wrong(`--${name} ${text} is not a duration such as 30m${leastMs > 0 ? ' of a minute or more' : ''}`);
  return ms;
}

function wholeMinutes(name: string, text: string): number {
  const ms = duration(name, text, minuteMs);
  if (ms % minuteMs !== 0) throw wrong(`--${name} ${text} is not in whole minutes`);
  return ms;
}

function rate(name: string, text: string): number {
  const perSecond = parseRate(text);
  if (perSecond === undefined || perSecond * 60 > 1_000_000) throw wrong(`--${name} ${text} is not a rate such as 30/min`);
  return perSecond;
}

function wrong(message: string): ForeshadowError {
  return new ForeshadowError('usage', { source: 'client', message, hint: usage });
}

/** A backtest's findings as the text a person reads on a terminal. Pure. */
import { formatDuration } from '../kernel/index.ts';
import { missReasons } from '../predict/backtest/index.ts';
import { calibrationCases, levelTitles, missTitles, policyTitles, totalTitles } from './backtest-summary.ts';
import type { BacktestSummary, LevelSummary } from './backtest-summary.ts';

export function backtestText(summary: BacktestSummary): string {
  const { settings, requests } = summary;
  const missed = missReasons.reduce((sum, why) => sum + summary.misses.byReason[why], 0);
  const text = [
    `${summary.traces.length === 1 ? summary.traces[0] ?? '' : `${summary.traces.length} files`}: `
    + `${count(requests.people)} requests by people, ${count(requests.crawlers)} by crawlers, ${count(summary.resources)} resources, `
    + `${day(summary.span.fromMs)} to ${day(summary.span.toMs)}`,
    ...(settings.clientsAbovePerDay === undefined ? [] : [`without clients of more than ${count(settings.clientsAbovePerDay)} requests a day: ${count(requests.heavyClients)} requests left out`]),
    ...(settings.without.length === 0 ? [] : [`without ${settings.without.join(', ')}`]),
    ...lineReport(summary),
    '',
    `Had the origin failed at ${count(summary.outages)} moments (every ${formatDuration(settings.outageEveryMs)}, for ${formatDuration(settings.outageLengthMs)}, `
    + `after a warm-up of ${formatDuration(settings.warmupMs)}, ${settings.warmup}),`,
    `with ${trim(settings.budgetPerMinute)} refreshes a minute: of the ${count(summary.requestsInOutages)} requests in these outages`,
    '',
    `${''.padEnd(40)}  ≤ ${formatDuration(settings.freshForMs)} old   refreshed   captured   any age   median age   gap closed`,
    ...summary.policies.map((policy) => [
      policyTitles[policy.policy].padEnd(40),
      share(policy.coverage).padStart(13),
      share(policy.coverageByRefresh).padStart(11),
      share(policy.coverage - policy.coverageByRefresh).padStart(10),
      share(policy.answered).padStart(9),
      `${policy.ageMin.median} min`.padStart(12),
      (policy.gapClosed === undefined ? '–' : policy.gapClosed.toFixed(2)).padStart(12),
    ].join(' ')),
    '',
    'Why the rest was missed: ' + missReasons.map((why) => `${missTitles[why]} ${share(missed === 0 ? 0 : summary.misses.byReason[why] / missed)}`).join(', '),
    ...summary.forecasts.levels.flatMap((level) => levelReport(summary, level)),
    ...totalsReport(summary),
  ];
  return `${text.join('\n')}\n`;
}

/** Forecasts of at least one request in 15 minutes, of one level. */
function levelReport(summary: BacktestSummary, level: LevelSummary): string[] {
  const rows = summary.forecasts.rows.filter((row) => row.level === level.level && row.horizonMin === 15);
  return [
    '',
    `Forecasts of at least one request in 15 min, ${levelTitles[level.level]}: log loss ${level.logLoss.toFixed(5)}, ${percent(level.belowBest)} below the best of `
    + `${level.yardsticks.map(({ name, logLoss }) => `${name} ${logLoss.toFixed(5)}`).join(', ')} (shrunk).`,
    `Said and came true differ by ${level.calibrationError.toFixed(3)} at most (strata with ${calibrationCases} forecasts or more). 90 % intervals hold ${percent(level.central90)}`
    + `${level.central90Dense === undefined ? '' : `, as whole counts where 5 or more are expected ${percent(level.central90Dense)}`}.`,
    'expected         forecasts   said   came true   log loss   best EWMA   in 90 %',
    ...rows.map((row) => [
      ` below ${row.meanBelow === Infinity ? '∞' : row.meanBelow}`.padEnd(16),
      count(row.forecasts).padStart(10),
      share(row.said).padStart(6),
      share(row.came).padStart(11),
      row.logLoss.toFixed(4).padStart(10),
      Math.min(...row.yardsticks).toFixed(4).padStart(11),
      share(row.within[3]).padStart(9),
    ].join(' ')),
  ];
}

/** Forecasts of everything together. */
function totalsReport({ totals }: BacktestSummary): string[] {
  if (totals.length === 0) return [];
  return [
    '',
    'Forecasts of all requests together       forecasts   in 90 %   mean error   were the last minutes repeated',
    ...totals.map((row) => `${` ${totalTitles[row.level]}, ${row.horizonMin} min`.padEnd(40)} ${count(row.forecasts).padStart(9)} ${share(row.central90).padStart(9)} ${share(row.error).padStart(12)} ${share(row.errorOfLast).padStart(12)}`),
  ];
}

/** What was left out and what was odd, with examples. */
function lineReport(summary: BacktestSummary): string[] {
  return summary.lines.flatMap((line) => [
    `${count(line.count)} ${line.count === 1 ? 'line' : 'lines'} ${line.what}: ${line.skipped ? 'left out' : 'read all the same'}`,
    ...line.examples.map((example) => `  ${example}`),
  ]);
}

function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

function share(value: number): string {
  return value.toFixed(3).replace(/^0/, '');
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function trim(value: number): string {
  return String(Number(value.toFixed(2)));
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

/** A backtest's findings as the text a person reads on a terminal. Pure. */
import { formatDuration } from '../kernel/index.ts';
import { policyTitles } from './backtest-summary.ts';
import type { BacktestSummary } from './backtest-summary.ts';

export function backtestText(summary: BacktestSummary): string {
  const { settings, requests } = summary;
  const text = [
    `${summary.traces.length === 1 ? summary.traces[0] ?? '' : `${summary.traces.length} files`}: `
    + `${count(requests.people)} requests by people, ${count(requests.crawlers)} by crawlers, ${count(summary.resources)} resources, `
    + `${day(summary.span.fromMs)} to ${day(summary.span.toMs)}`,
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
    'Forecasts of at least one request, site-wide, by expected number:',
    'horizon  expected         forecasts   said   came true   log loss   within q50/q90/q99',
    ...summary.reliability.map((row) => [
      `${row.horizonMin} min`.padStart(7),
      ` below ${row.meanBelow === Infinity ? '∞' : row.meanBelow}`.padEnd(16),
      count(row.forecasts).padStart(10),
      share(row.expected).padStart(6),
      share(row.observed).padStart(11),
      row.logLoss.toFixed(4).padStart(10),
      `  ${row.held.map((held) => share(held)).join(' ')}`,
    ].join(' ')),
  ];
  return `${text.join('\n')}\n`;
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

function trim(value: number): string {
  return String(Number(value.toFixed(2)));
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

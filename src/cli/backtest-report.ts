/**
 * A backtest as one HTML page that needs nothing else: what would have been answered, by which policy, outage by outage, and
 * how far the forecasts could be trusted. Charts are inline SVG; every number in them is in a table too. Pure.
 */
import { formatDuration } from '../kernel/index.ts';
import { policyNames } from '../predict/backtest/index.ts';
import type { PolicyName } from '../predict/backtest/index.ts';
import { policyTitles } from './backtest-summary.ts';
import type { BacktestSummary } from './backtest-summary.ts';

/** Colours that stay apart for colour-blind eyes (Okabe & Ito), and line styles for those who print. */
const strokes: Readonly<Record<PolicyName, string>> = {
  passive: '#999999', popular: '#e69f00', ewma: '#56b4e9', foreshadow: '#d55e00', semiClairvoyant: '#009e73', clairvoyant: '#000000',
};
const dashes: Readonly<Record<PolicyName, string>> = { passive: '2 2', popular: '6 2', ewma: '4 2', foreshadow: '', semiClairvoyant: '8 3', clairvoyant: '1 2' };
const [chartWidth, chartHeight, marginPx] = [960, 320, 40] as const;
/** More points than this say nothing more at this width; neighbours are added up. */
const pointsMax = 240;

export function backtestReport(summary: BacktestSummary): string {
  const { settings } = summary;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Foreshadow backtest</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #ddd}th:first-child,td:first-child{text-align:left}
tr.own{font-weight:600}svg{width:100%;height:auto}pre{overflow-x:auto;background:#f6f6f6;padding:.5rem}small{color:#555}</style></head><body>
<h1>Had the origin failed</h1>
<p>${text(summary.traces.map((path) => path.split('/').at(-1) ?? path).join(', '))}: ${count(summary.requests.people)} requests by people and ${count(summary.requests.crawlers)} by crawlers
to ${count(summary.resources)} resources, ${day(summary.span.fromMs)} to ${day(summary.span.toMs)} UTC.</p>
<p>At ${count(summary.outages)} moments, every ${formatDuration(settings.outageEveryMs)} after a warm-up of ${formatDuration(settings.warmupMs)} (${text(settings.warmup)}), the origin is
taken to fail for ${formatDuration(settings.outageLengthMs)}. ${count(summary.requestsInOutages)} requests by people fall into these outages. A request counts as covered if its resource has a copy at most
${formatDuration(settings.freshForMs)} old at that time. Every good answer that passed before the outage left a copy; each policy refreshed up to ${Number(settings.budgetPerMinute.toFixed(2))} copies a minute besides.</p>
<h2>Coverage</h2>
${coverageTable(summary)}
${coverageChart(summary)}
<p><small>Gap closed is (policy − passing requests) / (clairvoyant − passing requests). The last two policies know the future and could not exist; they show what is left to win.
Requests answered with errors, other methods than GET and HEAD, and crawlers' requests are not scored; crawlers' requests do leave copies. How pages differ by visitor is not in a trace: each resource counts as one copy.</small></p>
<h2>Forecasts of at least one request</h2>
<p>For the site as a whole, at a sixth of the outages, for every resource asked for in the day before with a forecast of 0.1 % or more. A forecast can be trusted where “said” and “came true” agree.</p>
${reliabilityChart(summary)}
${reliabilityTable(summary)}
<h2>The trace</h2>
${linesList(summary)}
</body></html>
`;
}

function coverageTable(summary: BacktestSummary): string {
  const rows = summary.policies.map((policy) => `<tr${policy.policy === 'foreshadow' ? ' class="own"' : ''}><td>${text(policyTitles[policy.policy])}</td>`
    + `<td>${percent(policy.coverage)}</td><td>${percent(policy.coverageByRefresh)}</td><td>${percent(policy.coverage - policy.coverageByRefresh)}</td><td>${percent(policy.answered)}</td>`
    + `<td>${policy.ageMin.median} min</td><td>${policy.ageMin.p90} min</td><td>${policy.gapClosed === undefined ? '–' : percent(policy.gapClosed)}</td></tr>`);
  return `<table><tr><th>policy</th><th>covered</th><th>by a refresh</th><th>captured in passing</th><th>copy of any age</th><th>median age</th><th>90 % within</th><th>gap closed</th></tr>${rows.join('')}</table>`;
}

function coverageChart(summary: BacktestSummary): string {
  const outages = summary.coverageByOutage;
  if (outages.length === 0) return '<p>No outage could be scored.</p>';
  const perPoint = Math.ceil(outages.length / pointsMax);
  const points: { readonly requests: number; readonly covered: Record<PolicyName, number> }[] = [];
  for (let from = 0; from < outages.length; from += perPoint) {
    const covered: Record<PolicyName, number> = { passive: 0, popular: 0, ewma: 0, foreshadow: 0, semiClairvoyant: 0, clairvoyant: 0 };
    let requests = 0;
    for (const outage of outages.slice(from, from + perPoint)) {
      requests += outage.requests;
      for (const name of policyNames) covered[name] += outage.covered[name];
    }
    points.push({ requests, covered });
  }
  const x = (i: number): string => (marginPx + (i * (chartWidth - 2 * marginPx)) / Math.max(1, points.length - 1)).toFixed(1);
  const lines = policyNames.map((name) => {
    const path = points.flatMap(({ requests, covered }, i) => (requests > 0 ? [`${x(i)},${y(covered[name] / requests)}`] : []));
    return `<polyline fill="none" stroke="${strokes[name]}" stroke-width="${name === 'foreshadow' ? 2.5 : 1.2}" stroke-dasharray="${dashes[name]}" points="${path.join(' ')}"/>`;
  });
  const first = outages[0]?.t ?? 0;
  const last = outages.at(-1)?.t ?? 0;
  return `<svg viewBox="0 0 ${chartWidth} ${chartHeight + 60}" role="img" aria-label="Coverage over time, one line a policy">${grid()}${lines.join('')}`
    + `<text x="${marginPx}" y="${chartHeight - marginPx + 16}" font-size="12">${day(first)}</text>`
    + `<text x="${chartWidth - marginPx}" y="${chartHeight - marginPx + 16}" font-size="12" text-anchor="end">${day(last)}</text>${legend()}</svg>`
    + `<p><small>Coverage over time${perPoint > 1 ? `, ${perPoint} outages to a point` : ', one point an outage'}.</small></p>`;
}

/** Forecast against frequency, one mark a stratum of the 15-minute horizon, on logarithmic axes from 0.001 to 1. */
function reliabilityChart(summary: BacktestSummary): string {
  const rows = summary.forecasts.rows.filter((row) => row.level === 'site' && row.horizonMin === 15 && row.forecasts >= 100);
  if (rows.length === 0) return '';
  const side = chartHeight - 2 * marginPx;
  const scale = (value: number): number => (Math.log10(Math.max(0.001, value)) + 3) / 3;
  const marks = rows.map((row) => `<circle cx="${(marginPx + scale(row.said) * side).toFixed(1)}" cy="${(chartHeight - marginPx - scale(row.came) * side).toFixed(1)}" r="4" fill="${strokes.foreshadow}"/>`);
  const ticks = [0.001, 0.01, 0.1, 1].map((value) => `<text x="${marginPx + scale(value) * side}" y="${chartHeight - marginPx + 16}" font-size="12" text-anchor="middle">${value}</text>`
    + `<text x="${marginPx - 4}" y="${chartHeight - marginPx - scale(value) * side + 4}" font-size="12" text-anchor="end">${value}</text>`);
  return `<svg style="max-width:${chartHeight}px" viewBox="0 0 ${chartHeight} ${chartHeight}" role="img" aria-label="Said against came true">`
    + `<line x1="${marginPx}" y1="${chartHeight - marginPx}" x2="${marginPx + side}" y2="${marginPx}" stroke="#bbb"/>${ticks.join('')}${marks.join('')}</svg>`
    + '<p><small>Said (across) against came true (up), 15 minutes, logarithmic; on the line is right.</small></p>';
}

function reliabilityTable(summary: BacktestSummary): string {
  const rows = summary.forecasts.rows.filter((row) => row.level === 'site').map((row) => `<tr><td>${row.horizonMin} min</td><td>${row.meanBelow === Infinity ? 'more' : `below ${row.meanBelow}`}</td><td>${count(row.forecasts)}</td>`
    + `<td>${percent(row.said)}</td><td>${percent(row.came)}</td><td>${row.logLoss.toFixed(4)}</td><td>${row.brier.toFixed(4)}</td><td>${row.within.slice(0, 3).map(percent).join(' ')}</td></tr>`);
  return `<table><tr><th>horizon</th><th>expected requests</th><th>forecasts</th><th>said</th><th>came true</th><th>log loss</th><th>Brier</th><th>within q50 q90 q99</th></tr>${rows.join('')}</table>`;
}

function linesList(summary: BacktestSummary): string {
  if (summary.lines.length === 0) return '<p>Every line could be read.</p>';
  return summary.lines.map((line) => `<p>${count(line.count)} ${line.count === 1 ? 'line' : 'lines'} ${text(line.what)}: ${line.skipped ? 'left out' : 'read all the same'}</p><pre>${text(line.examples.join('\n'))}</pre>`).join('');
}

function grid(): string {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => `<line x1="${marginPx}" x2="${chartWidth - marginPx}" y1="${y(share)}" y2="${y(share)}" stroke="#ddd"/>`
    + `<text x="${marginPx - 4}" y="${y(share)}" font-size="12" text-anchor="end" dy="4">${share * 100} %</text>`).join('');
}

function legend(): string {
  return policyNames.map((name, i) => {
    const left = marginPx + (i % 3) * 300;
    const top = chartHeight + 10 + Math.floor(i / 3) * 22;
    return `<line x1="${left}" x2="${left + 24}" y1="${top}" y2="${top}" stroke="${strokes[name]}" stroke-width="2" stroke-dasharray="${dashes[name]}"/><text x="${left + 30}" y="${top + 4}" font-size="12">${text(policyTitles[name])}</text>`;
  }).join('');
}

function y(share: number): string {
  return (chartHeight - marginPx - share * (chartHeight - 2 * marginPx)).toFixed(1);
}

function text(raw: string): string {
  return raw.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

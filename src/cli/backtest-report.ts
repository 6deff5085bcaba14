/**
 * A backtest as one HTML page that needs nothing else, light, dark and on paper: the answer in a sentence, then what it is made of. How coverage went
 * over time and over the day, what was missed and why, how far the forecasts could be trusted, which parts of the engine were let in. Charts are
 * drawn in `backtest-charts.ts`; every number in them is in a table too. Pure.
 */
import { formatDuration } from '../kernel/index.ts';
import { levels, stageNames } from '../predict/index.ts';
import { missReasons, policyNames } from '../predict/backtest/index.ts';
import type { MissReason, PolicyName, ScoreRow, TotalRow } from '../predict/backtest/index.ts';
import { calibrationChart, escaped, intervalChart, lineChart } from './backtest-charts.ts';
import type { Dot, Line, Tick } from './backtest-charts.ts';
import { reportStyle } from './backtest-style.ts';
import { calibrationCases, levelTitles, missTitles, policyTitles, totalTitles } from './backtest-summary.ts';
import type { BacktestSummary, LevelSummary, PolicySummary } from './backtest-summary.ts';

/** More points than this are a thicket; neighbours are added up. */
const pointsMax = 64;
const hourMs = 3_600_000;
/** Where 90 % intervals should be. */
const band = [0.87, 0.93] as const;

const missWords: Readonly<Record<MissReason, string>> = {
  'never-seen': 'Nobody had ever asked for them, so nobody could have copied them but by finding them first (site maps, feeds, links).',
  'seen-once': 'One request in the whole trace before, too little to know more by.',
  burst: 'At least four requests, and five times what was expected.',
  'too-rare': 'Less was expected of them than of anything that was refreshed in the last half hour: a larger budget would have reached them.',
  budget: 'Within reach of the budget, but others were worth more at that moment.',
};

export function backtestReport(summary: BacktestSummary): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Foreshadow backtest</title><style>${reportStyle}</style></head><body>
${[headline(summary), policies(summary), overTime(summary), overTheDay(summary), misses(summary), forecasts(summary), parts(summary), settings(summary)].join('\n')}
</body></html>
`;
}

function headline(summary: BacktestSummary): string {
  const { settings: { outageEveryMs, outageLengthMs, freshForMs, budgetPerMinute }, requests } = summary;
  const own = policyOf(summary, 'foreshadow');
  const passive = policyOf(summary, 'passive');
  const sentence = summary.outages === 0 || !own || !passive
    ? 'No outage could be scored: the trace is shorter than the warm-up.'
    : `Had the origin failed, <b>${whole(own.coverage)}</b> of requests would have been answered by fresh copies; with caching alone, ${whole(passive.coverage)}.`;
  return `<h1>Foreshadow backtest of ${escaped(namesOf(summary.traces))}</h1><p class="headline">${sentence}</p>
<p>The trace was played minute by minute. At ${count(summary.outages)} moments, every ${formatDuration(outageEveryMs)}, the origin is taken to fail for ${formatDuration(outageLengthMs)}. A request is answered freshly when there is a copy of
what it asks for that is at most ${formatDuration(freshForMs)} old. Copies come from requests that pass, and from up to ${plain(budgetPerMinute)} refreshes a minute.</p>
<dl class="facts"><div><dt>requests by people</dt><dd>${count(requests.people)}</dd></div><div><dt>in the outages</dt><dd>${count(summary.requestsInOutages)}</dd></div><div><dt>resources</dt><dd>${count(summary.resources)}</dd></div>
${own?.gapClosed === undefined ? '' : `<div><dt>won of what could be won</dt><dd>${whole(own.gapClosed)}</dd></div>`}${own ? `<div><dt>answered, at any age</dt><dd>${percent(own.answered)}</dd></div>` : ''}</dl>`;
}

function policies(summary: BacktestSummary): string {
  if (summary.outages === 0) return '';
  const bars = summary.policies.map((policy) => `<span class="name${policy.policy === 'foreshadow' ? ' own' : ''}">${escaped(policyTitles[policy.policy])}</span>`
    + `<span class="bar"><i class="passing" style="width:${percent(policy.coverage - policy.coverageByRefresh).replace(' ', '')}"></i><i class="refreshed" style="width:${percent(policy.coverageByRefresh).replace(' ', '')}"></i></span>`
    + `<span class="value${policy.policy === 'foreshadow' ? ' own' : ''}">${percent(policy.coverage)}</span>`);
  const rows = summary.policies.map((policy) => `<tr${policy.policy === 'foreshadow' ? ' class="own"' : ''}><td>${escaped(policyTitles[policy.policy])}</td>`
    + `<td>${percent(policy.coverage)}</td><td>${percent(policy.coverageByRefresh)}</td><td>${percent(policy.coverage - policy.coverageByRefresh)}</td><td>${percent(policy.answered)}</td>`
    + `<td>${policy.ageMin.median} min</td><td>${policy.ageMin.p90} min</td><td>${policy.gapClosed === undefined ? '–' : percent(policy.gapClosed)}</td></tr>`);
  return `<h2>Who would have answered how much</h2>
<p class="soft"><span class="swatch passing"></span>by a copy that a passing request left&ensp; <span class="swatch refreshed"></span>by a copy that was refreshed ahead. Everybody has the same budget.</p>
<div class="bars">${bars.join('')}</div>
<p><small>The last two know the future and could not exist: they show what is left to win. “Won of what could be won” is (policy − caching alone) / (clairvoyant − caching alone).</small></p>
<details><summary>The same in numbers</summary><div class="scroll"><table><tr><th></th><th>fresh copy</th><th>by a refresh</th><th>by a passing request</th><th>copy of any age</th><th>median age</th><th>90 % within</th><th>won of what<br>could be won</th></tr>${rows.join('')}</table></div></details>`;
}

function overTime(summary: BacktestSummary): string {
  const outages = summary.coverageByOutage;
  if (outages.length < 2) return '';
  const perPoint = Math.ceil(outages.length / pointsMax);
  const starts = Array.from({ length: Math.ceil(outages.length / perPoint) }, (_, i) => i * perPoint);
  const ticks: Tick[] = [];
  starts.forEach((from, at) => {
    const day = dayOf(outages[from]?.t ?? 0);
    if (ticks.at(-1)?.text !== day) ticks.push({ at, text: day });
  });
  return `<h2>Coverage over time</h2>${lineChart({ label: 'Share of requests answered by fresh copies over time, one line a policy', lines: linesOf(starts.map((from) => outages.slice(from, from + perPoint))), ticks: ticks.length > 2 ? ticks.slice(1) : ticks })}
${legend(policyNames)}<p><small>${perPoint > 1 ? `${perPoint} outages to a point.` : 'One point an outage.'} Times are UTC.</small></p>`;
}

function overTheDay(summary: BacktestSummary): string {
  const outages = summary.coverageByOutage;
  if (outages.length < 24) return '';
  const byHour = Array.from({ length: 24 }, (_, hour) => outages.filter(({ t }) => Math.floor(t / hourMs) % 24 === hour));
  const weights = byHour.map((some) => some.reduce((sum, { requests }) => sum + requests, 0));
  return `<h2>By hour of the day</h2>${lineChart({ label: 'Share of requests answered by fresh copies by hour of the day', lines: linesOf(byHour), weights, ticks: [0, 3, 6, 9, 12, 15, 18, 21].map((at) => ({ at, text: `${String(at).padStart(2, '0')}:00` })) })}
${legend(policyNames)}<p><small>Grey bars: requests in the outages of that hour (UTC).</small></p>`;
}

/** One line a policy, one point a group of outages. */
function linesOf(groups: readonly (readonly BacktestSummary['coverageByOutage'][number][])[]): Line[] {
  return policyNames.map((of) => ({
    of,
    values: groups.map((some) => {
      const requests = some.reduce((sum, outage) => sum + outage.requests, 0);
      return requests === 0 ? undefined : some.reduce((sum, outage) => sum + outage.covered[of], 0) / requests;
    }),
  }));
}

function misses(summary: BacktestSummary): string {
  const { byReason, most } = summary.misses;
  const missed = missReasons.reduce((sum, why) => sum + byReason[why], 0);
  if (missed === 0) return '';
  const bars = missReasons.map((why) => `<span class="name">${escaped(missTitles[why])}</span><span class="bar"><i class="missed" style="width:${((100 * byReason[why]) / missed).toFixed(1)}%"></i></span><span class="value">${percent(byReason[why] / missed)}</span>`);
  return `<h2>What was missed, and why</h2><p>${count(missed)} requests (${percent(missed / Math.max(1, summary.requestsInOutages))}) had no fresh copy; ${percent((policyOf(summary, 'foreshadow')?.answered ?? 0) - (policyOf(summary, 'foreshadow')?.coverage ?? 0))} of all requests would still have been answered by an older one.</p>
<div class="bars">${bars.join('')}</div>
<details><summary>What the reasons mean</summary>${missReasons.map((why) => `<p><b>${escaped(missTitles[why])}.</b> ${missWords[why]}</p>`).join('')}</details>
<h3>Missed most</h3><div class="scroll"><table><tr><th>resource</th><th>missed</th><th class="words">mostly</th></tr>${most.map(({ resource, missed: requests, why }) => `<tr><td class="path">${escaped(resource)}</td><td>${count(requests)}</td><td class="words">${escaped(missTitles[why])}</td></tr>`).join('')}</table></div>`;
}

function forecasts(summary: BacktestSummary): string {
  const { levels: found, rows } = summary.forecasts;
  if (found.length === 0) return '';
  const judged = rows.filter((row) => row.horizonMin === 15 && row.forecasts >= calibrationCases);
  const strata = [...new Set(judged.map((row) => row.meanBelow))].sort((a, b) => a - b);
  const title = (row: ScoreRow, what: string): string => `${levelTitles[row.level]}, ${below(row.meanBelow)} expected: ${what} (${count(row.forecasts)} forecasts)`;
  const said = judged.map((row): Dot => ({ of: row.level, x: row.said, y: row.came, title: title(row, `said ${percent(row.said)}, came true ${percent(row.came)}`) }));
  const held = judged.map((row): Dot => ({ of: row.level, x: strata.indexOf(row.meanBelow), y: row.within[3], title: title(row, percent(row.within[3])) }));
  return `<h2>How far the forecasts could be trusted</h2>${found.map(levelSentence).join('')}
${judged.length === 0 ? '' : `<ul class="legend"><li><span class="swatch refreshed"></span>${levelTitles.site}</li><li><span class="swatch by-region"></span>${levelTitles.region}</li></ul>
<div class="pair"><div><h3>At least one request in 15 min</h3>${calibrationChart('What was said against what came true', said)}<p><small>On the dashed line is right. One dot a density of demand.</small></p></div>
<div><h3>Counts within their 90 % interval</h3>${intervalChart('Shares of counts within their 90 % interval by density', strata.map((limit) => (limit === Infinity ? '∞' : String(limit))), held, band)}<p><small>The band is 87 to 93 %. Counts astride a limit count in part (Czado, Gneiting &amp; Held 2009).</small></p></div></div>`}
<details><summary>All strata and horizons</summary><div class="scroll"><table><tr><th></th><th>horizon</th><th>expected</th><th>forecasts</th><th>said</th><th>came true</th><th>log loss</th><th>best EWMA</th><th>Brier</th><th>≤ q50</th><th>≤ q90</th><th>≤ q99</th><th>in 90 %</th></tr>${rows.map(forecastRow).join('')}</table></div></details>
${totals(summary)}`;
}

function totals({ totals: rows }: BacktestSummary): string {
  if (rows.length === 0) return '';
  const cells = ({ level, horizonMin, forecasts: of, central90, error, errorOfLast }: TotalRow): string =>
    `<tr><td>${totalTitles[level]}</td>${[`${horizonMin} min`, count(of), percent(central90), percent(error), percent(errorOfLast)].map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  return `<h3>All requests together</h3><p>Requests of the whole site, and of each region forecast as a time series: how often the 90 % interval held the count, and the mean error beside that of repeating the last as many minutes.</p>
<div class="scroll"><table><tr><th></th><th>horizon</th><th>forecasts</th><th>in 90 %</th><th>mean error</th><th>by the last minutes</th></tr>${rows.map(cells).join('')}</table></div>`;
}

function levelSentence(level: LevelSummary): string {
  const best = level.yardsticks.reduce((least, yardstick) => (yardstick.logLoss < least.logLoss ? yardstick : least));
  const comparison = level.belowBest >= 0 ? `${percent(level.belowBest)} below` : `${percent(-level.belowBest)} above`;
  return `<p><b>${levelTitles[level.level][0]?.toUpperCase() ?? ''}${levelTitles[level.level].slice(1)}:</b> log loss of “at least one request in 15 minutes” ${level.logLoss.toFixed(5)}, ${comparison} the best exponentially weighted rate
(${escaped(best.name)}, shrunk: ${best.logLoss.toFixed(5)}), over ${count(level.forecasts)} forecasts of what had been asked for in the day before. Where there are ${calibrationCases} forecasts or more, said and came true differ by ${level.calibrationError.toFixed(3)} at most. 90 % intervals hold ${percent(level.central90)} of the counts.</p>`;
}

function forecastRow(row: ScoreRow): string {
  const cells = [
    `${row.horizonMin} min`, below(row.meanBelow), count(row.forecasts), percent(row.said), percent(row.came), row.logLoss.toFixed(4),
    row.yardsticks.length > 0 ? Math.min(...row.yardsticks).toFixed(4) : '', row.brier.toFixed(4), ...row.within.map((share) => percent(share)),
  ];
  return `<tr><td>${levelTitles[row.level]}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

/** Which parts the gate lets in at which density. */
function parts({ doors, settings: { without }, work }: BacktestSummary): string {
  const left = without.length === 0 ? '' : `<p>Left out of this run: ${without.join(', ')}.</p>`;
  if (doors.length === 0) return left;
  const strata = [...new Set(doors.map(({ meanBelow }) => meanBelow))].sort((a, b) => a - b);
  const rows = stageNames.flatMap((stage) => levels.flatMap((level) => {
    const own = doors.filter((door) => door.stage === stage && door.level === level);
    if (own.length === 0) return [];
    const cells = strata.map((limit) => {
      const door = own.find(({ meanBelow }) => meanBelow === limit);
      if (!door) return '<td class="shut">·</td>';
      return `<td class="${door.open ? 'open' : 'shut'}" title="${door.certainty.toFixed(1)} standard errors">${door.open ? '✓ ' : ''}${signed(door.gain)}</td>`;
    });
    return [`<tr><td>${stage}, ${levelTitles[level].replace('resources ', '')}</td>${cells.join('')}</tr>`];
  }));
  return `<h2>Which parts of the engine were let in</h2>${left}<p>Each part corrects the rates it is given. A gate holds it to what came and lets it in (✓) only at the densities of demand where that was clearly better (bursts, which are rare, wherever it was not clearly worse), as things stood at the end. Columns are densities: requests expected in 15 minutes. Numbers are gains
in log-likelihood a half hour, older ones counting less; a dot means that it had nothing to say.</p>
<div class="scroll"><table class="tight"><tr><th>expected, below</th>${strata.map((limit) => `<th>${limit === Infinity ? '∞' : limit}</th>`).join('')}</tr>${rows.join('')}</table></div>
<p><small>Models were trained ${count(work.begun)} times${work.lost > 0 ? `; ${count(work.lost)} were lost` : ''}.</small></p>`;
}

function settings(summary: BacktestSummary): string {
  const { settings: { warmupMs, warmup, clientsAbovePerDay }, requests, span } = summary;
  const left = clientsAbovePerDay === undefined ? '' : `<p>Without clients of more than ${count(clientsAbovePerDay)} requests a day: ${count(requests.heavyClients)} requests were left out of everything.</p>`;
  const lines = summary.lines.map((line) => `<p>${count(line.count)} ${line.count === 1 ? 'line' : 'lines'} ${escaped(line.what)}: ${line.skipped ? 'left out' : 'read all the same'}.</p><pre>${escaped(line.examples.join('\n'))}</pre>`);
  return `<h2>The trace, and what counts</h2><p>${escaped(summary.traces.map((path) => path.split('/').at(-1) ?? path).join(', '))}; ${minuteOf(span.fromMs)} to ${minuteOf(span.toMs)} UTC. The first ${formatDuration(warmupMs)} (${escaped(warmup)}) are for learning and are not scored.</p>
<p>${count(requests.scorable)} requests count: GET and HEAD by people, answered well. ${count(requests.crawlers)} requests by crawlers do not, but they leave copies; ${count(requests.errorsAndOtherMethods)} were errors or of other methods. ${count(summary.refreshes)} refreshes were spent.
How pages differ by visitor is not in a trace: each resource counts as one copy.</p>${left}${lines.length === 0 ? '<p>Every line could be read.</p>' : lines.join('')}`;
}

function legend(names: readonly PolicyName[]): string {
  return `<ul class="legend">${names.map((name) => `<li><svg viewBox="0 0 28 10" aria-hidden="true"><path class="line ${name}" d="M1 5L27 5"/></svg>${escaped(policyTitles[name])}</li>`).join('')}</ul>`;
}

function policyOf(summary: BacktestSummary, name: PolicyName): PolicySummary | undefined {
  return summary.policies.find(({ policy }) => policy === name);
}

function namesOf(traces: readonly string[]): string {
  const first = traces[0]?.split('/').at(-1) ?? '';
  return traces.length > 1 ? `${traces.length} files from ${first}` : first;
}

function below(limit: number): string {
  return limit === Infinity ? 'more' : `below ${limit}`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(Math.abs(value) < 10 ? 1 : 0)}`;
}

function whole(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function plain(value: number): string {
  return String(Number(value.toFixed(2)));
}

function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(5, 10);
}

function minuteOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

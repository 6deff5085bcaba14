/**
 * `GET /` of the admin listener: a small page for people who open it in a browser, with the numbers they want first. No scripts and nothing
 * from elsewhere; it loads itself anew. Every value that comes from outside goes through `html`, which escapes it.
 */
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { formatDuration, formatSize } from '../kernel/index.ts';
import type { RegionStatus, Status } from './status.ts';

type Markup = ReturnType<typeof html>;

const refreshS = 2;
/** Without word from the edge for so long, its numbers are said to be old. Edges report every second. */
const silentMs = 10_000;

const style = `
:root { color-scheme: light dark; --soft: light-dark(#5b6470, #9aa4b1); --line: light-dark(#d9dee5, #343b45); --card: light-dark(#f5f7f9, #1b2027);
  --good: light-dark(#0a7a3d, #4cc38a); --bad: light-dark(#b42318, #ff8f84); --warn: light-dark(#9a5b00, #f0b65a); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; background: light-dark(#fff, #12161b); color: light-dark(#1a2029, #e6eaf0); }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1rem; margin: 2rem 0 .5rem; } p { margin: .2rem 0; } small, .soft { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: .8rem; margin: 1.5rem 0; }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem 1rem; }
.cards b { display: block; font-size: 1.6rem; line-height: 1.3; } .good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } th { font-weight: 600; color: var(--soft); }
td.n, th.n { text-align: right; }
`;

/** Nothing may be loaded or run but the style above. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
};

export function renderPage(status: Status): Markup {
  const { site, version, roles } = status;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="${refreshS}"><meta name="viewport" content="width=device-width">
<title>${site}: ${status.origin?.view.state ?? 'no word yet'} - Foreshadow</title><style>${raw(style)}</style></head><body>
<h1>Foreshadow protects ${site}</h1>
<p class="soft">It keeps copies of what visitors will ask for, and answers with them while the origin is slow, failing or gone. This page shows how that goes, every ${refreshS} seconds.</p>
${edgeNote(status)}
<div class="cards">${originCard(status)}${coverageCards(status)}</div>
<h2>Answers to visitors</h2>
<div class="wide">${regionTable(status.regions)}</div>
<h2>How copies are made and kept</h2>
<table>${facts(status).map(([name, text]) => html`<tr><th scope="row">${name}</th><td>${text}</td></tr>`)}</table>
<p><small>Foreshadow ${version} (${roles.join(', ')}), up ${formatDuration(status.uptimeS * 1000)}. For programs: <a href="/api/v1/status">/api/v1/status</a>, <a href="/metrics">/metrics</a></small></p>
</body></html>
`;
}

function edgeNote(status: Status): Markup | '' {
  if (!status.edge) return html`<p class="warn">No edge has reported yet.</p>`;
  const silent = nowMs(status) - status.edge.reportedAtMs;
  return silent < silentMs ? '' : html`<p class="bad">No edge has reported for ${formatDuration(silent)}; its numbers below are old.</p>`;
}

const stateClass = { healthy: 'good', strained: 'warn', recovering: 'warn', failing: 'bad', down: 'bad' } as const;

function originCard(status: Status): Markup {
  if (!status.origin) return card('Origin', 'not known yet', 'no edge has reported');
  const { view, latencyP95Ms, requestsPerSecond } = status.origin;
  const latency = latencyP95Ms === undefined ? '' : `, p95 ${formatDuration(Math.round(latencyP95Ms))}`;
  return html`${card('Origin', view.state, `for ${formatDuration(Math.max(0, nowMs(status) - view.sinceMs))}${view.because === '' ? '' : `: ${view.because}`}`, stateClass[view.state])}
${card('Traffic that goes to copies', percent(view.share), `of what can; the origin gets ${round(requestsPerSecond)} requests/s${latency}`, view.share > 0 ? 'warn' : undefined)}`;
}

function coverageCards({ coverage }: Status): Markup {
  const { any, fresh, horizonMin, freshForMs, demandPerMinute } = coverage;
  if (any === undefined || fresh === undefined) return card('Covered if the origin fails', 'nothing to cover', `no requests are expected in the next ${horizonMin} min`);
  return html`${card('Covered if the origin fails', percent(any), `of the next ${horizonMin} min's requests (${round(demandPerMinute)}/min) have a copy`, any >= 0.9 ? 'good' : 'warn')}
${card('Covered by young copies', percent(fresh), `have one of at most ${formatDuration(freshForMs)}`)}`;
}

function card(name: string, value: string, note: string, tone?: string): Markup {
  return html`<div>${name}<b class="${tone ?? ''}">${value}</b><small>${note}</small></div>`;
}

function regionTable(regions: readonly RegionStatus[]): Markup {
  if (regions.length === 0) return html`<p class="soft">none yet</p>`;
  const rows = regions.flatMap((region) => {
    const answers = region.answers.toSorted((a, b) => b.count - a.count);
    const total = answers.reduce((sum, { count }) => sum + count, 0);
    return [
      html`<tr><td><b>${region.name}</b> <span class="soft">${region.listen}</span></td><td>all</td><td></td><td class="n"><b>${total}</b></td></tr>`,
      ...answers.map(({ source, reason, count }) => html`<tr><td></td><td>${source}</td><td>${reason}</td><td class="n">${count}</td></tr>`),
      ...(region.failed > 0 ? [html`<tr><td></td><td colspan="2" class="bad">of these, errors Foreshadow had to give</td><td class="n bad">${region.failed}</td></tr>`] : []),
    ];
  });
  return html`<table><tr><th>Region</th><th>Answered from</th><th>Reason</th><th class="n">Answers</th></tr>${rows}</table>`;
}

function facts({ catalog, generator, store, edge }: Status): readonly (readonly [string, string])[] {
  const { budget, fetched, admitted, freshened, refused, plan } = generator;
  const pace = budget.pause === undefined ? `may make ${round(budget.ratePerSecond)} of at most ${round(budget.limitPerSecond)} fetches/s` : `rests: ${budget.pause}`;
  const bad = store.volumes.filter(({ state }) => state !== 'ok').map(({ path, state, error }) => `${path} ${state}${error === undefined ? '' : `: ${error}`}`);
  const sick = generator.feeds.filter((feed) => feed.state !== 'ok').map(({ key, error }) => `${key}${error === undefined ? ' never heard' : `: ${error}`}`);
  const [worst] = generator.fidelity.routes;
  return [
    ['Catalog', `version ${catalog.version}, ${catalog.records} copies, ${formatSize(catalog.bytes)}${edge ? `; edge has version ${edge.local.appliedVersion}` : ''}`],
    ['Generator', `${pace}; ${fetched} fetches so far${plan ? `, ${plan.items} planned now` : ''}`],
    ['Copies made', `${admitted.capture} from answers that passed by, ${admitted.generate} fetched; renewed ${freshened.capture} and ${freshened.generate} times`],
    ['Not kept', Object.entries(refused).map(([reason, count]) => `${reason} ${count}`).join(', ') || 'nothing refused'],
    ...(generator.feeds.length === 0 ? [] : [['Feeds', `${generator.feeds.length - sick.length} of ${generator.feeds.length} ok, ${generator.fillings.fillings} fillings of slots${sick.length === 0 ? '' : ` (${sick.join('; ')})`}`] as const]),
    ...(worst ? [['True to the live pages', `${percent(worst.score)} on ${worst.match}, the least true route`] as const] : []),
    ['Store', `${store.blobs} bodies, ${formatSize(store.bytes)}; ${store.volumes.length - bad.length} of ${store.volumes.length} volumes ok${bad.length === 0 ? '' : ` (${bad.join('; ')})`}`],
  ];
}

/** The status carries no time of its own making, but these two say it to the second. */
function nowMs({ startedAtMs, uptimeS }: Status): number {
  return startedAtMs + uptimeS * 1000;
}

function percent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(1))}%`;
}

function round(value: number): string {
  return String(Number(value.toFixed(value < 10 ? 1 : 0)));
}

/** The demo's words and its live table, as text. Pure. */
import type { RegionTally } from './demo-tally.ts';
import { sources } from './demo-tally.ts';

export interface DemoState {
  readonly regions: readonly RegionTally[];
  readonly elapsedMs: number;
  /** What the person (or the script) has done to the shop. */
  readonly shop: string;
  readonly seen: Seen | undefined;
  /** What was last wrong, as a sentence. */
  readonly lastWrong: string | undefined;
}

/** What Foreshadow makes of the shop, as its status says. */
export interface Seen {
  readonly state: string;
  /** Of the visitors, the part that shadows answer. */
  readonly share: number;
  /** How many copies it has prepared. */
  readonly shadows: number;
  readonly feeds: { readonly all: number; readonly well: number; /** The first that is not, and why. */ readonly sick: string | undefined };
}

export interface DemoPlaces { readonly regions: readonly { readonly name: string; readonly url: string }[]; readonly admin: string; readonly shop: string }

export const keysLine = 'keys   k kill the shop   h hang it   s slow it (3 s)   e 500s   r bring it back   f take its live data away, or bring it back   q quit';

export function introduction(places: DemoPlaces, withKeys: boolean): string {
  const shop = places.regions[0]?.url ?? '';
  return `
Foreshadow protects a small shop in three regions. Visitors in several devices, languages and segments are on their way.

Open
${places.regions.map(({ name, url }) => `  ${name.padEnd(9)} ${url}`).join('\n')}
  status    ${places.admin}/
  metrics   ${places.admin}/metrics
  the shop itself, unprotected   ${places.shop}

Try
  wait until the number of shadows grows no more: then every page is ready, in all its variations
  ${withKeys ? 'press k: the shop is killed' : 'kill the shop (examples/shop/server.ts)'}; reload any page of a region, and open the unprotected one beside it
  open ${shop}/products/floor-lamp meanwhile, and watch its price and stock move although the shop is dead
  look at goods of one kind, then reload: what you may also like follows; change the segment at the foot of a page, or your browser's language
  ${withKeys ? 'press f: live data goes as well' : 'kill the feeds (examples/shop/feeds.ts)'}; after a minute or two pages say what they don't know instead of guessing
  curl -si ${shop}/products/floor-lamp | grep -iE '^(foreshadow|cache-status|age)'
  npx foreshadow shadows ls /products/floor-lamp --api ${places.admin}

`;
}

const columns = ['region', 'visits/s', ...sources, 'failed', 'wrong', 'refused', 'p99'] as const;
const widths = [10, 9, 9, 9, 9, 9, 8, 7, 9, 9] as const;

function row(cells: readonly string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[at] ?? 9))).join('').trimEnd();
}

/** The live table: rates of the last seconds, counts of everything that went wrong. */
export function table(state: DemoState): string {
  const rows = state.regions.map(({ region, recent, failed, wrong, refused }) => row([
    region, recent.perSecond.toFixed(1),
    ...sources.map((source) => (recent.perSecond * share(recent.bySource[source], recent.bySource)).toFixed(1)),
    String(failed), String(wrong), String(refused), `${recent.p99Ms.toFixed(0)} ms`,
  ]));
  return [
    `${clock(state.elapsedMs)}   shop ${state.shop}   Foreshadow sees it ${seenWords(state)}`,
    `        live data: ${feedWords(state)}`,
    '',
    row(columns),
    ...rows,
    '',
    'Answers a second, by who gave them. p99: of pages, over 5 s.',
    'failed: a page that should have come did not. refused: carts and accounts while the shop is away.',
    'wrong: made for somebody else, or a price, stock or list that did not hold at that time.',
    ...(state.lastWrong === undefined ? [] : [`last wrong: ${state.lastWrong}`]),
  ].join('\n');
}

/** The same on one line, for logs. */
export function line(state: DemoState): string {
  const regions = state.regions.map(({ region, bySource, failed, wrong, refused, recent }) =>
    `${region} ${sources.map((source) => `${source} ${bySource[source]}`).join(' ')} failed ${failed} wrong ${wrong} refused ${refused} p99 ${recent.p99Ms.toFixed(0)} ms`);
  return `${clock(state.elapsedMs)} shop ${state.shop}, seen ${seenWords(state)}, live data: ${feedWords(state)} | ${regions.join(' | ')}`;
}

/** What is printed last. */
export function verdict(regions: readonly RegionTally[], lastWrong?: string): string {
  const sum = (pick: (tally: RegionTally) => number): number => regions.reduce((total, tally) => total + pick(tally), 0);
  const parts = sources.map((source) => `${sum((tally) => tally.bySource[source])} from ${source === 'none' ? 'nobody' : source}`);
  return `${sum((tally) => tally.visits)} answers: ${parts.join(', ')}; ${sum((tally) => tally.failed)} failed, ${sum((tally) => tally.wrong)} wrong, ${sum((tally) => tally.refused)} carts and accounts refused${lastWrong === undefined ? '' : `; the last wrong: ${lastWrong}`}`;
}

function seenWords({ seen }: DemoState): string {
  return seen === undefined ? 'unknown' : `${seen.state}, ${Math.round(seen.share * 100)} % to shadows, ${seen.shadows} shadows ready`;
}

function feedWords({ seen }: DemoState): string {
  if (seen === undefined) return 'unknown';
  const { all, well, sick } = seen.feeds;
  return `${well === all ? 'all' : `${well} of`} ${all} feeds well${sick === undefined ? '' : ` (${sick})`}`;
}

function share(part: number, bySource: RegionTally['bySource']): number {
  const all = sources.reduce((total, source) => total + bySource[source], 0);
  return all === 0 ? 0 : part / all;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

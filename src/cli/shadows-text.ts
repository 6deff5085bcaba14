/** Shadows, versions, differences and orders as people read them on a terminal. Pure. */
import { formatDuration, formatSize } from '../kernel/index.ts';
import type { Detail, Diff, List, Order, Versions } from './shadow-schemas.ts';
import { table } from './text-table.ts';

const listedMax = 200;

export function renderList(list: List): string {
  if (list.items.length === 0) return `no shadows here; there are ${list.resources} in version ${list.version}\n`;
  const rows = list.items.map((item) => [
    item.resource, String(item.variations), formatSize(item.bytes), age(item.newestAgeS), age(item.oldestAgeS), item.madeBy.join('+'), `v${item.version}`, perMinute(item.perMinute), item.slots.join(' '), item.tags.slice(0, 4).join(' '),
  ]);
  const more = list.nextCursor === undefined ? '' : `\nmore: --cursor ${list.nextCursor}`;
  return `${table(['resource', 'variations', 'size', 'youngest', 'oldest', 'made by', 'version', 'asked for', 'slots', 'tags'], rows, [1, 2, 3, 4, 6, 7])}\n${list.items.length} of ${list.resources} resources, catalog version ${list.version}${more}\n`;
}

export function renderDetail(detail: Detail): string {
  const lines = [
    `${detail.resource}${detail.route === undefined ? '' : `  (route ${detail.route})`}`,
    `asked for ${perMinute(detail.perMinute)}${detail.heldUntilMs === undefined ? '' : `; held as it is until ${time(detail.heldUntilMs)}`}`,
  ];
  for (const copy of detail.copies.slice(0, listedMax)) {
    const varied = Object.entries(copy.vary).map(([name, value]) => `${name}: ${value}`).join(', ');
    lines.push(
      '',
      `${copy.variation === '' ? 'the only variation' : copy.variation}${varied === '' ? '' : ` (${varied})`}`,
      `  ${copy.status}, ${formatSize(copy.bytes)}, ${age(copy.ageS)} old, made by ${copy.madeBy}, version ${copy.version === 0 ? 'not yet published' : copy.version}`,
      `  sha256 ${copy.body.slice(0, 16)}…${copy.codings.length === 0 ? '' : `, also ${copy.codings.map(({ coding, bytes }) => `${coding} ${formatSize(bytes)}`).join(', ')}`}`,
      ...(copy.tags.length === 0 ? [] : [`  tags ${copy.tags.join(' ')}`]),
      ...copy.slots.map(slotLine),
    );
  }
  const [first] = detail.copies;
  if (first && detail.copies.length === 1) lines.push('', ...first.headers.map(([name, value]) => `  ${name}: ${value}`));
  if (detail.copies.length > listedMax) lines.push('', `and ${detail.copies.length - listedMax} more`);
  return `${lines.join('\n')}\n`;
}

function slotLine(slot: Detail['copies'][number]['slots'][number]): string {
  const heard = slot.heardAgeS === undefined ? 'never heard' : `heard ${age(slot.heardAgeS)} ago`;
  const [text = ''] = slot.texts;
  const versions = slot.texts.length > 1 ? `${slot.texts.length} versions, the first ` : '';
  const shown = slot.state === 'live' ? `${versions}${quote(text)}` : slot.state === 'too-old' ? `too old: ${slot.fallback === undefined ? 'the origin\'s own content' : quote(slot.fallback)}` : 'no filling: the origin\'s own content';
  return `  slot ${slot.slot}: ${shown} (feed ${slot.feed}, ${heard}, at most ${age(slot.maxAgeS)})`;
}

export function renderVersions({ versions }: Versions): string {
  if (versions.length === 0) return 'no versions are kept\n';
  const rows = versions.map(({ version, publishedAtMs, put, remove, records }) => [`v${version}`, time(publishedAtMs), `+${put}`, `-${remove}`, String(records)]);
  return `${table(['version', 'published', 'put', 'removed', 'copies'], rows, [0, 2, 3, 4])}\n`;
}

const signs: Readonly<Record<string, string>> = { added: '+', removed: '-', changed: '~', renewed: '=' };

export function renderDiff(diff: Diff): string {
  const rows = diff.changes.filter(({ change }) => change !== 'renewed').slice(0, listedMax).map((change) => [
    signs[change.change] ?? '?', change.resource, change.variation, sizes(change.bytesBefore, change.bytesAfter),
    change.statusBefore === change.statusAfter || change.statusBefore === undefined || change.statusAfter === undefined ? '' : `${change.statusBefore} -> ${change.statusAfter}`,
  ]);
  const counts = Object.entries(diff.counts).map(([change, count]) => `${count} ${change}`).join(', ');
  const head = `version ${diff.from} -> ${diff.to}: ${counts === '' ? 'nothing' : counts}; ${diff.fillingsChanged} slot fillings changed\n`;
  return rows.length === 0 ? head : `${head}${table(['', 'resource', 'variation', 'size', 'status'], rows, [])}\n`;
}

export function renderOrder(order: Order): string {
  const what = `${order.resources} ${order.resources === 1 ? 'resource' : 'resources'}, ${order.copies} ${order.copies === 1 ? 'copy' : 'copies'}`;
  const examples = order.examples.map((name) => `  ${name}\n`).join('');
  const more = order.resources > order.examples.length ? `  and ${order.resources - order.examples.length} more\n` : '';
  return order.dryRun ? `would be hit: ${what}\n${examples}${more}` : `done, in force with version ${order.version}: ${what}\n`;
}

function sizes(before: number | undefined, after: number | undefined): string {
  if (before === undefined || after === undefined || before === after) return formatSize(after ?? before ?? 0);
  return `${formatSize(before)} -> ${formatSize(after)}`;
}

function age(seconds: number): string {
  return formatDuration(seconds * 1000);
}

function perMinute(rate: number): string {
  return rate === 0 ? '-' : `${Number(rate.toFixed(rate < 10 ? 2 : 0))}/min`;
}

function time(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
}

function quote(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 79)}…` : line);
}

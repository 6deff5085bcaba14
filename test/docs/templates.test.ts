import { expect, test } from 'bun:test';
import type { FeedKey, Filling } from '../../src/compose/index.ts';
import { compileSlots } from '../../src/compose/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { FillingDesk } from '../../src/generate/slots/filling-desk.ts';
import { Recipe } from '../../src/generate/slots/recipe.ts';
import { templateCheck } from '../../src/generate/slots/index.ts';
import { Sandbox } from '../../src/generate/slots/sandbox.ts';
import { Templates } from '../../src/generate/slots/templates.ts';
import { systemClock, type ResourceKey } from '../../src/kernel/index.ts';
import { tableRows } from '../../tools/catalogues.ts';
import { readText } from '../../tools/sources.ts';

const page = readText('docs/templates.md');
const blocks = new Map([...page.matchAll(/^```(\w+) (\S+)\n(.*?)^```$/gms)].map(([, , name = '', text = '']) => [name, text]));
const plain = (text: string): string => text.replaceAll('\\|', '|').replaceAll(/[\u00a0\u202f]/g, ' ').replaceAll(/^`|`$/g, '').trim();

/** Rows of the table whose head names these columns. */
function table(...head: readonly string[]): string[][] {
  const from = page.indexOf(`| ${head.join(' | ')} |`);
  expect([head, from >= 0]).toEqual([head, true]);
  return tableRows(page.slice(from).split('\n\n', 1)[0] ?? '').map((cells) => cells.map(plain));
}

test('the worked example of docs/templates.md makes the fillings it says', () => {
  const loaded = loadConfig({ text: blocks.get('config') ?? '', env: {}, readFile: (path) => blocks.get(path)?.trim() ?? '', checkTemplate: templateCheck() });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { routes, feeds, dimensions } = loaded.config;
  const templates = new Templates();
  const recipes = new Map(routes.map((route) => [route.match.replace(':id', ''), compileSlots(route, feeds).map((slot) => new Recipe(slot, dimensions, templates))]));
  const made = new Map<string, Filling>();
  const desk = new FillingDesk({
    clock: systemClock, saidMs: () => undefined, shares: () => [], unfill: () => undefined,
    valueOf: (feed) => (blocks.has(feed) ? { document: JSON.parse(blocks.get(feed) ?? ''), valueTimeMs: 1, heardMs: 1 } : undefined),
    recipesOf: (resource) => [...recipes].find(([prefix]) => resource.startsWith(prefix))?.[1] ?? [],
    publish: (filling) => { made.set(filling.id, filling); },
  }, []);
  for (const path of ['/products/7', '/products/8', '/api/products/7', '/api/stock.json']) desk.want(path as ResourceKey); // spelled as resourceKey would
  while (desk.work());
  const rows = table('filling', 'shows');
  expect(rows.length).toBe(9);
  for (const [id = '', text] of rows) expect([id, made.get(id)?.versions.map((version) => plain(version.text))]).toEqual([id, expect.arrayContaining([text])]);
  expect(made.get('/products/:id#recs?audience=vip')?.versions.map(({ profile }) => [...profile ?? []][0]?.[0])).toEqual(['books', 'garden']);
  expect([made.get('/products/:id#stock?id=8&language=de')?.fallback, made.get('/products/:id#price?id=8&language=de')?.fallback]).toEqual(['ask us', undefined]);
  expect([...new Set([...made.values()].map(({ feed }) => feed))].sort()).toEqual(['prices', 'recs?audience=vip'] as FeedKey[]); // of vip alone the page tells what the feed says
});

test('the filters of docs/templates.md write what it says', () => {
  const rows = table('template', 'value', 'en', 'de');
  expect(rows.length).toBeGreaterThan(10);
  for (const [template = '', json = '', ...shown] of rows) {
    const value: unknown = JSON.parse(json);
    const texts = ['en', 'de'].map((language) => {
      const rendered = new Templates().compile(template, 'html').render({ value }, language);
      return rendered.ok ? plain(rendered.text) : rendered.message;
    });
    expect([template, ...texts]).toEqual([template, ...shown]);
  }
});

test('what docs/templates.md says is refused is refused, with these words; what it offers in place is not', () => {
  const problem = templateCheck();
  const around = { place: 'html', names: ['id'], fallback: false } as const;
  for (const [template = '', why = ''] of table('template', 'is refused because it')) expect([template, problem(template, around)]).toEqual([template, expect.stringContaining(why)]);
  for (const harmless of ['<script>var price = {{ value | json | raw }}</script>', '<b onclick="show({{ value | json }})">']) expect([page.includes(`\`${harmless}\``), problem(harmless, around)]).toEqual([true, undefined]);
});

test('docs/templates.md lists every filter there is', () => {
  const section = page.slice(page.indexOf('### Filters'), page.indexOf('### Bounds'));
  const listed = new Set([...section.matchAll(/`([a-z_]+)`|\\\| ([a-z_]+)/g)].flatMap(([, word = '', filter = '']) => [word, filter]));
  expect(new Sandbox('html').filters.filter((name) => !listed.has(name))).toEqual([]);
});

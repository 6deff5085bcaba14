import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { chooseFilling, compileSlots, heldKey, type FeedKey, type Filling, type FillingId } from '../../compose/index.ts';
import { plainRoute } from '../../config/index.ts';
import type { DimensionConfig, FeedConfig, SlotConfig } from '../../config/types.ts';
import { ManualClock, type ResourceKey, type VariationKey } from '../../kernel/index.ts';
import type { FeedValue } from '../feeds/index.ts';
import { FeedValues } from '../../predict/values/index.ts';
import type { VariationShare } from '../site.ts';
import { pageFillingsMax } from './choose-points.ts';
import { FillingDesk } from './filling-desk.ts';
import { failuresOf, preparedPerSecondMax } from './filling-maker.ts';
import { preparedMax } from './prepared.ts';
import { Recipe } from './recipe.ts';
import { Templates } from './templates.ts';

const key = (text: string): ResourceKey => text as ResourceKey; // spelled as resourceKey would
const dimension = (name: string, values: readonly string[], from: DimensionConfig['from'] = { kind: 'cookie', name }): DimensionConfig => ({ name, from, values, fallback: values[0] ?? '', exact: true, match: 'value', obtain: {} });
const language = dimension('language', ['en', 'de', 'pt'], { kind: 'acceptLanguage' });
const audience = dimension('audience', ['new', 'vip']);

function feed(name: string, dimensions: readonly string[] = []): FeedConfig {
  return { name, source: { kind: 'poll', url: 'http://127.0.0.1:1/', everyMs: 1000 }, dimensions, maxAgeMs: 60_000, headers: {}, schema: undefined };
}

const slot = (facts: Partial<SlotConfig>): SlotConfig => ({
  name: 'price', place: { kind: 'element', select: '#price' }, feed: 'prices', value: '/{id}', template: undefined, variations: 1,
  fallback: { kind: 'origin' }, params: ['id'], dimensions: [], profile: undefined, ...facts,
});

interface Facts { slots?: readonly SlotConfig[]; feeds?: readonly FeedConfig[]; dimensions?: readonly DimensionConfig[]; known?: readonly Filling[]; fillingsMax?: number; shares?: readonly VariationShare[] }

function openDesk(facts: Facts = {}) {
  const clock = new ManualClock();
  const values = new Map<string, FeedValue>();
  const published = new Map<string, Filling>(facts.known?.map((filling) => [filling.id, filling]));
  const handed: Filling[] = [];
  const said = new Map<string, number>();
  const templates = new Templates();
  const compile = (slots: readonly SlotConfig[]): readonly Recipe[] =>
    compileSlots({ match: '/products/:id', slots }, facts.feeds ?? [feed('prices'), feed('recs', ['audience'])]).map((compiled) => new Recipe(compiled, facts.dimensions ?? [language, audience], templates));
  let recipes = compile(facts.slots ?? [slot({})]);
  const desk = new FillingDesk({
    clock, valueOf: (feedKey) => values.get(feedKey), saidMs: (feedKey) => said.get(feedKey), values: new FeedValues(), shares: () => facts.shares ?? [], fillingsMax: facts.fillingsMax,
    recipesOf: (resource) => (resource.includes('/products/') ? recipes : []),
    publish(filling) {
      handed.push(filling);
      published.set(filling.id, filling);
    },
    unfill: (id) => { published.delete(id); },
  }, facts.known ?? []);
  const settle = (): void => { while (desk.work()); };
  return {
    clock, desk, values, published, handed, said, settle,
    /** What the feed says from now on. */
    say: (name: string, document: unknown): void => {
      values.set(name, { document, valueTimeMs: clock.nowMs(), heardMs: clock.nowMs() });
      desk.feedChanged(name as FeedKey); // spelled as feedKey would
      settle();
    },
    want: (...paths: readonly string[]): void => {
      for (const path of paths) desk.want(key(path));
      settle();
    },
    configure: (slots: readonly SlotConfig[]): void => {
      recipes = compile(slots);
      desk.reconsider();
      settle();
    },
    texts: (): Record<string, unknown> => Object.fromEntries([...published.values()].map(({ id, versions, fallback }) => [id.replace('/products/:id#', ''), versions.length === 0 ? { fallback } : versions.map(({ text }) => text).join('|')])),
  };
}

test('what a page shows is made when the page is wanted, shared by all that show it, and taken back with the last of them', () => {
  const { want, say, texts, desk, handed } = openDesk();
  say('prices', { 1: 10, 2: 20 });
  want('/products/1', '/products/1?page=2', '//a.example/products/2', '/other');
  expect(texts()).toEqual({ 'price?id=1': '10', 'price?id=2': '20' });
  desk.unwant(key('/products/1'));
  desk.unwant(key('/other'));
  expect(Object.keys(texts())).toEqual(['price?id=1', 'price?id=2']);
  desk.unwant(key('/products/1?page=2'));
  expect(texts()).toEqual({ 'price?id=2': '20' });
  expect([desk.size, desk.resources, handed.length]).toEqual([1, 1, 2]);
});

test('only what really changed is rendered and handed over', () => {
  const { want, say, texts, desk, handed } = openDesk({ slots: [slot({ template: '{{ value.amount | round }}' })] });
  const document = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [i, { amount: i, currency: 'EUR' }]));
  say('prices', document);
  want(...Array.from({ length: 100 }, (_, i) => `/products/${i}`));
  expect([desk.maker.rendered, handed.length]).toEqual([100, 100]);
  say('prices', { ...structuredClone(document), 7: { currency: 'EUR', amount: 7 }, 8: { amount: 8.2, currency: 'EUR' }, 9: { amount: 99, currency: 'EUR' } });
  // 7 says the same in another order; 8 is another value that looks the same; 9 is seen to change.
  expect([desk.maker.rendered, desk.maker.untouched, handed.length, texts()['price?id=9']]).toEqual([102, 98, 101, '99']);
});

test('a template that reads the whole document is rendered again with each', () => {
  const { want, say, texts } = openDesk({ slots: [slot({ template: '{{ value }} of {{ feed.total }}' })] });
  want('/products/1');
  say('prices', { 1: 10, total: 5 });
  say('prices', { 1: 10, total: 6 });
  expect(texts()).toEqual({ 'price?id=1': '10 of 6' });
});

test('each point of the dimensions has its own, in its own language, from its own instance of the feed', () => {
  const slots = [slot({ name: 'recs', feed: 'recs', value: '/price', template: "{{ value | money: 'EUR' }} for {{ audience }} {{ id }}", dimensions: ['language', 'audience'] })];
  const { want, say, texts } = openDesk({ slots });
  want('/products/a%20b');
  say('recs?audience=new', { price: 1.5 });
  say('recs?audience=vip', { price: 2.5 });
  expect(texts()).toEqual({
    'recs?id=a%20b&language=en&audience=new': '€1.50 for new a b', 'recs?id=a%20b&language=de&audience=new': '1,50\u00a0€ for new a b', 'recs?id=a%20b&language=pt&audience=new': '€\u00a01,50 for new a b',
    'recs?id=a%20b&language=en&audience=vip': '€2.50 for vip a b', 'recs?id=a%20b&language=de&audience=vip': '2,50\u00a0€ for vip a b', 'recs?id=a%20b&language=pt&audience=vip': '€\u00a02,50 for vip a b',
  });
});

test('versions carry their profiles, and are refused when there are too many or none', () => {
  const slots = [slot({ value: '', params: [], template: '{{ index }}{{ value.title }}', variations: 3, profile: 'interests' })];
  const { want, say, published, desk, texts } = openDesk({ slots });
  want('/products/1');
  say('prices', [{ title: 'a', profile: { books: 0.5, garden: 1 } }, { title: 'b', vector: [0, 2] }, { title: 'c' }]);
  expect([...published.values()].map(({ versions }) => versions.map(({ text, profile }) => [text, profile && [...profile]]))).toEqual([[
    ['0a', [['books', 0.5], ['garden', 1]]], ['1b', [['0', 0], ['1', 1]]], ['2c', undefined],
  ]]);
  say('prices', { x: { title: 'x' }, y: { title: 'y' } });
  expect(texts()).toEqual({ price: '0x|1y' });
  for (const [document, trouble] of [[[1, 2, 3, 4].map((title) => ({ title })), 'too-many-versions'], [[], 'missing-value'], ['text', 'wrong-kind'], [[{ title: 'ok' }, { name: 'no title' }], 'template-error']] as const) {
    say('prices', document);
    expect([failuresOf(desk.maker.failing, 9).map((failure) => failure.trouble), texts()]).toEqual([[trouble], { price: '0x|1y' }]);
  }
});

test('what can not be rendered leaves the last good filling, which ends when its value would have; and says so', () => {
  const { want, say, said, clock, desk, published, texts } = openDesk({ slots: [slot({ template: "{{ value.amount | money: 'EUR' }}", fallback: { kind: 'template', template: 'ask us about {{ id }}' } })] });
  want('/products/1');
  expect(texts()).toEqual({ 'price?id=1': { fallback: 'ask us about 1' } });
  say('prices', { 1: { amount: 3 } });
  const goodMs = clock.nowMs() + 20_000;
  clock.advance(20_000);
  said.set('prices', goodMs);
  clock.advance(5000);
  say('prices', { 1: { amount: 'free' } });
  const held = published.get('/products/:id#price?id=1');
  expect(texts()).toEqual({ 'price?id=1': '€3.00' });
  expect(failuresOf(desk.maker.failing, 1)).toEqual([{ id: '/products/:id#price?id=1' as FillingId, slot: 'price', feed: 'prices' as FeedKey, trouble: 'template-error', message: expect.stringContaining('"free" is not a number (line 1') }]);
  // However long the feed goes on being heard: what was good is shown for maxAge from when it was last known to be.
  expect([held?.feed, chooseFilling(held, undefined, undefined, goodMs + 59_999).kind, chooseFilling(held, undefined, undefined, goodMs + 60_000)]).toEqual([heldKey('prices' as FeedKey), 'version', { kind: 'fallback', text: 'ask us about 1' }]);
  clock.advance(1000);
  say('prices', { 2: 1 });
  expect([published.get('/products/:id#price?id=1'), desk.maker.troubles]).toEqual([held, { 'template-error': 1, 'missing-value': 1 }]);
  say('prices', { 1: { amount: 3 } });
  expect([published.get('/products/:id#price?id=1')?.feed, desk.maker.failing.size]).toEqual(['prices' as FeedKey, 0]);
});

test('what an earlier run published is taken over, and given back where nobody wants it', () => {
  const filling = (id: string, text: string): Filling => ({ id: id as FillingId, feed: 'prices' as FeedKey, maxAgeMs: 60_000, valueTimeMs: 1, versions: [{ text, profile: undefined }], fallback: undefined, version: 3 });
  const { want, say, desk, texts, handed } = openDesk({ known: [filling('/products/:id#price?id=1', '10'), filling('/products/:id#price?id=2', '20'), filling('/old#x', 'y')] });
  want('/products/1', '/products/2');
  desk.dropUnwanted();
  expect([texts(), handed.length]).toEqual([{ 'price?id=1': '10', 'price?id=2': '20' }, 0]);
  say('prices', { 1: 10, 2: 21 });
  expect([texts(), handed.length]).toEqual([{ 'price?id=1': '10', 'price?id=2': '21' }, 1]);
});

test('with other templates all is made anew, what comes out the same is not handed over again, and nothing of an old template stays', () => {
  const { want, say, configure, texts, handed, values } = openDesk({ slots: [slot({}), slot({ name: 'stock', value: '/stock' })] });
  say('prices', { 1: 10, stock: 5 });
  want('/products/1');
  configure([slot({ template: '{{ value }}' }), slot({ name: 'stock', value: '/stock', template: '{{ value }} left' })]);
  expect([texts(), handed.length]).toEqual([{ 'price?id=1': '10', 'stock?id=1': '5 left' }, 3]);
  values.clear();
  configure([slot({ template: '{{ value }}' }), slot({ name: 'stock', value: '/stock', place: { kind: 'json', pointer: '/a' } })]);
  expect(texts()).toEqual({ 'price?id=1': '10', 'stock?id=1': { fallback: undefined } });
  configure([slot({ template: '{{ value }}' })]);
  expect(texts()).toEqual({ 'price?id=1': '10' });
});

test('fillings are bounded: the least wanted resources have none, and make room for what is wanted more', () => {
  const { want, say, desk, texts } = openDesk({ fillingsMax: 2 });
  say('prices', { 1: 10, 2: 20, 3: 30 });
  want('/products/1', '/products/2', '/products/3');
  expect([texts(), desk.left, desk.resources]).toEqual([{ 'price?id=1': '10', 'price?id=2': '20' }, 1, 2]);
  desk.makeRoom(new Map([[key('/products/1'), 5], [key('/products/2'), 1], [key('/products/3'), 3]]));
  while (desk.work());
  expect([texts(), desk.left]).toEqual([{ 'price?id=1': '10', 'price?id=3': '30' }, 1]);
  desk.makeRoom(new Map([[key('/products/1'), 5], [key('/products/3'), 3]]));
  expect(desk.left).toBe(1);
  desk.unwant(key('/products/1'));
  desk.makeRoom(new Map());
  while (desk.work());
  expect([texts(), desk.left]).toEqual([{ 'price?id=3': '30', 'price?id=2': '20' }, 0]);
});

test('of a page with too many points the most probable are made', () => {
  const wide = ['a', 'b', 'c'].map((name) => dimension(name, Array.from({ length: 30 }, (_, i) => `${name}${i}`)));
  const at = (text: string): VariationKey => text as VariationKey; // spelled as compileVariation would
  const shares = [{ variation: at('a=a29,z=1'), share: 0.6 }, { variation: at('a=a3'), share: 0.4 }];
  const slots = [slot({ params: [], value: '', dimensions: ['a', 'b', 'c'] }), slot({ name: 'small', params: [], value: '', dimensions: ['b'] })];
  const { want, desk, published, say } = openDesk({ slots, dimensions: wide, shares });
  say('prices', 1);
  want('/products/1');
  expect([desk.size, published.size]).toEqual([pageFillingsMax, pageFillingsMax]);
  const of = (part: string): number => [...published.keys()].filter((id) => id.includes(part)).length;
  expect([of('a=a29'), of('a=a3&'), of('#small')]).toEqual([900, 900, 30]);
});

test('likely next values are prepared, and used when they come', () => {
  const { want, say, desk, texts } = openDesk({ slots: [slot({ template: '{% if value %}in stock{% else %}sold out{% endif %}' })] });
  want('/products/1');
  for (const value of [true, false, true, false, true]) say('prices', { 1: value });
  const { rendered } = desk.maker;
  expect(desk.maker.prepared.hits).toBeGreaterThan(0);
  say('prices', { 1: false });
  expect([desk.maker.rendered, texts()]).toEqual([rendered, { 'price?id=1': 'sold out' }]);
  expect(desk.maker.prepared.size).toBeLessThanOrEqual(preparedMax);
});

test('the next goal is prepared while nothing else is to do, for both sides, and is not shown before it is scored', () => {
  const { want, say, desk, texts, clock, published } = openDesk({ slots: [slot({ template: '<b>{{ value.home }}</b>:{{ value.away }}', dimensions: ['language'] })] });
  want('/products/1', '/products/2');
  const score = (home: number, away: number): Record<string, unknown> => ({ 1: { home, away }, 2: { home: 0, away: 0 } });
  const goals = [[0, 0], [1, 0], [1, 1], [2, 1], [3, 1], [3, 2]] as const;
  for (const [home, away] of goals) {
    say('prices', score(home, away));
    clock.advance(600_000);
  }
  expect([texts()['price?id=1&language=en'], texts()['price?id=1&language=de']]).toEqual(['<b>3</b>:2', '<b>3</b>:2']);
  expect([...published.values()].some(({ versions }) => versions.some(({ text }) => text === '<b>4</b>:2' || text === '<b>3</b>:3'))).toBe(false);
  const { rendered } = desk.maker;
  const { hits } = desk.maker.prepared;
  // Neither score has ever been seen; both sides have been seen to score.
  say('prices', score(3, 3));
  expect([texts()['price?id=1&language=pt'], desk.maker.rendered - rendered, desk.maker.prepared.hits - hits]).toEqual(['<b>3</b>:3', 0, 3]);
  clock.advance(600_000);
  say('prices', score(4, 3));
  expect([texts()['price?id=1&language=pt'], desk.maker.rendered - rendered, desk.maker.prepared.hits - hits]).toEqual(['<b>4</b>:3', 0, 6]);
});

test('so many are prepared in a second, and never while a real value waits', () => {
  const wide = [dimension('language', Array.from({ length: 60 }, (_, i) => `l${i}`)), dimension('audience', Array.from({ length: 60 }, (_, i) => `a${i}`))];
  const { desk, values, clock, want, say } = openDesk({ slots: [slot({ dimensions: ['language', 'audience'] })], dimensions: wide });
  want('/products/1');
  for (const value of [1, 2, 3]) {
    clock.advance(60_000);
    say('prices', { 1: value });
  }
  const before = desk.maker.prepared.made;
  clock.advance(1000);
  values.set('prices', { document: { 1: 4 }, valueTimeMs: clock.nowMs(), heardMs: clock.nowMs() });
  desk.feedChanged('prices' as FeedKey); // spelled as feedKey would
  while (!desk.idle) {
    expect(desk.maker.prepared.made).toBe(before);
    desk.work();
  }
  while (desk.work());
  expect([desk.maker.prepared.made - before, desk.preparing]).toEqual([preparedPerSecondMax, true]);
  clock.advance(1000);
  while (desk.work());
  expect(desk.maker.prepared.made - before).toBeGreaterThan(preparedPerSecondMax);
  expect(desk.settling.changes).toBe(4);
});

test('a slot whose template always takes too long rests, and does not take everybody\'s time', () => {
  const loop = '{% for i in (1..90000) %}{% for j in (1..9000) %}{% endfor %}{% endfor %}{{ value }}';
  const { want, say, desk } = openDesk({ slots: [slot({ template: loop })] });
  want(...Array.from({ length: 40 }, (_, i) => `/products/${i}`));
  say('prices', Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i, i])));
  expect([desk.maker.failing.size, desk.maker.rendered, desk.maker.slow().length]).toEqual([40, 3, 0]);
});

test('a feed is settled once everything it fills is as it says', () => {
  const { desk, values, clock } = openDesk();
  desk.want(key('/products/1'));
  expect(desk.settled('prices' as FeedKey)).toBe(false);
  while (desk.work());
  values.set('prices', { document: { 1: 1 }, valueTimeMs: clock.nowMs(), heardMs: clock.nowMs() });
  desk.feedChanged('prices' as FeedKey);
  expect([desk.settled('prices' as FeedKey), desk.settled('recs' as FeedKey), desk.waiting]).toEqual([false, true, 1]);
  while (desk.work());
  expect(desk.settled('prices' as FeedKey)).toBe(true);
});

test('whatever comes in whatever order: no filling ever has another\'s value, none is missing, none is left over', () => {
  const slots = [
    slot({ template: 'p{{ value }}', params: ['id'] }),
    slot({ name: 'recs', feed: 'recs', value: '/{id}', template: 'r{{ value }}', dimensions: ['audience'] }),
  ];
  const step = fc.oneof(
    fc.record({ do: fc.constant('say' as const), at: fc.integer({ min: 0, max: 3 }), lacks: fc.option(fc.integer({ min: 0, max: 3 })), wrong: fc.option(fc.integer({ min: 0, max: 3 })) }),
    fc.record({ do: fc.constant('want' as const), at: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ do: fc.constant('unwant' as const), at: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ do: fc.constant('configure' as const) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const { desk, want, say, configure, published } = openDesk({ slots });
    const wanted = new Set<number>();
    for (const [tick, one] of steps.entries()) {
      if (one.do === 'want') {
        want(`/products/${one.at}`);
        wanted.add(one.at);
      } else if (one.do === 'unwant') {
        desk.unwant(key(`/products/${one.at}`));
        wanted.delete(one.at);
      } else if (one.do === 'configure') {
        configure(slots);
      } else if (one.do === 'say') {
        const name = ['prices', 'recs?audience=new', 'recs?audience=vip', 'prices'][one.at] ?? '';
        say(name, Object.fromEntries([0, 1, 2, 3].filter((id) => id !== one.lacks).map((id) => [id, id === one.wrong ? { no: 'text' } : `<${name} ${id} ${tick}>`])));
      }
      for (const { id, versions } of published.values()) {
        const [, name, product, vary] = /#(\w+)\?id=(\d)(?:&audience=(\w+))?/.exec(id) ?? [];
        const source = name === 'price' ? 'prices' : `recs?audience=${vary ?? ''}`;
        for (const { text } of versions) expect(text).toStartWith(`${name === 'price' ? 'p' : 'r'}&lt;${source} ${product ?? ''} `);
        expect(wanted.has(Number(product))).toBe(true);
      }
    }
    expect(desk.size).toBe(wanted.size * 3);
  }), { seed: 5, numRuns: 150 });
});

test('what somebody went back behind is handed over once more', () => {
  const { want, say, desk, handed, texts } = openDesk();
  say('prices', { 1: 10, 2: 20 });
  want('/products/1', '/products/2');
  desk.handAgain(['/products/:id#price?id=2', '/products/:id#price?id=3'] as FillingId[]); // spelled as fillingId would
  expect([handed.map(({ id }) => id.at(-1)), texts()]).toEqual([['1', '2', '2'], { 'price?id=1': '10', 'price?id=2': '20' }]);
});

test('plain routes want nothing', () => {
  expect(compileSlots(plainRoute, [])).toEqual([]);
});

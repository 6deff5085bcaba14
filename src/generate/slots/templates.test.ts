import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { loadConfig } from '../../config/index.ts';
import { fillingBytesMax, Sandbox, type TemplatePlace } from './sandbox.ts';
import { Templates } from './templates.ts';

const templates = new Templates();
const around = { place: 'html' as TemplatePlace, names: ['id', 'language'], fallback: false };

function render(source: string, value: unknown, facts: { language?: string; place?: TemplatePlace; names?: Record<string, unknown> } = {}) {
  return templates.compile(source, facts.place ?? 'html').render(Object.assign(Object.create(null), { feed: { value }, index: 0, ...facts.names, value }), facts.language ?? 'en'); // an object without a prototype
}

function textOf(source: string, value: unknown, facts: Parameters<typeof render>[2] = {}): string {
  const rendered = render(source, value, facts);
  return rendered.ok ? rendered.text : `${rendered.trouble}: ${rendered.message}`;
}

test('money, numbers, dates and words are written as the language writes them', () => {
  const price = { amount: 1234.5, currency: 'EUR', at: '2026-03-04T22:30:00Z', stock: 1, names: ['a', 'b', 'c'] };
  const spaced = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, ' ');
  const cases: readonly (readonly [template: string, en: string, de: string, pt: string])[] = [
    ['{{ value | money }}', '€1,234.50', '1.234,50 €', '€ 1.234,50'],
    ['{{ value.amount | money }}', '€1,234.50', '1.234,50 €', '€ 1.234,50'],
    ["{{ 5 | money: 'JPY' }}", '¥5', '5 ¥', 'JP¥ 5'],
    ['{{ value.amount | number }}', '1,234.5', '1.234,5', '1.234,5'],
    ['{{ value.amount | number: 2 }}', '1,234.50', '1.234,50', '1.234,50'],
    ['{{ 0.256 | percent: 1 }}', '25.6%', '25,6 %', '25,6%'],
    ['{{ value.at | date }}', 'Mar 4, 2026', '04.03.2026', '4 de mar. de 2026'],
    ["{{ value.at | date: 'long', time: 'short', zone: 'Europe/Berlin' }}", 'March 4, 2026 at 11:30 PM', '4. März 2026 um 23:30', '4 de março de 2026 às 23:30'],
    ["{{ 3 | relative_time: 'day' }}", 'in 3 days', 'in 3 Tagen', 'em 3 dias'],
    ['{{ value.names | list }}', 'a, b, and c', 'a, b und c', 'a, b e c'],
    ["{{ value.stock | plural: one: 'one left', other: 'many left' }}", 'one left', 'one left', 'one left'],
    ["{{ 5 | plural: one: 'one left', other: 'many left' }}", 'many left', 'many left', 'many left'],
  ];
  for (const [template, en, de, pt] of cases) {
    expect([template, ...['en', 'de', 'pt'].map((language) => spaced(textOf(template, price, { language })))]).toEqual([template, en, de, pt]);
  }
  expect(textOf('{{ value | money }}', 5)).toBe('5.00');
});

/** Whether a slot with this template depends on the language, as the configuration says. */
function dependsOnLanguage(template: string): boolean {
  const text = JSON.stringify({
    origin: { url: 'http://127.0.0.1:1' }, dimensions: { language: { from: 'acceptLanguage', values: ['en', 'de'] } },
    feeds: { f: { url: 'http://127.0.0.1:2/', maxAge: '1h' } }, routes: [{ match: '/', slots: [{ name: 's', select: 'p', feed: 'f', value: '', template }] }],
  });
  const loaded = loadConfig({ text, env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config.routes[0]?.slots[0]?.dimensions.includes('language') ?? false;
}

test('the configuration knows exactly the filters that differ by language', () => {
  const ours = ['money', 'date', 'number', 'percent', 'relative_time', 'list', 'plural'];
  const filters = new Sandbox('html').filters;
  expect(ours.filter((name) => !filters.includes(name))).toEqual([]);
  expect(filters.filter((name) => dependsOnLanguage(`{{ value | ${name} }}`)).sort()).toEqual([...ours].sort());
  expect(dependsOnLanguage('{% assign x = value|money %}{{ x }}')).toBe(true);
});

test('no template gets at the inside of the machine', () => {
  const hostile = [
    '{{ value.constructor }}', '{{ value.constructor.constructor }}', '{{ value.__proto__ }}', '{{ value["__proto__"]["polluted"] }}', '{{ feed.toString }}', '{{ value.hasOwnProperty }}',
    '{% for i in (1..2) %}{{ forloop.constructor }}{% endfor %}', '{% for i in (1..2) %}{{ forloop.__proto__.constructor.constructor }}{% endfor %}',
    '{% for i in (1..2) %}{{ forloop.__defineGetter__ }}{% endfor %}',
    '{% assign x = "constructor" %}{{ value[x] }}', '{{ "x".constructor }}', '{{ value.list.constructor }}', '{{ value.list.map }}',
  ];
  for (const source of hostile) {
    const text = textOf(source, { price: 1, list: [1] });
    expect([source, text.startsWith('template-error') || text === '']).toEqual([source, true]);
  }
  for (const source of ['{{ constructor }}', '{{ process }}', '{{ require }}', '{{ globalThis }}', '{{ Bun }}', '{{ __proto__ }}', '{{ this }}']) {
    expect([source, templates.problem(source, around)]).toEqual([source, expect.stringContaining('which is nothing a template can see')]);
    expect(textOf(source, 1)).toStartWith('template-error');
  }
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined(); // asks for what must not be there
});

test('no template reads a file or another template, and what is unknown is told with its place', () => {
  for (const tag of ['include', 'render', 'layout', 'block']) expect(templates.problem(`a\n b {% ${tag} "/etc/passwd" %}`, around)).toContain(`tag "${tag}" not found (line 2, column 4)`);
  expect(templates.problem('{{ value | upcas }}', around)).toContain('undefined filter: upcas (line 1, column 1)');
  for (const filter of ['where_exp', 'group_by_exp', 'sample', 'sha256', 'inspect', 'date_to_string']) expect(templates.problem(`{{ value | ${filter} }}`, around)).toContain('undefined filter');
  expect(templates.problem('{% if value %}', around)).toContain('not closed (line 1, column 1)');
  expect(templates.problem('{{ value.price', around)).toContain('not closed');
  expect(templates.problem('{{ product }}', around)).toBe('names product, which is nothing a template can see; use id, language, value, feed, index');
  expect(templates.problem('{{ value }}', { ...around, fallback: true })).toBe('names value, which is nothing a fallback can see; use id, language');
  expect(templates.problem('{% assign x = value %}{% for y in x %}{{ y }}{{ forloop.index }}{{ id }}{% endfor %}', around)).toBeUndefined();
  expect(templates.problem('x'.repeat(65_537), around)).toContain('longer than 65536');
});

test('what never ends, ends; what grows without bound is refused', () => {
  const big = { list: Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 200_003), text: 'x'.repeat(300_000) };
  const troubles = (source: string): string => textOf(source, big).split(':', 1)[0] ?? '';
  expect(troubles('{% for i in (1..1000000000) %}{% endfor %}')).toBe('too-slow');
  expect(troubles('{% for i in (1..90000) %}{% for j in (1..90) %}{% for k in value.list %}{% endfor %}{% endfor %}{% endfor %}')).toBe('too-slow');
  expect(troubles('{% assign x = "aaaaaaaaaa" %}{% for i in (1..100) %}{% assign x = x | append: x %}{% endfor %}{{ x }}')).toBe('too-slow');
  expect(troubles('{{ value.text | split: "" | join: "--------------------" }}')).toBe('too-slow');
  for (const filter of ['sort', 'reverse', 'uniq', 'sum', 'map: "x"', 'compact', 'concat: value.list', 'join']) expect([filter, troubles(`{{ value.list | ${filter} }}`)]).toEqual([filter, 'template-error']);
  expect(troubles('{{ value.list | json }}')).toBe('template-error');
  expect(textOf('{{ value }}{{ value }}', 'x'.repeat(fillingBytesMax / 2 + 1))).toStartWith('too-large');
  expect(templates.plain('html').render({ value: 'x'.repeat(fillingBytesMax) }, 'en').ok).toBe(true);
  expect(templates.plain('html').render({ value: 'ü'.repeat(fillingBytesMax / 2 + 1) }, 'en')).toMatchObject({ ok: false, trouble: 'too-large' });
});

const nasty = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onmouseover='x", '</p><!--', '&lt;', '{{ value }}', '{% raw %}', '\u2028</script>'));

test('whatever a feed says, it stays text: in HTML, in attributes, in scripts as JSON', () => {
  fc.assert(fc.property(nasty, (text) => {
    const html = textOf('<p title="{{ value }}" data-x="{{ value | json }}">{{ value }}</p>', text);
    expect(html.replace(/^<p title="[^"<>]*" data-x="[^"<>]*">[^"'<>]*<\/p>$/, '')).toBe('');
    const script = textOf('<script>var x = {{ value | json | raw }}</script>', text);
    const literal = /^<script>var x = (.*)<\/script>$/s.exec(script)?.[1] ?? '';
    expect(/[<>\u2028\u2029]/.test(literal)).toBe(false);
    expect(JSON.parse(literal)).toBe(text);
  }), { seed: 7, numRuns: 300 });
  expect(textOf('{{ value | escape }}|{{ value | newline_to_br }}|{{ value | upcase }}', '<a>\n')).toBe('&lt;a&gt;\n|&lt;a&gt;<br>\n|&lt;A&gt;\n');
  expect(textOf('{{ value | raw }}', '<b>')).toBe('<b>');
  expect(textOf('{% capture x %}<i>{{ value }}</i>{% endcapture %}{{ x | raw }}', '<b>')).toBe('<i>&lt;b&gt;</i>');
  expect(textOf('{% liquid\n echo value %}', '<b>')).toBe('&lt;b&gt;');
});

test('a link to a script is refused unless the template has it itself', () => {
  const link = '<a href="{{ value }}">x</a>';
  for (const url of ['javascript:alert(1)', ' JaVaScript:alert(1)', 'java\nscript:alert(1)', '\u0001javascript:x', 'vbscript:x', 'data:text/html,<script>x</script>']) expect([url, textOf(link, url).split(':', 1)[0]]).toEqual([url, 'unsafe-url']);
  for (const url of ['/a?b=javascript:', 'https://a.example/', 'mailto:a@b.example', 'java&#115;cript:x']) expect(render(link, url).ok).toBe(true);
  expect(textOf('<a href="javascript:go()">{{ value }}</a>', 'x')).toBe('<a href="javascript:go()">x</a>');
});

test('a value where escaping does not help is refused when the template is checked', () => {
  const problems: readonly (readonly [source: string, problem: string | undefined])[] = [
    ['<a title={{ value }}>', 'an attribute without quotation marks'], ['<a title=x{{ value }}>', 'an attribute without quotation marks'], ['<a {{ value }}>', 'inside a tag'],
    ['<script>var x = "{{ value }}"</script>', 'in a script or style'], ['<style>p { color: {{ value }} }</style>', 'in a script or style'],
    ['<p onclick="f(\'{{ value }}\')">', 'in an event handler'], ['<p style="color: {{ value }}">', 'in an event handler'], ['<iframe srcdoc="{{ value }}">', 'in an event handler'],
    ['<script>var x = {{ value | json | raw }}</script>', undefined], ['<p onclick="f({{ value | json }})">', undefined], ['<a title="{{ value }}" href=\'{{ value }}\'>{{ value }}</a>', undefined],
    ['<script></script>{{ value }}', undefined], ['{% if value > 1 %}<b>{{ value }}</b>{% endif %}', undefined], ['{% raw %}<a x={{ value }}>{% endraw %}{{ value }}', undefined],
    ['a < b {{ value }} <!-- <script> --> {{ value }}', undefined], ['<input value="{{ value }}" disabled>{{ value }}', undefined],
  ];
  for (const [source, problem] of problems) expect([source, templates.problem(source, around)]).toEqual([source, problem === undefined ? undefined : expect.stringContaining(problem)]);
  expect(templates.problem('<p>\n<a title={{ value }}>', around)).toStartWith('{{ value }} (line 2, column 10)');
});

test('in JSON documents values are JSON, and what is not JSON in the end is refused', () => {
  const value = { name: 'a "b" </script>', price: 2.5, list: [1, null], none: null };
  const json = { place: 'json' } as const;
  expect(JSON.parse(textOf('{"name": {{ value.name }}, "price": {{ value.price }}, "list": {{ value.list }}, "none": {{ value.none }} }', value, json))).toEqual(value);
  expect(JSON.parse(textOf('{{ value | money: "EUR" }}', 2.5, { ...json, language: 'de' }))).toBe('2,50\u00a0€');
  expect(textOf('"{{ value.name }}"', value, json)).toStartWith('not-json');
  expect(textOf('{{ value.name | raw }}', value, json)).toStartWith('not-json');
  expect(textOf('', value, json)).toStartWith('not-json');
  fc.assert(fc.property(fc.jsonValue(), (any) => {
    const rendered = templates.plain('json').render({ value: any }, 'en');
    expect(rendered.ok && JSON.parse(rendered.text)).toEqual(JSON.parse(JSON.stringify(any)));
  }), { seed: 11, numRuns: 200 });
});

test('without a template a value is its text, and what is no text is refused', () => {
  const plain = (value: unknown): unknown => templates.plain('html').render({ value }, 'de');
  expect([plain('<b>'), plain(1.5), plain(true)]).toEqual([{ ok: true, text: '&lt;b&gt;' }, { ok: true, text: '1.5' }, { ok: true, text: 'true' }]);
  for (const value of [{ a: 1 }, [1]]) expect(plain(value)).toMatchObject({ ok: false, trouble: 'wrong-kind' });
});

test('a value of the wrong kind for a filter is an error with its place, and so is a field that is not there', () => {
  const cases = ['{{ value | money }}', '{{ value | number }}', '{{ value | date }}', '{{ value | list }}', "{{ 5 | money: 'EURO' }}", "{{ 5 | relative_time: 'fortnight' }}", "{{ 5 | plural: one: 'x' }}", '{{ value.nope }}', '{{ value }}', "{{ 'now' | date }}", '{{ 5 | number: 99 }}', "{{ 5 | date: 'long', zone: 'Mars' }}"];
  for (const source of cases) expect([source, textOf(source, { other: 1 })]).toEqual([source, expect.stringMatching(/^template-error: .+ \(line 1, column \d+\)$/)]);
  expect(textOf('{% if value.nope %}a{% else %}b{% endif %}{{ value.nope | default: "c" }}', { other: 1 })).toBe('bc');
  expect(textOf('{{ value | where: "on" | map: "n" | join: "," }} {{ value | where: "n", 3 | size }}', [{ n: 1, on: true }, { n: 2 }, { n: 3, on: false }])).toBe('1 1');
});

test('nothing a feed says makes a rendering throw', () => {
  const source = '{% for x in value %}{{ x | default: "-" }}{% endfor %}{{ value | json }}{{ value.a.b }}{{ value | size }}';
  fc.assert(fc.property(fc.jsonValue(), (value) => { expect(typeof render(source, value).ok).toBe('boolean'); }), { seed: 3, numRuns: 300 });
});

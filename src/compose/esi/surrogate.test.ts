import { expect, test } from 'bun:test';
import { heedSurrogateControl, mayHoldEsi, parseSurrogateControl, surrogateCapability, wantsEsi } from './surrogate.ts';

test('says what it can, after those who came before', () => {
  expect(surrogateCapability(null)).toBe('foreshadow="Surrogate/1.0 ESI/1.0"');
  expect(surrogateCapability('cdn="Surrogate/1.0"')).toBe('cdn="Surrogate/1.0", foreshadow="Surrogate/1.0 ESI/1.0"');
});

test('reads what to process and how long to keep', () => {
  const cases: Readonly<Record<string, readonly [content: readonly string[], keeping: readonly string[]]>> = {
    'content="ESI/1.0"': [['ESI/1.0'], []],
    'max-age=3600, content="ESI/1.0 ESI-INV/1.0"': [['ESI/1.0', 'ESI-INV/1.0'], ['max-age=3600']],
    'max-age=60+30': [[], ['max-age=60', 'stale-while-revalidate=30']],
    'no-store, max-age=60': [[], ['no-store']],
    'no-store-remote': [[], []],
    'max-age=soon': [[], ['max-age=0']],
    'MAX-AGE=5': [[], ['max-age=5']],
    'max-age=5;other, max-age=60': [[], ['max-age=60']],
    'max-age=5;foreshadow, max-age=60': [[], ['max-age=5']],
    'max-age=60, max-age=5; Foreshadow': [[], ['max-age=5']],
    'content="ESI/1.0;x";other': [[], []],
    '': [[], []],
    '"': [[], []],
  };
  for (const [field, [content, keeping]] of Object.entries(cases)) expect([field, parseSurrogateControl(field)]).toEqual([field, { content: [...content], keeping: [...keeping] }]);
  expect(parseSurrogateControl(null)).toBeUndefined();
});

test('the origin\'s word decides, else whether there is markup', () => {
  const [plain, marked, hidden] = ['<p>', '<esi:include src="/x"/>', '<!--esi x-->'].map((page) => Buffer.from(page));
  for (const body of [plain, marked, hidden]) {
    expect(wantsEsi('content="ESI/1.0"', body ?? Buffer.alloc(0))).toBe(true);
    expect(wantsEsi('max-age=60', body ?? Buffer.alloc(0))).toBe(false);
  }
  expect([plain, marked, hidden].map((body) => wantsEsi(null, body ?? Buffer.alloc(0)))).toEqual([false, true, true]);
});

test('HTML and XML may hold markup, nothing else', () => {
  expect(['text/html', 'TEXT/HTML; charset=utf-8', 'application/xhtml+xml', 'text/xml', 'application/xml', 'application/rss+xml'].filter((type) => !mayHoldEsi(type))).toEqual([]);
  expect(['', 'text/plain', 'application/json', 'text/javascript', 'image/png', 'text/html-like'].filter(mayHoldEsi)).toEqual([]);
});

test('how long to keep a page is put into the words of caches, unless there are some for them already', () => {
  const field = ['surrogate-control', 'max-age=60, content="ESI/1.0"'] as const;
  expect(heedSurrogateControl([field])).toEqual([field, ['cdn-cache-control', 'max-age=60']]);
  for (const headers of [[field, ['cdn-cache-control', 'max-age=5'] as const], [['surrogate-control', 'content="ESI/1.0"'] as const], []]) expect(heedSurrogateControl(headers)).toBe(headers);
});

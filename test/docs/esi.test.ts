import { expect, test } from 'bun:test';
import { evaluateEsi, parseEsi } from '../../src/compose/esi/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { readText } from '../../tools/sources.ts';

const page = readText('docs/templates.md');
const blocks = new Map([...page.matchAll(/^```(\w+) (\S+)\n(.*?)^```$/gms)].map(([, , name = '', text = '']) => [name, text]));

test('the page of docs/templates.md with Edge Side Includes comes together as it says', async () => {
  const loaded = loadConfig({ text: blocks.get('esi-config') ?? '', overrides: { origin: 'http://127.0.0.1:1', listen: undefined, data: undefined }, env: {}, readFile: () => '' });
  expect(loaded.ok && loaded.config.routes.map(({ match, esi }) => [match, esi])).toEqual([['/products/**', true]]);
  const parsed = parseEsi(Buffer.from(blocks.get('esi-page') ?? ''));
  const shown = async (cookie: string | null, ...there: readonly string[]): Promise<string> => {
    const facts = { header: () => cookie, host: 'shop.example', query: '' };
    const result = parsed && await evaluateEsi(parsed, { facts, nowMs: () => 0, untilMs: 1 }, (reference) => Promise.resolve(there.includes(reference) ? Buffer.from(`[${reference}]`) : undefined));
    return Buffer.from(result?.body ?? []).toString().replaceAll(/\s+/g, ' ').trim();
  };
  expect(await shown('group=loyal', '/fragments/price/7', '/fragments/for-the-loyal', '/fragments/reviews/7')).toBe('<h1>Teapot</h1> [/fragments/price/7] [/fragments/for-the-loyal] [/fragments/reviews/7]');
  expect(await shown(null, '/fragments/price')).toBe('<h1>Teapot</h1> [/fragments/price] Welcome No reviews at the moment.');
});

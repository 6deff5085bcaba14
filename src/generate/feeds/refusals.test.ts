import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { feedRefusals } from './refusals.ts';

test('docs/generation.md and the code say the same of what feeds are refused for, in the same words', () => {
  const page = readFileSync(join(import.meta.dir, '../../../docs/generation.md'), 'utf8');
  const [table = ''] = page.slice(page.indexOf('| refused as |')).split('\n\n');
  const rows = [...table.matchAll(/^\| `([a-z-]+)` \| (.*?) \|/gm)].map(([, word, meaning]) => [word, meaning]);
  expect(rows).toEqual(Object.entries(feedRefusals));
});

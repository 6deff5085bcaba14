import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planReasons, refusalReasons } from './plan/index.ts';
import { refusals } from './refusals.ts';

const page = readFileSync(join(import.meta.dir, '../../docs/generation.md'), 'utf8');

/** Name and meaning of each row of the table under a heading cell. */
function tableUnder(heading: string): Record<string, string> {
  const rows: Record<string, string> = {};
  const table = page.slice(page.indexOf(`| ${heading} |`)).split('\n\n')[0] ?? '';
  for (const [, name = '', meaning = ''] of table.matchAll(/^\| `([a-z-]+)` \| (.*?) \|/gm)) rows[name] = meaning;
  return rows;
}

test.each([['reason', refusals], ['why planned', planReasons], ['why not planned', refusalReasons]] as const)(
  'docs/generation.md and the code say the same under "%s", in the same words', (heading, list) => {
    expect(tableUnder(heading)).toEqual({ ...list });
  });

import { expect, test } from 'bun:test';
import { reasons } from './reasons.ts';

test('docs/reasons.md lists exactly these reasons, in this order, with these words', async () => {
  const text = await Bun.file(new URL('../../docs/reasons.md', import.meta.url)).text();
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \| (.+?) \| .+ \|$/gm)].map((row) => [row[1], row[2]]);
  expect(rows).toEqual(Object.entries(reasons));
});

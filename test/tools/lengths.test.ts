import { expect, test } from 'bun:test';
import { functionLengths } from '../../tools/lengths.ts';

test('functions and methods are measured', () => {
  const text = 'export function a(): void {\n  if (x) {\n  }\n}\n\nclass B {\n  async #c(\n    d: number,\n  ): Promise<void> {\n    e();\n  }\n}\nconst f = 1;\n';
  expect(functionLengths('x.ts', text)).toEqual([{ name: 'x.ts: a', lines: 4 }, { name: 'x.ts: #c', lines: 5 }]);
});

import { expect, test } from 'bun:test';
import { checkLayers, sourceModules } from '../../tools/layers.ts';

/** What is said of one module that stands beside the others. */
function said(path: string, text: string, ...others: readonly (readonly [path: string, text: string])[]): string[] {
  return checkLayers([{ path, text }, ...others.map(([otherPath, otherText]) => ({ path: otherPath, text: otherText }))]).map(({ line, what }) => `${line}: ${what}`);
}

test('every module of src/ keeps to the layers', () => {
  const modules = sourceModules();
  expect(modules.length).toBeGreaterThan(50);
  expect(checkLayers(modules).map(({ path, line, what }) => `${path}:${line}: ${what}`)).toEqual([]);
});

const cases: readonly { what: string; path: string; text: string; said: string[] }[] = [
  { what: 'down through the door', path: 'src/http/a.ts', text: "import { x } from '../kernel/index.ts';", said: [] },
  { what: 'up', path: 'src/http/a.ts', text: "\nimport { x } from '../config/index.ts';", said: ['2: http may not import config: imports go down'] },
  { what: 'up, over several lines', path: 'src/http/a.ts', text: "import {\n  x,\n  y,\n} from '../edge/index.ts';", said: ['4: http may not import edge: imports go down'] },
  { what: 'up, for a type', path: 'src/demand/a.ts', text: "import type { X } from '../predict/forecaster.ts';", said: ['1: demand may not import predict: imports go down'] },
  { what: 'up, on demand', path: 'src/kernel/a.ts', text: "const x = await import('../http/index.ts');", said: ['1: kernel may not import http: imports go down'] },
  { what: 'up, exported on', path: 'src/kernel/a.ts', text: "export * from '../http/index.ts';", said: ['1: kernel may not import http: imports go down'] },
  { what: 'up, as the file of a process', path: 'src/route/a.ts', text: "new URL('../api/index.ts', import.meta.url)", said: ['1: route may not import api: imports go down'] },
  { what: 'beside', path: 'src/predict/a.ts', text: "import { x } from '../route/index.ts';", said: ['1: predict may not import route: imports go down'] },
  { what: 'the record of the catalog, for the store', path: 'src/store/a.ts', text: "import type { X } from '../catalog/shadow-record.ts';", said: [] },
  { what: 'the catalog, for the store', path: 'src/store/a.ts', text: "import { x } from '../catalog/index.ts';", said: [] },
  { what: 'the store, for the catalog', path: 'src/catalog/a.ts', text: "import { x } from '../store/index.ts';", said: ['1: catalog may not import store: imports go down'] },
  { what: 'the code of the bus, for the API', path: 'src/api/a.ts', text: "import { x } from '../bus/index.ts';", said: ['1: api may not import bus: imports go down'] },
  { what: 'a folder inside another', path: 'src/cli/a.ts', text: "import { x } from '../demand/trace/index.ts';", said: [] },
  { what: 'past the door', path: 'src/edge/a.ts', text: "import { x } from '../http/vary.ts';", said: ['1: src/http is entered through its index.ts; its other files may be named for types only'] },
  { what: 'past the door, for a type', path: 'src/edge/a.ts', text: "import type { X } from '../http/vary.ts';", said: [] },
  { what: 'the thinking, from the data plane', path: 'src/edge/a.ts', text: "import type { X } from '../predict/forecaster.ts';", said: ['1: edge never imports predict: the data plane outlives the thinking'] },
  { what: 'in a comment', path: 'src/http/a.ts', text: "// import { x } from '../edge/index.ts';\n/* import { x } from '../edge/index.ts'; */", said: [] },
  { what: 'Bun in a pure folder', path: 'src/route/a.ts', text: "import { Database } from 'bun:sqlite';\nBun.hash('x');", said: ["1: bun:sqlite is Bun's own, and this folder runs anywhere", '2: uses an API that only Bun has, and this folder runs anywhere'] },
  { what: 'Bun at the rim', path: 'src/edge/a.ts', text: "Bun.hash('x');", said: [] },
  { what: 'a folder nobody knows', path: 'src/utils/a.ts', text: "import { x } from '../kernel/index.ts';", said: ['1: the folder utils has no layer; add it to tools/layers.ts'] },
  { what: 'mutable state', path: 'src/edge/a.ts', text: 'let count = 0;\nfunction f() {\n  let own = 1;\n}', said: ['1: a module keeps no mutable state'] },
  { what: 'an assertion without a reason', path: 'src/edge/a.ts', text: 'const a = b as Key;\nconst c = d as Key; // parsed above\nconst e = [1] as const;\nconst f = [] as Key[];', said: ['1: `as` stands beside a comment with its reason'] },
];
test.each(cases)('$what', ({ path, text, said: expected }) => {
  expect(said(path, text)).toEqual(expected);
});

test('a file that the door opens whole may be named', () => {
  const door = ['src/http/index.ts', "export * from './vary.ts';\nexport { x } from './hidden.ts';"] as const;
  expect(said('src/edge/a.ts', "import { x } from '../http/vary.ts';", door)).toEqual([]);
  expect(said('src/edge/a.ts', "import { x } from '../http/hidden.ts';", door)).toEqual(['1: src/http is entered through its index.ts; its other files may be named for types only']);
});

test('a cycle is found, one of types alone is none', () => {
  const back = ['src/http/b.ts', "import { a } from './a.ts';"] as const;
  expect(said('src/http/a.ts', "import { b } from './b.ts';", back)).toEqual(['1: import cycle: src/http/a.ts > src/http/b.ts > src/http/a.ts']);
  expect(said('src/http/a.ts', "import type { b } from './b.ts';", back)).toEqual([]);
});

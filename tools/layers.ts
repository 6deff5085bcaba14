/**
 * The layer check: reads the imports of every module in src/ and holds them to the house's order. Imports go down only;
 * folders of one layer don't know each other; another folder is entered through its `index.ts` (or that of a folder in it), or by the name of a file that the
 * door opens whole (`export *`), or by any file when only types are imported; the data plane never sees the thinking, not even through others; no import cycles;
 * pure folders use nothing that only Bun has (HTMLRewriter is of Cloudflare Workers too); assertions carry their reason; no module keeps mutable state.
 * Pure: text in, violations out. `bun tools/layers.ts` prints them.
 */
import { dirname, join, normalize } from 'node:path';
import { filesBelow, readText, withoutComments } from './sources.ts';

/** From the bottom up. A folder may import from those on lower lines. */
export const layers: readonly (readonly string[])[] = [
  ['kernel'],
  ['http'],
  ['config'],
  ['compose'],
  ['demand', 'catalog', 'store'],
  ['predict', 'generate', 'route'],
  ['edge', 'api', 'bus'],
  ['cli'],
  ['main'],
];

/** What one folder of a layer may know of another: a stored record is the catalog's noun, a status is made of what edges report. */
const across: Readonly<Record<string, { readonly folders: readonly string[]; readonly typesOnly: boolean }>> = {
  store: { folders: ['catalog'], typesOnly: false },
  api: { folders: ['bus'], typesOnly: true },
};
/** What the data plane must outlive. */
const thinking: readonly string[] = ['predict', 'generate', 'api', 'bus'];
/** Second doors: kept out of an index because they bring a runtime's modules that pure code must not load. */
const sideDoors: readonly string[] = ['src/kernel/disk.ts'];
const pureFolders: readonly string[] = ['kernel', 'http', 'config', 'compose', 'demand', 'predict', 'generate', 'route', 'catalog'];

export interface Module {
  /** `src/folder/file.ts` */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

interface Import {
  readonly target: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

export function checkLayers(modules: readonly Module[]): Violation[] {
  const violations: Violation[] = [];
  const graph = new Map<string, readonly Import[]>();
  const doors = new Set(modules.flatMap(openedWhole));
  for (const module of modules) {
    const source = withoutComments(module.text);
    const imports = importsOf(source);
    graph.set(module.path, imports.filter((found) => found.target.startsWith('.')).map((found) => ({ ...found, target: normalize(join(dirname(module.path), found.target)) })));
    const report = (line: number, what: string): void => {
      violations.push({ path: module.path, line, what });
    };
    for (const found of graph.get(module.path) ?? []) {
      const wrong = importProblem(module.path, found, (target) => doors.has(target));
      if (wrong !== undefined) report(found.line, wrong);
    }
    if (pureFolders.includes(folderOf(module.path))) {
      for (const found of imports) if (found.target === 'bun' || found.target.startsWith('bun:')) report(found.line, `${found.target} is Bun's own, and this folder runs anywhere`);
      for (const line of linesMatching(source, /\bBun[.[]/)) report(line, 'uses an API that only Bun has, and this folder runs anywhere');
    }
    for (const line of linesMatching(source, /^(?:export )?let /)) report(line, 'a module keeps no mutable state');
    for (const line of bareAssertions(module.text)) report(line, '`as` stands beside a comment with its reason');
  }
  return [...violations, ...thinkingBehindEdge(graph), ...cycles(graph)];
}

function importsOf(source: string): Import[] {
  const statements = /(?:^|\n)[ \t]*(import|export)\s+(type\s)?(?:[\w*{},\s$]*?\sfrom\s+)?'([^'\n]+)'/g;
  const found = [...source.matchAll(statements)].map((match): Import => ({
    target: match[3] ?? '', line: lineAt(source, match.index + match[0].length), typeOnly: match[2] !== undefined,
  }));
  const calls = [...source.matchAll(/\bimport\(\s*'([^'\n]+)'/g), ...source.matchAll(/new URL\(\s*'(\.[^'\n]+\.ts)'\s*,\s*import\.meta\.url/g)];
  return [...found, ...calls.map((match): Import => ({ target: match[1] ?? '', line: lineAt(source, match.index), typeOnly: false }))];
}

/** `main` for src/main.ts, else the first folder below src/. */
export function folderOf(path: string): string {
  const [, first = ''] = path.split('/');
  return first.replace(/\.ts$/, '');
}

function layerOf(folder: string): number {
  return layers.findIndex((names) => names.includes(folder));
}

/** The door itself and the files that it opens whole. */
function openedWhole(module: Module): string[] {
  if (!/^src\/\w+\/index\.ts$/.test(module.path)) return [];
  return [module.path, ...[...module.text.matchAll(/^export \* from '\.\/([^']+)'/gm)].map((match) => `${dirname(module.path)}/${match[1] ?? ''}`)];
}

function importProblem(path: string, found: Import, isDoor: (path: string) => boolean): string | undefined {
  const own = folderOf(path);
  if (!found.target.startsWith('src/')) return /\/package\.json$|^package\.json$/.test(found.target) ? undefined : `${found.target} is outside src/`;
  const other = folderOf(found.target);
  if (own === other) return undefined;
  if (layerOf(own) < 0) return `the folder ${own} has no layer; add it to tools/layers.ts`;
  if (layerOf(other) < 0) return `the folder ${other} has no layer; add it to tools/layers.ts`;
  if (own === 'edge' && thinking.includes(other)) return `edge never imports ${other}: the data plane outlives the thinking`;
  const lent = across[own]?.folders.includes(other) === true && (found.typeOnly || !across[own].typesOnly);
  if (layerOf(other) >= layerOf(own) && !lent) return `${own} may not import ${other}: imports go down`;
  // Each command is a door: main.ts loads the one that is asked for.
  const atDoor = own === 'main' || found.target.endsWith('/index.ts') || sideDoors.includes(found.target) || isDoor(found.target);
  return atDoor || found.typeOnly ? undefined : `src/${other} is entered through its index.ts; its other files may be named for types only`;
}

/** Modules of the thinking that an edge would load, through whatever files. */
function thinkingBehindEdge(graph: ReadonlyMap<string, readonly Import[]>): Violation[] {
  const violations: Violation[] = [];
  const seen = new Set([...graph.keys()].filter((path) => folderOf(path) === 'edge'));
  for (const path of seen) {
    for (const found of graph.get(path) ?? []) {
      if (found.typeOnly || seen.has(found.target)) continue;
      if (thinking.includes(folderOf(found.target)) && folderOf(path) !== 'edge') violations.push({ path, line: found.line, what: `brings ${found.target} into the edge` });
      seen.add(found.target);
    }
  }
  return violations;
}

function cycles(graph: ReadonlyMap<string, readonly Import[]>): Violation[] {
  const violations: Violation[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (path: string, trail: readonly string[]): void => {
    state.set(path, 'open');
    for (const found of graph.get(path) ?? []) {
      if (found.typeOnly) continue;
      const there = state.get(found.target);
      if (there === 'open') violations.push({ path, line: found.line, what: `import cycle: ${[...trail.slice(trail.indexOf(found.target)), path, found.target].join(' > ')}` });
      else if (there === undefined && graph.has(found.target)) visit(found.target, [...trail, path]);
    }
    state.set(path, 'done');
  };
  for (const path of graph.keys()) if (!state.has(path)) visit(path, []);
  return violations;
}

/** Types begin with a capital or a bracket, or are built in; prose in templates mostly does not. */
const assertion = /(?<!\[\])\sas (?:[A-Z{[(]|(?:string|number|boolean|unknown|never|object|bigint|symbol|any|keyof|typeof|readonly)\b)/;

/** Lines with a type assertion (`as const` and a type for `[]` are none) and no comment on the same line or one of the six before. */
function bareAssertions(text: string): number[] {
  const lines = text.split('\n');
  const code = withoutComments(text).split('\n').map((line) => line.replace(/'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`/g, "''"));
  return code.flatMap((line, index) => {
    if (!assertion.test(line) || /^\s*(?:import|export)\b.*\bfrom\b|^\s*(?:type )?\w+ as \w+,?$|\* as \w+ from/.test(line)) return [];
    const explained = (lines[index] ?? '').length > line.trimEnd().length && /\/\/ /.test(lines[index] ?? '');
    return explained || lines.slice(Math.max(0, index - 6), index).some((before) => /^\s*(?:\/\/|\*|\/\*)/.test(before)) ? [] : [index + 1];
  });
}

function linesMatching(source: string, pattern: RegExp): number[] {
  return source.split('\n').flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}

/** Every module of src/ but tests, which may reach where they need to. */
export function sourceModules(): Module[] {
  return filesBelow('src', '.ts').filter((path) => !path.endsWith('.test.ts')).map((path) => ({ path, text: readText(path) }));
}

if (import.meta.main) {
  const modules = sourceModules();
  const violations = checkLayers(modules);
  for (const { path, line, what } of violations) console.error(`${path}:${line}: ${what}`);
  console.log(`${modules.length} modules read, ${violations.length} ${violations.length === 1 ? 'violation' : 'violations'}`);
  process.exitCode = violations.length > 0 || modules.length === 0 ? 1 : 0;
}

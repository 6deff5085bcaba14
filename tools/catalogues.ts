/**
 * Holds the documents to the code: reasons, error codes, limits, metrics, dependencies and their lock, and what is generated. A catalogue is a
 * Markdown table whose first cell names one thing in backticks; every thing of the code stands in it once, and nothing else.
 * Returns sentences; `npm run check` and a test print them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { metrics } from '../src/api/metrics.ts';
import { configJsonSchema, maxima, notAvailable } from '../src/config/index.ts';
import { errorCodes } from '../src/kernel/index.ts';
import { reasons } from '../src/route/index.ts';
import type { KeyRow } from './configuration-reference.ts';
import { keyRows } from './configuration-reference.ts';
import { generatedFiles } from './generate-docs.ts';
import { missingEntries, readLock } from './lock.ts';
import { filesBelow, readText, root, withoutComments } from './sources.ts';

export function catalogueProblems(): string[] {
  return [...staleFiles(), ...errorPage(), ...reasonPage(), ...limitPage(), ...metricPage(), ...dependencyPage(), ...lockFile()];
}

/** The rows of all tables of a page: cells, the first without its backticks. */
export function tableRows(markdown: string): string[][] {
  return markdown.split('\n').flatMap((line) => {
    if (!line.startsWith('| `')) return [];
    const cells = line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
    return [[(cells[0] ?? '').replace(/^`([^`]*)`.*$/, '$1'), ...cells.slice(1)]];
  });
}

/** What the page lacks and what it has too much of. */
export function compare(page: string, listed: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...wanted.filter((name) => !listed.includes(name)).map((name) => `${page} does not list ${name}`),
    ...listed.filter((name) => !wanted.includes(name)).map((name) => `${page} lists ${name}, which the code does not have`),
    ...listed.filter((name, index) => listed.indexOf(name) < index).map((name) => `${page} lists ${name} twice`),
  ];
}

function page(path: string): string[][] | undefined {
  return existsSync(join(root, path)) ? tableRows(readText(path)) : undefined;
}

function staleFiles(): string[] {
  return Object.entries(generatedFiles())
    .filter(([path, content]) => !existsSync(join(root, path)) || readText(path) !== content)
    .map(([path]) => `${path} is out of date; run: npm run docs`);
}

function errorPage(): string[] {
  const rows = page('docs/errors.md');
  return rows ? compare('docs/errors.md', rows.map(([code = '']) => code), Object.keys(errorCodes)) : ['docs/errors.md is missing'];
}

function reasonPage(): string[] {
  const rows = page('docs/reasons.md');
  return rows ? compare('docs/reasons.md', rows.map(([reason = '']) => reason), Object.keys(reasons)) : ['docs/reasons.md is missing'];
}

/** The configuration's keys that are limits, with their defaults, and the maxima of the configuration itself. */
function limitsOfTheCode(): Readonly<Record<string, string>> {
  const limiting = /^(?:limits|timeouts|budgets)\.|^drainTimeout$/;
  const keys = keyRows(configJsonSchema()).filter((row: KeyRow) => limiting.test(row.path)).map((row): [string, string] => [row.path, row.fallback.replaceAll('`', '')]);
  return { ...Object.fromEntries(keys), ...Object.fromEntries(Object.entries(maxima).map(([name, value]) => [`maxima.${name}`, String(value)])) };
}

/** Rows are: limit, number, what happens at it, counter, test. The number is the code's; counter and test exist. */
function limitPage(): string[] {
  const rows = page('docs/limits.md');
  if (!rows) return ['docs/limits.md is missing'];
  const limits = limitsOfTheCode();
  const fixed = rows.filter(([name = '']) => name.startsWith('src/'));
  const configured = rows.filter(([name = '']) => !name.startsWith('src/'));
  const counters = Object.keys(metrics);
  const tests = [...filesBelow('src', '.test.ts'), ...filesBelow('test', '.ts')].map(readText).join('\n').replaceAll("\\'", "'");
  return [
    ...compare('docs/limits.md', configured.map(([name = '']) => name), Object.keys(limits)),
    ...configured.filter(([name = '', number = '']) => name in limits && number !== limits[name]).map(([name = '', number = '']) => `docs/limits.md says ${name} is ${number}; the code says ${limits[name] ?? ''}`),
    ...fixed.flatMap(([name = '', number = '']) => fixedLimit(name, number)),
    ...rows.flatMap(([name = '', , effect = '', counter = '', test = '']) => [
      ...named(counter).filter((word) => !counters.includes(word)).map((word) => `docs/limits.md: ${name} names the counter ${word}, which the code does not have`),
      ...named(test).filter((title) => !tests.includes(title)).map((title) => `docs/limits.md: ${name} names the test ${title}, which there is not`),
      ...(test === '' && !effect.startsWith('Memory only:') ? [`docs/limits.md: ${name} has no test`] : []),
    ]),
  ];
}

/** A limit that is a constant: `src/path.ts: constantName`, whose line holds the number as it is written in the code. */
function fixedLimit(name: string, number: string): string[] {
  const [path = '', constant = ''] = name.split(': ');
  if (!existsSync(join(root, path))) return [`docs/limits.md names ${path}, which there is not`];
  const value = new RegExp(`\\b${constant}(?::\\s*\\w+)?\\s*[=:]\\s*([^;,\\n]+)`).exec(withoutComments(readText(path)))?.[1]?.trim();
  if (value === undefined) return [`docs/limits.md names ${constant}, which ${path} does not have`];
  const written = /`([^`]*)`/.exec(number)?.[1] ?? number;
  return value === written ? [] : [`docs/limits.md says ${name} is ${written}; the code says ${value}`];
}

function named(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

/** Rows are: name, kind, labels, what it is; the words are the code's. */
function metricPage(): string[] {
  const rows = page('docs/metrics.md');
  return rows ? compare('docs/metrics.md', rows.map(([name = '']) => name), Object.keys(metrics)) : ['docs/metrics.md is missing'];
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Rows are: name, version, licence, why, and more. */
function dependencyPage(): string[] {
  const rows = page('docs/dependencies.md');
  if (!rows) return ['docs/dependencies.md is missing'];
  const manifest = JSON.parse(readText('package.json')) as Manifest; // our own file
  const versions = { ...manifest.dependencies, ...manifest.devDependencies };
  return [
    ...compare('docs/dependencies.md', rows.map(([name = '']) => name), Object.keys(versions)),
    ...rows.flatMap(([name = '', version = '', licence = '', why = '']) => [
      ...(versions[name] !== undefined && versions[name] !== version ? [`docs/dependencies.md says ${name} ${version}; package.json says ${versions[name]}`] : []),
      ...(licence === '' || why === '' ? [`docs/dependencies.md has no licence or no reason for ${name}`] : []),
      ...licenceProblem(name, licence),
    ]),
  ];
}

/** The licence is the package's own word, where it is installed. */
function licenceProblem(name: string, licence: string): string[] {
  const path = `node_modules/${name}/package.json`;
  if (!existsSync(join(root, path))) return [];
  const { license } = JSON.parse(readText(path)) as { license?: string }; // npm's own format
  return license === undefined || license === licence ? [] : [`docs/dependencies.md says ${name} is under ${licence}; the package says ${license}`];
}

function lockFile(): string[] {
  const missing = Object.keys(missingEntries(readLock().packages));
  return missing.length === 0 ? [] : [`package-lock.json lacks ${missing.length} optional packages, so that npm ci refuses it; run: bun tools/lock.ts`];
}

/** For the page's own test: keys that are refused must be keys of the schema. */
export function unknownAbsentKeys(): string[] {
  const paths = keyRows(configJsonSchema()).map((row) => row.path.replaceAll('[]', '.*').replaceAll('.NAME', '.*'));
  return notAvailable.map((entry) => entry.path).filter((path) => !paths.includes(path));
}

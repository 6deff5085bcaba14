/**
 * The public suite github.com/http-tests/cache-tests, in a folder the user names (`--suite DIR` or CACHE_TESTS). It is not
 * part of this repository; its tests and the results it publishes of other caches are read where they are.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const kinds = ['required', 'optimal', 'check'] as const;
export type Kind = (typeof kinds)[number];

export interface CacheTest {
  readonly id: string;
  readonly name: string;
  readonly kind: Kind;
}

/** For each test: true, or the kind of failure and its message. */
export type Results = Readonly<Record<string, true | readonly [kind: string, message: string]>>;

export const howToGet = 'cache-tests: not run; it needs a checkout of github.com/http-tests/cache-tests with `npm install` done in it, named by --suite DIR or CACHE_TESTS=DIR';

/** The folder of the checkout, or undefined when none is named. Throws when the folder named is none. */
export function findCheckout(option: string | undefined): string | undefined {
  const named = option ?? process.env['CACHE_TESTS'];
  if (named === undefined || named === '') return undefined;
  const folder = resolve(named);
  if (!existsSync(join(folder, 'test-engine/cli.mjs'))) throw new Error(`${folder} is no checkout of the cache tests: it has no test-engine/cli.mjs`);
  return folder;
}

/** All tests that apply to a shared cache. */
export async function readTests(checkout: string): Promise<readonly CacheTest[]> {
  const module: unknown = await import(join(checkout, 'tests/index.mjs'));
  const suites = member(module, 'default');
  if (!Array.isArray(suites)) throw new Error(`${checkout}: tests/index.mjs does not export a list of suites`);
  return suites.flatMap((suite: unknown) => {
    const tests = member(suite, 'tests');
    return Array.isArray(tests) ? tests.filter((test: unknown) => member(test, 'browser_only') !== true).map(asTest) : [];
  });
}

function asTest(test: unknown): CacheTest {
  const kind = member(test, 'kind') ?? 'required';
  const known = kinds.find((each) => each === kind);
  if (known === undefined) throw new Error(`unknown kind of test: ${JSON.stringify(kind)}`);
  return { id: textOf(test, 'id'), name: textOf(test, 'name'), kind: known };
}

function textOf(test: unknown, name: string): string {
  const value = member(test, name);
  if (typeof value !== 'string') throw new Error(`a test has no ${name}`);
  return value;
}

/** The results the checkout holds for other caches, by name; only those that are there. */
export function readPublished(checkout: string, names: readonly string[]): ReadonlyMap<string, Results> {
  const published = new Map<string, Results>();
  for (const name of names) {
    const file = join(checkout, 'results', `${name}.json`);
    if (existsSync(file)) published.set(name, parseResults(readFileSync(file, 'utf8')));
  }
  return published;
}

export function parseResults(json: string): Results {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== 'object' || parsed === null) throw new Error('the results are no object');
  const results: Record<string, true | readonly [string, string]> = {};
  for (const [id, result] of Object.entries(parsed)) {
    if (result === true) results[id] = true;
    else results[id] = Array.isArray(result) ? [String(result[0]), String(result[1])] : ['unknown', String(result)];
  }
  return results;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

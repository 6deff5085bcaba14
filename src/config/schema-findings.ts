/**
 * From the validator's issues to findings that a person can act on: unknown keys with the key that was probably meant or
 * the place where it belongs, wrong values with the possible ones, missing keys by their own path.
 */
import type { z } from 'zod';
import type { Finding, Path } from './problems.ts';
import { finding, formatPath, nearest } from './problems.ts';

type Issue = z.core.$ZodIssue;
type JsonSchema = Readonly<Record<string, unknown>>;

/** `schema` is the configuration's JSON Schema; it is only read to say what could have been meant. */
export function findingsOf(issues: readonly Issue[], schema: JsonSchema, data: unknown): Finding[] {
  const findings = issues.flatMap((issue) => translate(issue, [], schema, data));
  // Who misspelt a required key has one problem, not two.
  return findings.filter((found) => found.reason !== 'is missing' || !findings.some((other) => isMisspelling(other, found.path)));
}

function isMisspelling(other: Finding, path: Path): boolean {
  return other.hint === `did you mean ${path.at(-1) ?? ''}?` && formatPath(other.path.slice(0, -1)) === formatPath(path.slice(0, -1));
}

function translate(issue: Issue, base: Path, schema: JsonSchema, data: unknown): Finding[] {
  const path: Path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], key, schema));
    case 'invalid_key':
      return [finding(path, issue.issues[0]?.message ?? issue.message, true)];
    case 'invalid_value':
      return [wrongValue(path, issue.values.map(String), valueAt(data, path))];
    case 'invalid_union': {
      // The branch that takes this kind of value says what is wrong inside it; without one, the union's own message does.
      const branch = issue.errors.find((errors) => errors.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys' || inner.code === 'custom'));
      const near = issue.errors.flat().find((inner) => inner.code === 'invalid_value');
      if (branch && branch.length > 0) return branch.flatMap((inner) => translate(inner, path, schema, data));
      const value = valueAt(data, path);
      const meant = near?.code === 'invalid_value' && typeof value === 'string' ? nearest(value, near.values.map(String)) : undefined;
      const own = finding(path, issue.message);
      return [meant === undefined ? own : { ...own, hint: `did you mean ${meant}?` }];
    }
    case 'invalid_type':
      return [wrongType(path, issue.message, valueAt(data, path))];
    default:
      return [finding(path, issue.message)];
  }
}

function unknownKey(path: Path, key: string, schema: JsonSchema): Finding {
  const here = propertiesAt(schema, path.slice(0, -1));
  const meant = nearest(key, here);
  if (meant !== undefined) return { path, reason: 'is not a known key', hint: `did you mean ${meant}?`, atKey: true };
  const elsewhere = keyPaths(schema, []).find((other) => other.at(-1) === key);
  const list = here.slice(0, 12).join(', ');
  const hint = elsewhere === undefined ? `known here: ${list}${here.length > 12 ? ', ...' : ''}` : `it belongs at ${formatPath(elsewhere)}`;
  return { path, reason: 'is not a known key', hint, atKey: true };
}

function wrongValue(path: Path, values: readonly string[], value: unknown): Finding {
  const expected = values.length === 1 ? `expected ${values[0] ?? ''}` : `expected one of ${values.join(', ')}`;
  if (value === undefined) return { path, reason: 'is missing', hint: expected };
  const meant = typeof value === 'string' ? nearest(value, values) : undefined;
  return { path, reason: expected, hint: meant === undefined ? '' : `did you mean ${meant}?` };
}

function wrongType(path: Path, message: string, value: unknown): Finding {
  const own = finding(path, message);
  if (!message.startsWith('Invalid input: expected ')) return own;
  const kind = /expected (\w+)/.exec(message)?.[1] ?? '';
  const names: Readonly<Record<string, string>> = { array: 'a list', object: 'keys and values', record: 'names with keys and values', string: 'a string', number: 'a number', boolean: 'true or false', tuple: 'a list' };
  const wanted = names[kind] ?? kind;
  if (value === undefined) return { path, reason: 'is missing', hint: `expected ${wanted}` };
  return { path, reason: `expected ${wanted}`, hint: kind === 'string' && typeof value !== 'object' ? 'put quotes round it' : '' };
}

export function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step]; // an object that has the key
  }
  return value;
}

/** The schemas a value at this path may have: one, or each branch of a union. */
function schemasAt(schema: JsonSchema, path: Path): JsonSchema[] {
  let level = branches(schema);
  for (const step of path) level = level.flatMap((at) => branches(child(at, step)));
  return level;
}

function branches(schema: JsonSchema | undefined): JsonSchema[] {
  if (!schema) return [];
  return Array.isArray(schema['anyOf']) ? schema['anyOf'].filter(isSchema) : [schema];
}

function child(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  const properties = schema['properties'];
  const found = typeof step === 'number' ? schema['items'] : isSchema(properties) && Object.hasOwn(properties, step) ? properties[step] : schema['additionalProperties'];
  return isSchema(found) ? found : undefined;
}

function propertiesAt(schema: JsonSchema, path: Path): string[] {
  return schemasAt(schema, path).flatMap((at) => (isSchema(at['properties']) ? Object.keys(at['properties']) : []));
}

function keyPaths(schema: JsonSchema, base: Path): Path[] {
  return branches(schema).flatMap((at) => {
    const own = isSchema(at['properties']) ? Object.entries(at['properties']) : [];
    return own.flatMap(([key, inner]): Path[] => [[...base, key], ...(isSchema(inner) ? keyPaths(inner, [...base, key]) : [])]);
  });
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * `${env:NAME}` in strings of the configuration, so that secrets stay out of the file. A missing variable is a problem,
 * never an empty string. What a variable contains is not looked through again.
 */
import type { Finding, Path } from './problems.ts';
import { finding } from './problems.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$\{env:([^}]*)\}?/g;
const shielded = /\$\uE000env:(\w*)\uE001/g;

/**
 * Makes `${env:NAME}` safe inside `{ ... }` and `[ ... ]`, where YAML would take its brace for a map: braces become private-use
 * characters of the same length, so that lines and columns stay true. `substituteEnvironment` undoes it.
 */
export function shieldReferences(text: string): string {
  return text.replace(/\$\{env:(\w*)\}/g, '$\uE000env:$1\uE001');
}

function unshield(text: string): string {
  return text.includes('\uE000') ? text.replace(shielded, '${env:$1}') : text;
}

/** The data with references replaced, and a finding for each that can't be. */
export function substituteEnvironment(data: unknown, env: Environment): { readonly data: unknown; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const walk = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return substitute(unshield(value), path);
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [unshield(key), walk(inner, [...path, key])]));
  };
  const substitute = (text: string, path: Path): string =>
    text.replace(reference, (whole, name: string) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || !whole.endsWith('}')) {
        findings.push(finding(path, `has a reference that is not understood: ${whole}; write it like \${env:NAME}`));
        return whole;
      }
      const found = env[name];
      if (found === undefined) findings.push(finding(path, `the environment variable ${name} is not set; set it, or write the value here`));
      return found ?? whole;
    });
  return { data: walk(data, []), findings };
}

/**
 * The repository's own files as the checks see them: where they are, and their text without comments. Reads, never writes.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dir, '..');

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** All files below a folder whose names end so, as paths from the repository's root, sorted. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.includes('node_modules'))
    .map((name) => `${folder}/${name}`)
    .sort();
}

/** The source with comments blanked, line numbers kept. House style keeps `//` out of one-line strings but in URLs, which stay. */
export function withoutComments(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[\s;,{}()])\/\/[^\n]*/g, '$1');
}

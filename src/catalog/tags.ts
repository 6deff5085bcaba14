/**
 * The words an origin groups its pages by: Surrogate-Key (separated by spaces), Cache-Tag (by commas), and Cache-Groups (RFC 9875, a list of
 * strings). Bounded: of one page so many words, of so many characters. Pure.
 */
import { parseList } from 'structured-headers';
import type { HeaderList } from '../http/headers.ts';

/** Tags of one copy; further ones are not looked at. */
export const tagsMax = 256;
const tagCharactersMax = 256;

export function tagsOf(headers: HeaderList): readonly string[] {
  const tags = new Set<string>();
  for (const [name, value] of headers) {
    if (name === 'surrogate-key') add(tags, value.split(/\s+/));
    else if (name === 'cache-tag') add(tags, value.split(',').map((tag) => tag.trim()));
    else if (name === 'cache-groups') add(tags, groupsOf(value));
  }
  return [...tags];
}

function add(tags: Set<string>, words: readonly string[]): void {
  for (const word of words) if (word !== '' && word.length <= tagCharactersMax && tags.size < tagsMax) tags.add(word);
}

/** An invalid field is no field (RFC 9651 §4.2). */
function groupsOf(value: string): string[] {
  try {
    return parseList(value).flatMap(([item]) => (typeof item === 'string' ? item : []));
  } catch {
    return [];
  }
}

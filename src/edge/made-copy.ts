/**
 * Copies that are made of others to be sent: with another body, and header fields that are true of it. The record's identity, age and
 * freshness stay; such a copy is never kept in a store.
 */
import { codedTag, decodeBody, headerReader, listMembers, validatorsOf, type HeaderList, type Validators } from '../http/index.ts';
import type { Copy, Sending } from './copies.ts';
import { codingOf } from './decoding.ts';

/** Of the bytes as the origin sent them (RFC 9110 §8.6, §14.3, RFC 9530, RFC 3230, RFC 1864): untrue in another coding. */
const ofTheBytes: ReadonlySet<string> = new Set(['content-length', 'content-encoding', 'accept-ranges', 'content-md5', 'digest', 'content-digest', 'repr-digest', 'unencoded-digest']);

export interface Making {
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly validators: Validators;
  readonly selection?: Sending['selection'];
  readonly choices?: string;
  readonly holdsUntilMs?: number;
}

export function makeOf(copy: Copy, making: Making): Copy {
  const { headers, body, validators, selection = 'any', choices = copy.sending?.choices ?? '', holdsUntilMs = copy.sending?.holdsUntilMs ?? Number.POSITIVE_INFINITY } = making;
  return {
    ...copy, body, validators, record: { ...copy.record, headers }, coding: codingOf(headers),
    prepared: undefined, parts: undefined, made: undefined, sending: { selection, choices, holdsUntilMs, uses: 0 },
  };
}

/** The copy without its coding; undefined where that can't be taken off. Its tag is weak, for the origin gave it to other bytes. */
export function decodedCopy(copy: Copy, bytesMax: number): Copy | undefined {
  const body = decodeBody(copy.body, copy.coding, bytesMax);
  if (!body) return undefined;
  const headers = plainFields(copy.record.headers);
  return makeOf(copy, { headers: withVary(headers, ['accept-encoding']), body, validators: validatorsOf(headerReader(headers), copy.record.responseTimeMs) });
}

/** What the fields of a coded answer still say of its body without the coding. */
export function plainFields(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => !ofTheBytes.has(name)).map(([name, value]) => [name, name === 'etag' && value.startsWith('"') ? `W/${value}` : value] as const);
}

/** The copy in a content coding. Conditions are judged by the tag that it has in any coding. */
export function codedCopy(copy: Copy, coding: string, body: Uint8Array): Copy {
  const headers = copy.record.headers.filter(([name]) => !ofTheBytes.has(name)).map(([name, value]) => [name, name === 'etag' ? codedTag(value, coding) : value] as const);
  return makeOf(copy, { headers: withVary([...headers, ['content-encoding', coding]], ['accept-encoding']), body, validators: copy.validators, selection: 'whole' });
}

/** The fields with these names in Vary. */
export function withVary(headers: HeaderList, names: readonly string[]): HeaderList {
  const present = new Set(headers.flatMap(([name, value]) => (name === 'vary' ? listMembers(value.toLowerCase()) : [])));
  const added = names.filter((name) => !present.has(name));
  return added.length === 0 || present.has('*') ? headers : [...headers, ['vary', added.join(', ')]];
}

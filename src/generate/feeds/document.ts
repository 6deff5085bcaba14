/**
 * From bytes to a document that is safe to keep, or a refusal with its sentence. Size, depth and number of values are counted before anything
 * is parsed, so that hostile JSON costs one pass over its bytes. Keys named `__proto__` are left out: a careless copy of the document would
 * turn them into a prototype. Pure.
 */
import { z } from 'zod';
import type { FeedRefusal } from './refusals.ts';

/** Largest document as it is kept, after decoding. */
export const documentBytesMax = 4 * 1024 * 1024;
export const depthMax = 64;
export const documentValuesMax = 200_000;
/** Of what a schema says, as much goes into a sentence. */
const problemCharactersMax = 160;

export type Schema = (document: unknown) => string | undefined;

export interface Refused {
  readonly kind: 'refused';
  readonly reason: FeedRefusal;
  /** A sentence for the operator: neither secrets nor values of the document. */
  readonly message: string;
}

export type DocumentResult = { readonly kind: 'document'; readonly document: unknown } | Refused;

/** Throws for what is no JSON Schema. The compiled schema answers with what does not fit, or undefined. */
export function compileSchema(schema: Readonly<Record<string, unknown>> | undefined): Schema | undefined {
  if (schema === undefined) return undefined;
  const compiled = z.fromJSONSchema(schema);
  return (document) => {
    const { error } = compiled.safeParse(document);
    if (!error) return undefined;
    const [issue] = error.issues;
    const path = (issue?.path ?? []).map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    const text = `at ${path === '' ? 'its root' : path}: ${issue?.message ?? 'it does not fit'}`;
    return text.length > problemCharactersMax ? `${text.slice(0, problemCharactersMax)}…` : text;
  };
}

export function readDocument(bytes: Uint8Array, schema: Schema | undefined): DocumentResult {
  if (bytes.length > documentBytesMax) return refused('too-large', `the document has more than ${documentBytesMax} bytes`);
  const { depth, values } = measureJson(bytes);
  if (depth > depthMax) return refused('too-deep', `the document is nested deeper than ${depthMax} levels`);
  if (values > documentValuesMax) return refused('too-many-values', `the document has more than ${documentValuesMax} values`);
  let document: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes); // a byte order mark is left out
    document = JSON.parse(text);
    // Written plainly or with an escape somewhere in it: then each key is looked at.
    if (text.includes('__proto__') || text.includes('\\u')) dropPrototypeKeys(document);
  } catch {
    return refused('not-json', bytes.length === 0 ? 'the document is empty' : 'the document is not JSON in UTF-8');
  }
  const misfit = schema?.(document);
  return misfit === undefined ? { kind: 'document', document } : refused('schema', `the document does not fit the schema, ${misfit}`);
}

const refused = (reason: FeedRefusal, message: string): Refused => ({ kind: 'refused', reason, message });

const quote = 0x22;
const backslash = 0x5c;

/** Levels of nesting and number of values of valid JSON (a key is no value); stops counting beyond a limit. Of anything else, some numbers. */
function measureJson(bytes: Uint8Array): { readonly depth: number; readonly values: number } {
  let depth = 0;
  let deepest = 0;
  let values = 0;
  let inScalar = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      for (at++; at < bytes.length && bytes[at] !== quote; at++) if (bytes[at] === backslash) at++;
      values++;
      inScalar = false;
    } else if (byte === 0x7b || byte === 0x5b) { // { [
      values++;
      if (++depth > deepest) deepest = depth;
      inScalar = false;
      if (deepest > depthMax) break;
    } else if (byte === 0x7d || byte === 0x5d) { // } ]
      depth--;
      inScalar = false;
    } else if (byte === 0x3a) { // : makes the string before it a key
      values--;
    } else if (byte === 0x2c || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      inScalar = false;
    } else if (!inScalar) {
      inScalar = true;
      values++;
    }
    if (values > documentValuesMax + 1) break; // one more may still turn out to be a key
  }
  return { depth: deepest, values };
}

/** As deep as a document may be. */
function dropPrototypeKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__');
  for (const inner of Object.values(value)) dropPrototypeKeys(inner);
}

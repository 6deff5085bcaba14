/**
 * The `Foreshadow` answer field: who answered, why, from which version, how old. One Structured Field dictionary
 * (RFC 9651) whose member `source` carries the rest as parameters; built as text on the serving path, parsed where answers
 * are looked at (tests, benchmarks, the command line).
 */
import { parseDictionary, Token } from 'structured-headers';
import { quoteSfString } from './cache-status.ts';

export interface ForeshadowField {
  readonly source: string;
  readonly reason: string;
  readonly version?: number;
  readonly region?: string;
  readonly ageS?: number;
  /** Left out where the resource does not differ. */
  readonly variation?: string;
}

/** Builds the value. `source` and `reason` are words of our closed lists; `region` may be any text. */
export function buildForeshadowField(field: ForeshadowField): string {
  let value = `source=${field.source}; reason=${field.reason}`;
  if (field.version !== undefined) value += `; version=${field.version}`;
  if (field.region !== undefined) value += `; region=${tokenOrString(field.region)}`;
  if (field.ageS !== undefined) value += `; age=${field.ageS}`;
  if (field.variation !== undefined && field.variation !== '') value += `; variation=${quoteSfString(field.variation)}`;
  return value;
}

function tokenOrString(text: string): string {
  return /^[A-Za-z*][A-Za-z0-9._:/*-]*$/.test(text) ? text : quoteSfString(text);
}

/** Reads the field; undefined when absent or not ours to understand. */
export function parseForeshadowField(value: string | null): ForeshadowField | undefined {
  if (value === null) return undefined;
  try {
    const member = parseDictionary(value).get('source');
    if (member === undefined) return undefined;
    const [sourceItem, parameters] = member;
    const text = (bare: unknown): string | undefined =>
      bare instanceof Token ? bare.toString() : typeof bare === 'string' ? bare : undefined;
    const whole = (bare: unknown): number | undefined => (typeof bare === 'number' ? bare : undefined);
    const source = text(sourceItem);
    const reason = text(parameters.get('reason'));
    if (source === undefined || reason === undefined) return undefined;
    const version = whole(parameters.get('version'));
    const region = text(parameters.get('region'));
    const age = whole(parameters.get('age'));
    const variation = text(parameters.get('variation'));
    return {
      source, reason,
      ...(version !== undefined && { version }), ...(region !== undefined && { region }),
      ...(age !== undefined && { ageS: age }), ...(variation !== undefined && { variation }),
    };
  } catch {
    return undefined; // not a dictionary: somebody else's field of this name
  }
}

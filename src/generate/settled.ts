/**
 * Which copies need no renewal however old they are, by the origin's own word: within their lifetime, those it calls immutable (RFC 8246), and
 * those it lets live for a month or more under a name that carries a fingerprint of the content (`app.3f9a1c07.js`): another content has another name. Pure.
 */
import type { ShadowRecord } from '../catalog/shadow-record.ts';
import { freshnessOf, headerReader, resourceTarget, responseDirectives } from '../http/index.ts';

const longLivedMs = 30 * 86_400_000;
/** So long before the end of its lifetime a copy is renewed like any other: an outage may begin. */
const endMarginMs = 3_600_000;
/** Eight or more hexadecimal digits, or letters and digits mixed, as a part of the file's name. */
const fingerprint = /(?:^|[.\-_~])(?:[0-9a-f]{8,64}|(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9_]{8,64})(?=[.\-_~]|$)/;

export function isSettled(copy: ShadowRecord, nowMs: number): boolean {
  if (copy.status !== 200) return false;
  // Most copies end here: planning asks this of every copy about once a second.
  if (!copy.headers.some(([name, value]) => name.endsWith('cache-control') && value.includes('immutable')) && !hasFingerprint(copy)) return false;
  const { directives } = responseDirectives(headerReader(copy.headers));
  const { freshUntilMs, bornMs, alwaysValidate, heuristic } = freshnessOf(copy);
  if (alwaysValidate || heuristic || nowMs >= freshUntilMs - endMarginMs) return false;
  return directives.immutable || freshUntilMs - bornMs >= longLivedMs;
}

function hasFingerprint({ resource }: ShadowRecord): boolean {
  const [path = ''] = resourceTarget(resource).target.split('?', 1);
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.includes('.') && fingerprint.test(name.slice(0, name.lastIndexOf('.')));
}

/**
 * Whether an answer repeats a host name that its visitor chose and the site did not declare. Such an answer may be made for that
 * visitor alone (links and scripts under a name of an attacker's choice) and is never kept. What can't be judged counts as repeating.
 */
import { decodeBody, endToEnd } from '../http/index.ts';
import type { WholeAnswer } from './capture.ts';
import type { SiteRules } from './site-rules.ts';
import type { Visit } from './visit.ts';

/** A coded body is decoded to be looked at, up to this size; it costs about 1.3 µs a KiB. */
const decodedBytesMax = 16 * 1024 * 1024;
/** Other characters of a host are written in many ways (`&amp;`, `%26`), so that their absence proves nothing. */
const plain = /^[a-z0-9.:_-]+$/;

export function repeatsForeignHost(visit: Visit, answer: WholeAnswer, site: SiteRules): boolean {
  for (const host of toldHosts(visit)) {
    if (host === '' || site.declaresHost(host) || isOwnMachine(host, visit)) continue;
    if (repeats(answer, host.replace(/:\d*$/, '').replace(/^\[|\]$/g, ''))) return true;
  }
  return false;
}

/** What the origin was told: the visitor's Host, and what trusted proxies say it was before them. */
function toldHosts(visit: Visit): ReadonlySet<string> {
  const hosts = new Set([visit.host]);
  if (!visit.peer.trusted) return hosts;
  for (const host of visit.get('x-forwarded-host')?.split(',') ?? []) hosts.add(host.trim().toLowerCase());
  for (const [, host = ''] of (visit.get('forwarded') ?? '').matchAll(/host="?([^",;]*)/gi)) hosts.add(host.trim().toLowerCase());
  return hosts;
}

/** Somebody on this machine who reaches us by such a name chose nothing. From elsewhere, by a proxy here too, it is made up. */
function isOwnMachine(host: string, visit: Visit): boolean {
  if (!/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d*)?$/.test(host)) return false;
  return !visit.peer.trusted && (visit.peer.address === '::1' || visit.peer.address.startsWith('127.'));
}

function repeats(answer: WholeAnswer, name: string): boolean {
  if (!plain.test(name)) return true;
  const anyCase = new RegExp(name.replaceAll('.', '\\.'), 'i');
  if (endToEnd([...answer.headers]).some(([, value]) => anyCase.test(value))) return true;
  if (!answer.body || answer.body.byteLength === 0) return false;
  const body = decodeBody(answer.body, answer.headers.get('content-encoding'), decodedBytesMax);
  return body === undefined || anyCase.test(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'));
}

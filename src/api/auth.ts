/**
 * Who may ask the API. Tokens are known by their SHA-256 only and compared in constant time, all of them each time. Without
 * tokens the listener is bound to loopback and everybody who can reach it is the operator; then the Host must be a
 * loopback name, so that no web page can reach it under a name of its own (DNS rebinding).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AdminToken, ListenAddress } from '../config/types.ts';
import { ForeshadowError } from '../kernel/index.ts';

export type Role = AdminToken['role'];

export type Access =
  | { readonly ok: true; readonly role: Role; readonly name: string }
  | { readonly ok: false; readonly status: 401 | 403; readonly detail: string };

const rank: Readonly<Record<Role, number>> = { viewer: 0, operator: 1 };

/** Whether this Authorization field allows what `needed` may do. */
export function authorize(tokens: readonly AdminToken[], authorization: string | null, needed: Role): Access {
  if (tokens.length === 0) return { ok: true, role: 'operator', name: 'local' };
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return { ok: false, status: 401, detail: 'send "Authorization: Bearer TOKEN"' };
  const given = createHash('sha256').update(token).digest();
  let found: AdminToken | undefined;
  for (const known of tokens) {
    const expected = Buffer.from(known.sha256, 'hex');
    if (expected.length === given.length && timingSafeEqual(expected, given)) found = known;
  }
  if (!found) return { ok: false, status: 401, detail: 'the token is not known' };
  if (rank[found.role] < rank[needed]) return { ok: false, status: 403, detail: `this takes the role ${needed}; the token has the role ${found.role}` };
  return { ok: true, role: found.role, name: found.name };
}

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

function isLoopback(hostname: string): boolean {
  return loopbackNames.has(hostname) || hostname === '::1' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Whether a request with this Host field may be answered. */
export function hostAllowed(tokens: readonly AdminToken[], host: string | null): boolean {
  if (tokens.length > 0) return true;
  const name = (host ?? '').toLowerCase().replace(/:\d+$/, '');
  return isLoopback(name);
}

/** Refuses to open an API without tokens to the network. */
export function checkListen(listen: ListenAddress, tokens: readonly AdminToken[]): void {
  if (tokens.length > 0 || isLoopback(listen.hostname)) return;
  throw new ForeshadowError('listen-failed', {
    source: 'config', message: `admin.listen is ${listen.hostname}, which others can reach, and there are no admin.tokens`,
    hint: 'add a token, or listen on 127.0.0.1',
  });
}

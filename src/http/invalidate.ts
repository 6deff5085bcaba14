/**
 * Which stored answers an unsafe request makes wrong (RFC 9111 §4.4): those of its target, and of the same-origin
 * targets that its answer's Location and Content-Location name.
 */
import type { HeaderReader } from './headers.ts';

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Whether the method may change things at the origin. Unknown methods may. */
export function isUnsafe(method: string): boolean {
  return !safeMethods.has(method);
}

/**
 * Request targets (path with query) to forget after an unsafe request, the request's own first. Empty for safe methods and for
 * answers that are errors. `target` is the request's path with query, `authority` its Host as the client sent it.
 */
export function invalidatedTargets(
  method: string, status: number, scheme: 'http' | 'https', authority: string, target: string, response: HeaderReader,
): readonly string[] {
  if (!isUnsafe(method) || status < 200 || status >= 400) return [];
  const targets = [target];
  for (const name of ['location', 'content-location']) {
    const reference = response.get(name);
    const named = reference === null ? undefined : sameOriginTarget(reference, scheme, authority, target);
    if (named !== undefined && !targets.includes(named)) targets.push(named);
  }
  return targets;
}

function sameOriginTarget(reference: string, scheme: string, authority: string, target: string): string | undefined {
  const base = `${scheme}://${authority}`;
  // A target such as `//a` must not be read as an authority.
  if (!URL.canParse(base) || !URL.canParse(reference, base + target)) return undefined;
  const named = new URL(reference, base + target);
  return named.origin === new URL(base).origin ? named.pathname + named.search : undefined;
}

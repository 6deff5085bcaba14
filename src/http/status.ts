/** Which status codes a cache may keep, and which are good enough to stand in for a failing origin. */

const heuristic: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);
const understood: ReadonlySet<number> = new Set([...heuristic, 302, 303, 307]);
const shadow: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 410]);
const good: ReadonlySet<number> = new Set([200, 203, 300, 301, 308]);

/** RFC 9110 §15.1: may be reused on a guessed lifetime. */
export function isHeuristicallyCacheable(status: number): boolean {
  return heuristic.has(status);
}

/** Codes whose caching rules we implement, for must-understand (RFC 9111 §5.2.2.3). */
export function isUnderstood(status: number): boolean {
  return understood.has(status);
}

/** May be served in an outage where the origin gave it a lifetime. Errors never may. */
export function isShadowStatus(status: number): boolean {
  return shadow.has(status);
}

/** May be served in an outage even if the origin said nothing about caching: redirects of the moment and absences may not. */
export function isGoodStatus(status: number): boolean {
  return good.has(status);
}

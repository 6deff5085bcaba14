/**
 * robots.txt (RFC 9309) as the generator reads it: it binds what nobody has asked for. What people ask for is prepared
 * whatever it says, because then the visitor is the reason, not the robot. Unreachable or failing: nothing unasked is fetched
 * until it can be read (§2.3.1.4); absent: everything may be (§2.3.1.3).
 */
import robotsParser from 'robots-parser';

/** §2.5: at least 500 KiB must be read; what is beyond is not. */
export const robotsBytesMax = 512 * 1024;

export interface Robots {
  allows(path: string): boolean;
  readonly sitemaps: readonly string[];
}

export const allowAll: Robots = { allows: () => true, sitemaps: [] };
export const allowNothing: Robots = { allows: () => false, sitemaps: [] };

/** Rules for the product named first in `userAgent`. `robotsUrl` is where the file was read. */
export function parseRobots(text: string, robotsUrl: string, userAgent: string): Robots {
  const product = /^[A-Za-z_-]+/.exec(userAgent)?.[0] ?? 'Foreshadow';
  const rules = robotsParser(robotsUrl, text.slice(0, robotsBytesMax));
  const origin = new URL(robotsUrl).origin;
  return {
    allows: (path) => rules.isAllowed(origin + path, product) ?? true,
    sitemaps: rules.getSitemaps().slice(0, 100),
  };
}

/** What a status means for the file (RFC 9309 §2.3.1); undefined: read the body. */
export function robotsByStatus(status: number): Robots | undefined {
  if (status >= 200 && status < 300) return undefined;
  return status >= 500 || status === 429 ? allowNothing : allowAll;
}

/** Host names as they are compared. */

/** Lower case, without the port that goes without saying. */
export function plainHost(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith(':80') ? lower.slice(0, -3) : lower.endsWith(':443') ? lower.slice(0, -4) : lower;
}

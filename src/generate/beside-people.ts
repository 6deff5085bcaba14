/**
 * What generation may do to people at the origin: how their latency is judged, and how much may be asked beside them. Pure; the numbers were
 * chosen with `npm run bench -- politeness`.
 */

/** What an edge says of the origin; a subset of the bus's report. */
export interface OriginCondition {
  readonly atMs: number;
  readonly view: { readonly state: 'healthy' | 'strained' | 'failing' | 'down' | 'recovering'; readonly share: number; readonly sinceMs: number };
  readonly latencyP95Ms: number | undefined;
  readonly usualP95Ms: number | undefined;
  readonly requestsPerSecond: number;
  /** How probable it is that the origin fails soon, 0 to 1; absent where nobody forecasts it. */
  readonly failureExpected?: number | undefined;
}

/** By how much people may come to wait longer because of generation, as its part beside their requests, where a request's wait is as long as its service. */
const gentlePart = 0.0005;
/** Where nobody is seen to wait: the whole limit for a site nobody visits, falling to a part of it where people ask this part of the limit or more. */
const busyPart = 0.25;
const besidePart = 0.15;
const besidePeoplePart = 0.05;
/** Congested when people's latency exceeds twice the usual and 50 ms on top: jitter of fast origins is no congestion. */
const congestedFactor = 2;
const congestedMarginMs = 50;
/** Slightly so beyond 5 % and three standard errors of a 95th percentile over the report's 10 s. */
const slightlyPart = 0.05;
const slightlyMarginMs = 2;
const reportSeconds = 10;
const percentileError = 1.45;

export function slower(condition: OriginCondition | undefined, factor: number, marginMs: number): boolean {
  const { latencyP95Ms, usualP95Ms } = condition ?? {};
  return latencyP95Ms !== undefined && usualP95Ms !== undefined && latencyP95Ms > usualP95Ms * factor + marginMs;
}

/** Whether people wait longer than usual, and more so than chance explains. */
export function latencyVerdict(condition: OriginCondition | undefined): 'congested' | 'slightly' | undefined {
  if (slower(condition, congestedFactor, congestedMarginMs)) return 'congested';
  const error = percentileError / Math.sqrt(Math.max(1, reportSeconds * (condition?.requestsPerSecond ?? 0)));
  return slower(condition, 1 + slightlyPart + 3 * error, slightlyMarginMs) ? 'slightly' : undefined;
}

/** Requests a second that people, who send so many and wait at the origin `wait` times as long as they are served, will hardly notice. */
export function gentleRate(people: number, wait: number, limit: number): number {
  if (people === 0) return Number.POSITIVE_INFINITY;
  const alone = Math.max(0, 1 - people / (limit * busyPart));
  const beside = limit * (besidePart + (1 - besidePart) * alone) + people * besidePeoplePart;
  return wait > 0 ? Math.min(beside, (gentlePart * people) / wait) : beside;
}

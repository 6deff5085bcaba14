/**
 * The closed list of reasons, one word for the response header, the log, the metric and the dashboard.
 * `docs/reasons.md` explains each to the people on call; a test holds the two together.
 */
export const reasons = {
  'fresh': 'A copy that is fresh by the origin\'s own headers answered (RFC 9111).',
  'revalidated': 'The origin confirmed that the copy is still good (304).',
  'stale-while-revalidate': 'A copy within the origin\'s stale-while-revalidate answered while it is refreshed.',
  'coalesced': 'An equal request was already at the origin; its answer was shared.',
  'origin-well': 'The origin answered; it is healthy.',
  'returned': 'The origin is recovering and this visitor belongs to the share that has been given back to it.',
  'trial': 'The origin is not trusted yet; this request tried it, with a shadow at hand.',
  'no-shadow': 'No shadow exists, so only the origin could answer.',
  'shadow-forbidden': 'The route or the origin\'s headers forbid shadows, so only the origin could answer.',
  'method': 'Only GET and HEAD are answered from shadows.',
  'upgrade': 'A WebSocket or other upgrade goes to the origin.',
  'only-if-cached': 'The client asked for a stored answer only, and there is none.',
  'origin-share': 'The origin is strained; this visitor belongs to the share that it still answers.',
  'origin-strained': 'The origin is strained; this request belongs to the share that shadows take over.',
  'origin-failing': 'The origin is failing; shadows answer.',
  'origin-down': 'The origin is known to be down and was not asked.',
  'origin-recovering': 'The origin is recovering and this request is not among those given back to it yet.',
  'late': 'The origin took longer than the rescue delay.',
  'refused': 'The origin could not be connected to.',
  'timeout': 'The origin did not answer within its time-out.',
  'error-status': 'The origin answered with 429, 500, 502, 503 or 504.',
  'cut': 'The origin\'s answer ended before it was whole.',
  'fragment-failed': 'A part of the page (Edge Side Includes) could not be had, and there is no copy of the page.',
  'client-left': 'The client left before there was an answer.',
  'overloaded': 'As many requests as allowed were already waiting for the origin.',
  'loop': 'The request had passed through this site\'s Foreshadow before.',
  'uri-too-long': 'The URL is longer than limits.url.',
  'header-too-large': 'The header fields are larger than limits.headers.',
  'body-too-large': 'The body is larger than limits.requestBody.',
  'bad-request': 'The request can not be read one way only (two Hosts, an absolute URL of another host, a forbidden path).',
  'unknown-host': 'The Host is not one of the site\'s.',
  'draining': 'The edge is shutting down.',
} as const;

export type Reason = keyof typeof reasons;

/** Who answered. */
export type Source = 'origin' | 'shadow' | 'rescue' | 'peer' | 'redirect' | 'none';

/**
 * The decision for one request, as a table: what it is, what copy there is, how the origin stands. Pure; the whole table is
 * in docs/routing.md. Rules above all others: only reads are answered by copies, nothing is refused that a copy may answer,
 * and an origin that is down is asked nothing.
 */
import type { Reason } from './reasons.ts';
import type { Action, Decision, RoutedRequest, Standing } from './types.ts';

/** Wait for a copy of another variation to stand in for an answer that is only late: people get their own if at all possible. */
const standInAfterMs = 1000;
const slotWaitMs = 1000;

function fixed(action: Action, reason: Reason, waitMs = 0): Decision {
  return Object.freeze({ action, reason, rescueAfterMs: 0, waitMs });
}

const fresh = fixed('serve', 'fresh');
const revalidating = fixed('serve-and-refresh', 'stale-while-revalidate');
const servedOverloaded = fixed('serve', 'overloaded');
const servedStrained = fixed('serve', 'origin-strained');
const servedFailing = fixed('serve', 'origin-failing');
const servedDown = fixed('serve', 'origin-down');
const servedRecovering = fixed('serve', 'origin-recovering');
const toMethod = fixed('origin', 'method');
const toUpgrade = fixed('origin', 'upgrade');
const toNoShadow = fixed('origin', 'no-shadow');
const toForbidden = fixed('origin', 'shadow-forbidden');
const refusedDown = fixed('refuse', 'origin-down');
const refusedOverloaded = fixed('refuse', 'overloaded', slotWaitMs);
const refusedOnlyCached = fixed('refuse', 'only-if-cached');

export function decide(request: RoutedRequest, standing: Standing): Decision {
  if (request.method !== 'read') return onlyOrigin(request.method === 'upgrade' ? toUpgrade : toMethod, standing);
  switch (request.copy) {
    case 'fresh': return fresh;
    case 'stale-while-revalidate': return revalidate(standing);
    case 'none': return uncovered(request, standing);
    case 'stale': case 'stand-in': return request.shadowAllowed ? covered(request, standing) : uncovered(request, standing);
  }
}

/** A copy that the origin lets answer while it is refreshed: refreshed only by an origin that has room for it. */
function revalidate(standing: Standing): Decision {
  switch (standing.state) {
    case 'healthy': return revalidating;
    case 'strained': return standing.onOriginSide ? revalidating : servedStrained;
    case 'recovering': return standing.onOriginSide && standing.slotForCovered ? revalidating : servedRecovering;
    case 'failing': return servedFailing;
    case 'down': return servedDown;
  }
}

/** A copy may answer in the origin's stead. */
function covered(request: RoutedRequest, standing: Standing): Decision {
  switch (standing.state) {
    case 'healthy':
      if (request.onlyIfCached) return refusedOnlyCached;
      return standing.slotForCovered ? tryOrigin('origin-well', request, standing) : servedOverloaded;
    case 'strained':
      if (request.onlyIfCached || !standing.onOriginSide) return servedStrained;
      return standing.slotForCovered ? tryOrigin('origin-share', request, standing) : servedOverloaded;
    case 'recovering':
      if (request.onlyIfCached || !standing.onOriginSide || !standing.slotForCovered) return servedRecovering;
      return tryOrigin('returned', request, standing);
    case 'failing': return mayTry(request, standing) ? tryOrigin('trial', request, standing) : servedFailing;
    case 'down': return mayTry(request, standing) ? tryOrigin('trial', request, standing) : servedDown;
  }
}

/** A trial has the very copy at hand that is to be served if it fails. */
function mayTry(request: RoutedRequest, standing: Standing): boolean {
  return standing.trialDue && request.copy === 'stale' && !request.onlyIfCached;
}

/** Nothing but the origin can answer. */
function uncovered(request: RoutedRequest, standing: Standing): Decision {
  if (request.onlyIfCached) return refusedOnlyCached;
  return onlyOrigin(request.shadowAllowed ? toNoShadow : toForbidden, standing);
}

function onlyOrigin(forward: Decision, standing: Standing): Decision {
  switch (standing.state) {
    case 'healthy': case 'strained': return forward;
    case 'failing': case 'recovering': return standing.slotForUncovered ? forward : refusedOverloaded;
    case 'down': return refusedDown;
  }
}

function tryOrigin(reason: Reason, request: RoutedRequest, standing: Standing): Decision {
  const rescueAfterMs = request.copy === 'stand-in' ? Math.max(standInAfterMs, standing.rescueAfterMs) : standing.rescueAfterMs;
  return { action: 'origin-or-rescue', reason, rescueAfterMs, waitMs: 0 };
}

/** Whether the origin and a copy could both answer, so that the share decides: what the share is a share of. */
export function isEligible(request: RoutedRequest): boolean {
  if (request.method !== 'read') return false;
  switch (request.copy) {
    case 'none': case 'fresh': return false;
    case 'stale-while-revalidate': return true;
    case 'stale': case 'stand-in': return request.shadowAllowed && !request.onlyIfCached;
  }
}

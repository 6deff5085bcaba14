/**
 * Which copy there is for a visit, and what it may do: answer as a cache while the origin is well, or only in its stead.
 */
import type { Config } from '../config/index.ts';
import { judgeReuse, mayAnswerInOutage } from '../http/index.ts';
import { chooseVariation } from '../route/index.ts';
import type { Copies, Copy } from './copies.ts';
import type { Visit } from './visit.ts';

export interface LookupRules {
  readonly copies: Copies;
  readonly serveStaleForMs: Config['freshness']['serveStaleForMs'];
  /** Whether the coding of a copy can be taken off, for a client that does not accept it. */
  readonly decodes: (copy: Copy) => boolean;
}

/** Fills in the visit's `found`, `copy`, `decodes` and `shadowAllowed`. */
export function lookUp(visit: Visit, rules: LookupRules, nowMs: number): void {
  const { rules: route, resource, variation } = visit;
  visit.shadowAllowed = route.shadow !== 'never';
  visit.decodes = false;
  if (visit.method !== 'read' || (!visit.shadowAllowed && route.cache === 'off')) return;
  const exact = rules.copies.find(resource, variation, visit);
  if (exact && mayBeSeen(exact, visit)) {
    visit.found = exact;
    visit.copy = useOf(exact, visit, rules, nowMs);
    if (visit.copy !== 'none') return;
  }
  if (!visit.shadowAllowed) return;
  const other = standIn(visit, rules, nowMs);
  if (other) {
    visit.found = other.copy;
    visit.copy = other.use;
    visit.decodes = isForeignCoding(other.copy, visit);
  }
}

function useOf(copy: Copy, visit: Visit, rules: LookupRules, nowMs: number): Visit['copy'] {
  if (visit.rules.cache === 'standard' && copy.cacheable && !rules.copies.isInvalidated(copy)) {
    const reuse = judgeReuse(copy.freshness, visit.demands, visit.personal, nowMs);
    if (reuse !== 'validate') return reuse;
  }
  return answersInOutage(copy, visit, rules, nowMs) ? 'stale' : 'none';
}

function answersInOutage(copy: Copy, visit: Visit, rules: LookupRules, nowMs: number): boolean {
  return visit.shadowAllowed && mayAnswerInOutage(copy.freshness, visit.rules.shadow === 'always', rules.serveStaleForMs, nowMs);
}

/** A copy in another content coding, or of another variation that the declaration lets stand in. */
function standIn(visit: Visit, rules: LookupRules, nowMs: number): { readonly copy: Copy; readonly use: 'stale' | 'stand-in' } | undefined {
  const { resource, variation } = visit;
  const recoded = rules.copies.findForOutage(resource, variation, visit);
  if (recoded && mayBeSeen(recoded, visit) && isReadable(recoded, visit, rules) && answersInOutage(recoded, visit, rules, nowMs)) return { copy: recoded, use: 'stale' };
  if (visit.rules.dimensions.every((dimension) => dimension.exact)) return undefined;
  const choice = chooseVariation(variation, rules.copies.variations(resource), visit.rules.dimensions);
  if (!choice || choice.crossed.length === 0) return undefined;
  const copy = rules.copies.findForOutage(resource, choice.key, visit);
  return copy && mayBeSeen(copy, visit) && isReadable(copy, visit, rules) && answersInOutage(copy, visit, rules, nowMs) ? { copy, use: 'stand-in' } : undefined;
}

/** A request with Authorization gets a copy only where the origin said that it may be shared with such requests. */
function mayBeSeen(copy: Copy, visit: Visit): boolean {
  return !visit.authorized || copy.sharedWithAuthorized;
}

/** Whether the client can read it, as it is or with its coding taken off. */
function isReadable(copy: Copy, visit: Visit, rules: LookupRules): boolean {
  return !isForeignCoding(copy, visit) || rules.decodes(copy);
}

function isForeignCoding(copy: Copy, visit: Visit): boolean {
  const { coding } = copy;
  return coding !== undefined && !visit.matches(copy.record.vary) && !visit.acceptsCoding(coding);
}

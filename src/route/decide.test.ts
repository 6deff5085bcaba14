import { describe, expect, test } from 'bun:test';
import { decide, isEligible } from './decide.ts';
import { reasons } from './reasons.ts';
import type { CopyAtHand, Decision, OriginState, RoutedRequest, Standing } from './types.ts';

const states: readonly OriginState[] = ['healthy', 'strained', 'failing', 'down', 'recovering'];
const copies: readonly CopyAtHand[] = ['none', 'fresh', 'stale-while-revalidate', 'stale', 'stand-in'];
const both = [false, true] as const;

interface Case { readonly request: RoutedRequest; readonly standing: Standing; readonly decision: Decision }

/** Every combination of everything a decision depends on. */
function everyCase(): Case[] {
  const found: Case[] = [];
  for (const method of ['read', 'write', 'upgrade'] as const) for (const copy of copies) for (const onlyIfCached of both)
    for (const shadowAllowed of both)
      for (const state of states) for (const onOriginSide of both) for (const slotForCovered of both)
        for (const slotForUncovered of both) for (const trialDue of both) {
          const request = { method, copy, onlyIfCached, shadowAllowed, position: 0, route: 0 };
          const standing = { state, onOriginSide, slotForCovered, slotForUncovered, trialDue, rescueAfterMs: 60 };
          found.push({ request, standing, decision: decide(request, standing) });
        }
  return found;
}

const all = everyCase();
const usable = ({ request }: Case): boolean =>
  request.method === 'read' && (request.copy === 'fresh' || request.copy === 'stale-while-revalidate' || (request.shadowAllowed && request.copy !== 'none'));
const asksOrigin = ({ decision }: Case): boolean => decision.action === 'origin' || decision.action === 'origin-or-rescue';
/** Cases that break a rule, few enough to read. */
const breaking = (rule: (one: Case) => boolean): Case[] => all.filter((one) => !rule(one)).slice(0, 3);

describe('over every combination', () => {
  test('there are as many as there should be', () => {
    expect(all).toHaveLength(3 * 5 * 2 * 2 * 5 * 2 * 2 * 2 * 2);
  });

  test('every reason is from the closed list', () => {
    expect(breaking(({ decision }) => decision.reason in reasons)).toEqual([]);
  });

  test('a copy never answers anything but a read', () => {
    expect(breaking(({ request, decision }) => request.method === 'read' || decision.action === 'origin' || decision.action === 'refuse')).toEqual([]);
  });

  test('a copy never answers where shadows are forbidden, unless as a cache may', () => {
    expect(breaking(({ request, decision }) => request.shadowAllowed || request.copy === 'fresh' || request.copy === 'stale-while-revalidate'
      || decision.action === 'origin' || decision.action === 'refuse')).toEqual([]);
  });

  test('nothing is refused that a copy may answer, except only-if-cached, which wants no stale copy of a healthy origin', () => {
    expect(breaking((one) => one.decision.action !== 'refuse' || !usable(one)
      || (one.decision.reason === 'only-if-cached' && one.standing.state === 'healthy'))).toEqual([]);
  });

  test('what may be answered by a copy is never sent to the origin without one to fall back on', () => {
    expect(breaking((one) => !usable(one) || one.decision.action !== 'origin')).toEqual([]);
  });

  test('an origin that is down is asked nothing but trials', () => {
    expect(breaking((one) => one.standing.state !== 'down' || !asksOrigin(one) || one.decision.reason === 'trial')).toEqual([]);
  });

  test('a failing origin is asked only by trials and by what nothing else can answer', () => {
    expect(breaking((one) => one.standing.state !== 'failing' || !asksOrigin(one) || one.decision.reason === 'trial' || !usable(one))).toEqual([]);
  });

  test('trials happen only when due, with the very copy at hand', () => {
    expect(breaking(({ request, standing, decision }) => decision.reason !== 'trial'
      || (standing.trialDue && request.copy === 'stale' && decision.action === 'origin-or-rescue'))).toEqual([]);
  });

  test('no request is added beyond the slots of an origin that is not well', () => {
    expect(breaking((one) => one.standing.state === 'healthy' || one.standing.state === 'strained' || !asksOrigin(one)
      || one.decision.reason === 'trial' || (usable(one) ? one.standing.slotForCovered : one.standing.slotForUncovered))).toEqual([]);
  });

  test('only-if-cached never reaches the origin', () => {
    expect(breaking((one) => one.request.method !== 'read' || !one.request.onlyIfCached || !asksOrigin(one))).toEqual([]);
  });

  test('a healthy origin refuses nothing but only-if-cached', () => {
    expect(breaking(({ standing, decision }) => standing.state !== 'healthy' || decision.action !== 'refuse' || decision.reason === 'only-if-cached')).toEqual([]);
  });

  test('a rescue delay is given exactly where there is a rescue, a wait exactly where a slot may come free', () => {
    expect(breaking(({ decision }) => (decision.rescueAfterMs > 0) === (decision.action === 'origin-or-rescue'))).toEqual([]);
    expect(breaking(({ decision }) => (decision.waitMs > 0) === (decision.action === 'refuse' && decision.reason === 'overloaded'))).toEqual([]);
  });

  test('a share is a share of the requests that could go either way, and of no others', () => {
    for (const one of all.filter(({ standing }) => standing.onOriginSide && (standing.state === 'strained' || standing.state === 'recovering'))) {
      const other = decide(one.request, { ...one.standing, onOriginSide: false });
      if (!isEligible(one.request)) expect(other).toEqual(one.decision);
      else if (one.standing.slotForCovered) expect(other.action).not.toBe(one.decision.action);
    }
  });

  test('a growing share never moves a client back', () => {
    for (const one of all.filter(({ standing, request }) => !standing.onOriginSide && request.method === 'read')) {
      const more = decide(one.request, { ...one.standing, onOriginSide: true });
      if (asksOrigin(one)) expect(more.action).toBe(one.decision.action);
    }
  });
});

describe('in words', () => {
  const read: RoutedRequest = { method: 'read', onlyIfCached: false, shadowAllowed: true, copy: 'stale', route: 0, position: 0 };
  const well: Standing = { state: 'healthy', onOriginSide: true, slotForCovered: true, slotForUncovered: true, trialDue: false, rescueAfterMs: 60 };

  test.each([
    ['a fresh copy answers, always', { copy: 'fresh' }, { state: 'down' }, 'serve', 'fresh'],
    ['a copy being revalidated answers and is refreshed', { copy: 'stale-while-revalidate' }, {}, 'serve-and-refresh', 'stale-while-revalidate'],
    ['but not refreshed from a failing origin', { copy: 'stale-while-revalidate' }, { state: 'failing' }, 'serve', 'origin-failing'],
    ['a stale copy waits for a healthy origin', {}, {}, 'origin-or-rescue', 'origin-well'],
    ['a miss goes to the origin', { copy: 'none' }, {}, 'origin', 'no-shadow'],
    ['so does what must not have a shadow', { shadowAllowed: false }, {}, 'origin', 'shadow-forbidden'],
    ['a crowded healthy origin is spared what a copy can answer', {}, { slotForCovered: false }, 'serve', 'overloaded'],
    ['a strained origin keeps its share', {}, { state: 'strained' }, 'origin-or-rescue', 'origin-share'],
    ['and is spared the rest', {}, { state: 'strained', onOriginSide: false }, 'serve', 'origin-strained'],
    ['a recovering origin has what was returned', {}, { state: 'recovering' }, 'origin-or-rescue', 'returned'],
    ['not more', {}, { state: 'recovering', onOriginSide: false }, 'serve', 'origin-recovering'],
    ['and not more at once than it can take', {}, { state: 'recovering', slotForCovered: false }, 'serve', 'origin-recovering'],
    ['a write waits for room at a failing origin', { method: 'write' }, { state: 'failing', slotForUncovered: false }, 'refuse', 'overloaded'],
    ['goes to it when there is room', { method: 'write' }, { state: 'failing' }, 'origin', 'method'],
    ['and is refused honestly when it is down', { method: 'write' }, { state: 'down' }, 'refuse', 'origin-down'],
    ['an upgrade is for the origin', { method: 'upgrade' }, {}, 'origin', 'upgrade'],
    ['another variation stands in while the origin fails', { copy: 'stand-in' }, { state: 'failing', trialDue: true }, 'serve', 'origin-failing'],
  ] as const)('%s', (_words, request, standing, action, reason) => {
    expect(decide({ ...read, ...request }, { ...well, ...standing })).toMatchObject({ action, reason });
  });

  test('another variation is no answer to mere lateness', () => {
    expect(decide({ ...read, copy: 'stand-in' }, well)).toMatchObject({ action: 'origin-or-rescue', rescueAfterMs: 1000 });
    expect(decide(read, well).rescueAfterMs).toBe(60);
  });
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { OriginRouting, type RoutingOptions } from './origin-routing.ts';
import type { AttemptKind, AttemptOutcome, OriginTransition, RoutedRequest } from './types.ts';

const options: RoutingOptions = {
  routes: 2, probe: { intervalMs: 2000, timeoutMs: 1000 }, limits: { latencyP95Ms: undefined, errorRate: 0.05 },
  recovery: { firstStep: 0.01, fastestMs: 10_000 }, rescueAfterMs: 'auto',
};
const page: RoutedRequest = { method: 'read', onlyIfCached: false, shadowAllowed: true, copy: 'stale', route: 0, position: 0 };

/** A routing that has seen a minute of good answers, 10 a second, and the time it is then. */
function experienced(more: Partial<RoutingOptions> = {}): { routing: OriginRouting; nowMs: number; answer: (outcome: AttemptOutcome, kind?: AttemptKind, route?: number) => void; pass: (ms: number) => void } {
  const routing = new OriginRouting({ ...options, ...more }, 0);
  const site = {
    routing, nowMs: 0,
    answer(outcome: AttemptOutcome, kind: AttemptKind = 'request', route = 0): void {
      if (kind !== 'probe' && kind !== 'generate') routing.begin();
      routing.observe({ atMs: site.nowMs, outcome, latencyMs: 10, route, kind });
    },
    pass(ms: number): void {
      site.nowMs += ms;
      routing.tick(site.nowMs);
    },
  };
  for (let i = 0; i < 600; i++) {
    site.pass(100);
    site.answer('ok', 'request', i % 2);
    if (routing.takeProbe(site.nowMs)) site.answer('ok', 'probe', -1);
  }
  return site;
}

function failFor(site: ReturnType<typeof experienced>, outcome: AttemptOutcome): void {
  for (let i = 0; i < 30 && site.routing.view().state === 'healthy'; i++) {
    site.pass(10);
    site.answer(outcome, 'request', i % 2);
  }
}

describe('what changes nothing', () => {
  test('a stray error', () => {
    const site = experienced();
    site.answer('error-status');
    expect(site.routing.view()).toMatchObject({ state: 'healthy', share: 0 });
  });

  test('any number of clients that leave', () => {
    const site = experienced();
    for (let i = 0; i < 1000; i++) site.answer('aborted');
    expect(site.routing.view().state).toBe('healthy');
    expect(site.routing.report(site.nowMs).inFlight).toBe(0);
  });

  test('one page that the generator can not have', () => {
    const site = experienced();
    for (let i = 0; i < 1000; i++) site.answer('error-status', 'generate', 1);
    expect(site.routing.view().state).toBe('healthy');
    expect(site.routing.brokenGroups()).toEqual([]);
  });

  test('a slow fetch of the generator, for what is usual', () => {
    const site = experienced();
    const before = site.routing.rescueDelayMs(0);
    for (let i = 0; i < 1000; i++) site.routing.observe({ atMs: site.nowMs, outcome: 'ok', latencyMs: 5000, route: 0, kind: 'generate' });
    site.pass(1000);
    expect(site.routing.rescueDelayMs(0)).toBe(before);
  });

  test('uploads, however long they take', () => {
    const site = experienced();
    const before = site.routing.rescueDelayMs(0);
    for (let i = 0; i < 200; i++) {
      site.pass(100);
      site.routing.begin();
      site.routing.observe({ atMs: site.nowMs, outcome: 'ok', latencyMs: 30_000, route: i % 2, kind: 'write' });
    }
    expect(site.routing.view().state).toBe('healthy');
    expect(site.routing.brokenGroups()).toEqual([]);
    expect(site.routing.rescueDelayMs(0)).toBe(before);
  });

  test('a route that is slow by nature, which becomes its usual', () => {
    const site = experienced();
    for (let i = 0; i < 200; i++) {
      site.pass(100);
      site.answer('ok');
      site.routing.begin();
      site.routing.observe({ atMs: site.nowMs, outcome: 'ok', latencyMs: 4000, route: 7, kind: 'request' });
    }
    expect(site.routing.view().state).toBe('healthy');
    expect(site.routing.brokenGroups()).toEqual([]);
    expect(site.routing.rescueDelayMs(7)).toBeGreaterThan(4000);
    expect(site.routing.rescueDelayMs(0)).toBeLessThan(200);
  });

  test('a probe that fails while people are answered well', () => {
    const site = experienced();
    for (let i = 0; i < 50; i++) {
      site.pass(1000);
      site.answer('ok');
      site.answer('timeout', 'probe', -1);
    }
    expect(site.routing.view().state).toBe('healthy');
  });
});

describe('what does', () => {
  test.each(['refused', 'timeout', 'error-status', 'cut'] as const)('a dozen answers %s, at once', (outcome) => {
    const site = experienced();
    for (let i = 0; i < 12; i++) site.answer(outcome, 'request', i % 2);
    expect(site.routing.view()).toMatchObject({ state: 'failing', share: 1 });
    expect(site.routing.decide(page, site.nowMs)).toMatchObject({ action: 'serve', reason: 'origin-failing' });
  });

  test('fetches of the generator that fail everywhere', () => {
    const site = experienced();
    for (let i = 0; i < 30; i++) site.answer('error-status', 'generate', i % 2);
    expect(site.routing.view().state).toBe('failing');
  });

  test('probes, where nobody comes', () => {
    const site = experienced();
    site.pass(60_000);
    for (let i = 0; i < 3; i++) {
      site.pass(2000);
      site.answer('refused', 'probe', -1);
    }
    expect(site.routing.view()).toMatchObject({ state: 'down', because: 'connections are refused' });
    expect(site.routing.decide({ ...page, method: 'write' }, site.nowMs)).toMatchObject({ action: 'refuse', reason: 'origin-down' });
    expect(site.routing.retryAfterS(site.nowMs, 0)).toBe(5);
  });

  test('is told at once, and remembered', () => {
    const told: OriginTransition[] = [];
    const site = experienced({ onChange: (change) => told.push(change) });
    failFor(site, 'cut');
    expect(told).toEqual([{ atMs: site.nowMs, from: 'healthy', to: 'failing', because: 'answers end before they are whole' }]);
    expect(site.routing.history()).toEqual(told);
  });
});

describe('trials', () => {
  test('wait for a good probe, come once a second, two at most under way, and are not lost for ever when lost', () => {
    const site = experienced();
    failFor(site, 'error-status');
    const isTrial = (): boolean => site.routing.kindOf(site.routing.decide(page, site.nowMs)) === 'trial';
    site.pass(3000);
    expect(isTrial()).toBe(false);
    site.answer('ok', 'probe', -1);
    expect([isTrial(), isTrial()]).toEqual([true, false]);
    site.pass(1000);
    expect([isTrial(), isTrial()]).toEqual([true, false]);
    site.pass(1000);
    expect(isTrial()).toBe(false);
    site.pass(130_000);
    site.answer('ok', 'probe', -1);
    expect(isTrial()).toBe(true);
  });
});

test('an attempt is reported as what it was decided for', () => {
  const site = experienced();
  const kindOf = (request: RoutedRequest): AttemptKind => site.routing.kindOf(site.routing.decide(request, site.nowMs));
  expect([kindOf(page), kindOf({ ...page, method: 'write' }), kindOf({ ...page, method: 'upgrade' })]).toEqual(['request', 'write', 'write']);
});

test('errors of writes count like any others, and one that a slow origin answers keeps it from being down', () => {
  const site = experienced();
  for (let i = 0; i < 12; i++) site.answer('error-status', 'write', i % 2);
  expect(site.routing.view().state).toBe('failing');
  for (let i = 0; i < 6; i++) {
    site.pass(2000);
    site.answer('timeout', 'probe', -1);
    if (i !== 1) continue;
    site.routing.begin();
    site.routing.observe({ atMs: site.nowMs, outcome: 'ok', latencyMs: 3000, route: 0, kind: 'write' });
  }
  expect(site.routing.view().state).toBe('failing');
});

describe('groups', () => {
  test('are declared routes, else one of 64 by the first segment', () => {
    const routing = new OriginRouting(options, 0);
    expect(routing.groupOf(1, '/anything')).toBe(1);
    expect(routing.groupOf(-1, '/search?q=1')).not.toBe(routing.groupOf(-1, '/cart'));
    expect(routing.groupOf(-1, '/products/1')).toBe(routing.groupOf(-1, '/products/2'));
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (path) => {
      const group = routing.groupOf(-1, path);
      expect(Number.isInteger(group) && group >= 2 && group < 66).toBe(true);
    }), { seed: 6, numRuns: 300 });
  });
});

test('a report is what the bus carries', () => {
  const site = experienced();
  const report = site.routing.report(site.nowMs);
  expect(report.requestsPerSecond).toBeCloseTo(10, 0);
  expect(report.latencyP95Ms).toBeGreaterThan(9);
  expect(report.usualP95Ms).toBeLessThan(11);
  expect(report).toMatchObject({ inFlight: 0, view: { state: 'healthy', share: 0 } });
});

const legal: Readonly<Record<string, readonly string[]>> = {
  healthy: ['strained', 'failing'], strained: ['healthy', 'failing'], failing: ['down', 'recovering'], down: ['failing'], recovering: ['healthy', 'failing'],
};

test('whatever is observed in whatever order, the state is a legal one and memory is bounded', () => {
  const outcome = fc.constantFrom<AttemptOutcome>('ok', 'ok', 'ok', 'late', 'refused', 'timeout', 'error-status', 'cut', 'aborted');
  const kind = fc.constantFrom<AttemptKind>('request', 'request', 'write', 'probe', 'trial', 'generate');
  const step = fc.record({ outcome, kind, route: fc.integer({ min: -1, max: 80 }), latencyMs: fc.nat(20_000), ms: fc.nat(1500), times: fc.integer({ min: 1, max: 30 }), afterLate: fc.boolean(), begin: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const changes: OriginTransition[] = [];
    const routing = new OriginRouting({ ...options, onChange: (change) => changes.push(change) }, 0);
    let nowMs = 0;
    for (const { ms, times, begin, ...attempt } of steps) {
      nowMs += ms;
      routing.tick(nowMs);
      routing.takeProbe(nowMs);
      for (let i = 0; i < times; i++) {
        routing.decide({ ...page, route: attempt.route }, nowMs);
        if (begin) routing.begin();
        routing.observe({ atMs: nowMs, ...attempt });
      }
      const { share } = routing.view();
      expect(share >= 0 && share <= 1).toBe(true);
      expect(routing.rescueDelayMs(attempt.route)).toBeGreaterThan(0);
      expect(routing.report(nowMs).inFlight).toBeGreaterThanOrEqual(0);
    }
    let state = 'healthy';
    for (const change of changes) {
      expect(change.from).toBe(state as OriginTransition['from']); // the loop variable holds states only
      expect(legal[state]).toContain(change.to);
      state = change.to;
    }
    expect(routing.history().length).toBeLessThanOrEqual(100);
  }), { seed: 7, numRuns: 100 });
});

test('deciding for the same client gives the same side while the share stands', () => {
  const site = experienced();
  failFor(site, 'error-status');
  while (site.routing.view().state !== 'recovering') {
    site.pass(100);
    if (site.routing.takeProbe(site.nowMs)) site.answer('ok', 'probe', -1);
    const decision = site.routing.decide(page, site.nowMs);
    if (decision.action === 'origin-or-rescue') site.answer('ok', site.routing.kindOf(decision));
  }
  const near = { ...page, position: 0.009 * 4_294_967_296 };
  const far = { ...page, position: 0.011 * 4_294_967_296 };
  for (let i = 0; i < 10; i++) {
    expect(site.routing.decide(near, site.nowMs)).toMatchObject({ action: 'origin-or-rescue', reason: 'returned' });
    expect(site.routing.decide(far, site.nowMs)).toMatchObject({ action: 'serve', reason: 'origin-recovering' });
  }
});

/** What must not be taken for an outage, and what must be taken for a small one: noise, pauses, departing clients, one broken route. */
import { describe, expect, test } from 'bun:test';
import type { Random } from '../../src/kernel/index.ts';
import { ordinaryServiceMs, p99, runSite, type Fault, type OriginModel, type SiteOptions, type SiteResult } from './site-model.ts';

const minuteMs = 60_000;
const always = (): Fault => 'none';

function run(origin: OriginModel, more: Partial<SiteOptions> = {}): SiteResult {
  return runSite({ seed: 1, endMs: 8 * minuteMs, requestsPerSecond: 300, groups: 20, fastestMs: minuteMs, phasesMs: [minuteMs], origin, ...more });
}

describe('is never diverted:', () => {
  const spikes = (factor: number, part: number) => (nowMs: number, random: Random): number =>
    ordinaryServiceMs(nowMs, random) * (random.next() < part ? factor : 1);
  const pauses = (everyMs: number, lengthMs: number) => (nowMs: number, random: Random): number => {
    const intoMs = (nowMs + everyMs / 2) % everyMs; // not in the edge's first moment, when it trusts nothing yet
    return ordinaryServiceMs(nowMs, random) + (intoMs < lengthMs ? lengthMs - intoMs : 0);
  };
  const slowSpells = (everyMs: number, lengthMs: number, factor: number) => (nowMs: number, random: Random): number =>
    ordinaryServiceMs(nowMs, random) * (nowMs % everyMs < lengthMs ? factor : 1);
  const errors = (part: number) => (_nowMs: number, _group: number, random: Random): Fault => (random.next() < part ? 'errors' : 'none');

  test.each<[string, OriginModel, Partial<SiteOptions>]>([
    ['an hour with 1 % errors and spikes', { fault: errors(0.01), serviceMs: spikes(20, 0.01) }, { endMs: 60 * minuteMs, groups: 40 }],
    ['2 % errors', { fault: errors(0.02), serviceMs: ordinaryServiceMs }, { endMs: 20 * minuteMs, seed: 2 }],
    ['4 % errors', { fault: errors(0.04), serviceMs: ordinaryServiceMs }, {}],
    ['4 % errors where few come', { fault: errors(0.04), serviceMs: ordinaryServiceMs }, { requestsPerSecond: 0.5, endMs: 60 * minuteMs }],
    ['2 % of answers twenty times as slow', { fault: always, serviceMs: spikes(20, 0.02) }, {}],
    ['a pause of 300 ms every 20 s', { fault: always, serviceMs: pauses(20_000, 300) }, {}],
    ['1.5 s at five times the latency every minute', { fault: always, serviceMs: slowSpells(minuteMs, 1500, 5) }, {}],
    ['nine of ten clients leaving for 3 s', { fault: always, serviceMs: ordinaryServiceMs }, { aborts: (nowMs) => (nowMs % minuteMs < 3000 ? 0.9 : 0.01) }],
  ])('%s', (_name, origin, more) => {
    const result = run(origin, more);
    expect(result.transitions).toEqual([]);
    expect(result.phases.every((phase) => phase.coveredFailed === 0 && phase.served === 0)).toBe(true);
    expect([...result.brokenGroups]).toEqual([]);
  });
});

describe('one broken route', () => {
  const brokenFor = (fault: Fault): OriginModel => ({
    fault: (nowMs, group) => (group === 3 && nowMs >= minuteMs && nowMs < 5 * minuteMs ? fault : 'none'), serviceMs: ordinaryServiceMs,
  });

  test.each<[Fault, number, number]>([['errors', 20, 300], ['cut', 5, 300], ['hanging', 20, 300], ['slow', 5, 300], ['errors', 5, 3]])(
    '%s, one of %d groups at %d requests/s: it alone is served from shadows, and returns', (fault, groups, requestsPerSecond) => {
      const result = run(brokenFor(fault), { groups, requestsPerSecond });
      expect([...result.brokenGroups]).toEqual([3]);
      expect(result.transitions).toEqual([]);
      expect(result.routing.brokenGroups()).toEqual([]);
      const after = result.phases[1];
      expect(after?.coveredFailed).toBe(0);
      const expected = (requestsPerSecond / groups) * 4 * 60;
      const divertedOrTried = (after?.served ?? 0) + (after?.asked.trial ?? 0);
      expect(divertedOrTried).toBeGreaterThan(expected * 0.8);
      expect(divertedOrTried).toBeLessThan(expected * 1.6 + 40);
      expect(p99(after?.waitsMs ?? [])).toBeLessThanOrEqual(250);
    },
  );
});

describe('a strained origin', () => {
  test('with 10 % errors gives about half to shadows, and has it back afterwards', () => {
    const result = run({
      fault: (nowMs, _group, random) => (nowMs >= minuteMs && nowMs < 4 * minuteMs && random.next() < 0.1 ? 'errors' : 'none'), serviceMs: ordinaryServiceMs,
    });
    expect(result.transitions.map((change) => change.to)).toEqual(['strained', 'healthy']);
    const strained = result.shares.filter(({ atMs }) => atMs > 1.5 * minuteMs && atMs < 4 * minuteMs).map(({ share }) => share);
    expect(Math.min(...strained)).toBeGreaterThan(0.35);
    expect(Math.max(...strained)).toBeLessThan(0.7);
    expect(result.routing.view()).toMatchObject({ state: 'healthy', share: 0 });
  });

  test('several times slower than usual is relieved, and in the end its new latency is accepted', () => {
    const result = run({ fault: always, serviceMs: (nowMs, random) => ordinaryServiceMs(nowMs, random) * (nowMs >= 2 * minuteMs ? 7 : 1) });
    expect(result.transitions.map((change) => change.to)).toEqual(['strained', 'healthy']);
    expect(Math.max(...result.shares.map(({ share }) => share))).toBeGreaterThan(0.1);
    expect(result.routing.view().share).toBe(0);
  });
});

describe('where few come', () => {
  const between = (fault: Fault): OriginModel => ({
    fault: (nowMs) => (nowMs >= minuteMs && nowMs < 5 * minuteMs ? fault : 'none'), serviceMs: ordinaryServiceMs,
  });

  test.each<[Fault, number]>([['refused', 4000], ['hanging', 6000], ['errors', 8000]])('%s at one request a second is noticed within seconds', (fault, withinMs) => {
    const result = run(between(fault), { requestsPerSecond: 1, endMs: 15 * minuteMs });
    expect(result.transitions[0]?.to).toBe('failing');
    expect((result.transitions[0]?.atMs ?? Number.NaN) - minuteMs).toBeLessThan(withinMs);
    expect(result.phases[1]?.coveredFailed).toBe(0);
    expect(result.routing.view().state).toBe('healthy');
  });

  test('no requests at all: probes notice, and probes end it', () => {
    const result = run(between('refused'), { requestsPerSecond: 1e-9, endMs: 15 * minuteMs });
    expect(result.transitions.map((change) => change.to)).toEqual(['failing', 'down', 'failing', 'recovering', 'healthy']);
  });

  test('cut bodies behind a probe that is well end only when a trial says so', () => {
    const result = run({ ...between('cut'), probeHonest: false }, { requestsPerSecond: 0.5, endMs: 20 * minuteMs });
    const recovering = result.transitions.find((change) => change.to === 'recovering');
    expect(recovering?.atMs).toBeGreaterThan(5 * minuteMs);
    expect(result.routing.view().state).toBe('healthy');
  });
});

describe('requests only the origin can answer', () => {
  const during = (fault: Fault): OriginModel => ({
    fault: (nowMs) => (nowMs >= minuteMs && nowMs < 2 * minuteMs ? fault : 'none'), serviceMs: ordinaryServiceMs,
  });

  test('still reach a slow origin, as many as it has room for', () => {
    const result = run(during('slow'), { uncovered: 0.01, endMs: 4 * minuteMs, phasesMs: [minuteMs, 2 * minuteMs] });
    const brownout = result.phases[1];
    expect(result.transitions.map((change) => change.to)).toEqual(['failing', 'recovering', 'healthy']);
    expect(brownout?.uncoveredRefused).toBe(0);
    expect(brownout?.uncoveredFailed).toBe(0);
    expect(brownout?.coveredFailed).toBe(0);
  });

  test('are refused at once where it is down, and never pile up', () => {
    const result = run(during('refused'), { uncovered: 0.3, endMs: 4 * minuteMs, phasesMs: [minuteMs, 2 * minuteMs] });
    const outage = result.phases[1];
    expect(result.transitions[1]?.to).toBe('down');
    expect(outage?.asked.request).toBeLessThan(60);
    expect(outage?.uncoveredRefused).toBeGreaterThan(5000);
    expect(outage?.coveredFailed).toBe(0);
  });
});

describe('from the first second', () => {
  test('an origin that is down when the edge starts is not waited for', () => {
    const result = run({ fault: (nowMs) => (nowMs < minuteMs ? 'refused' : 'none'), serviceMs: ordinaryServiceMs });
    expect(result.transitions[0]).toMatchObject({ to: 'failing', because: 'the first probe failed' });
    expect(result.phases[0]?.coveredFailed).toBe(0);
    expect(p99(result.phases[0]?.waitsMs ?? [])).toBeLessThan(5);
    expect(result.routing.view().state).toBe('healthy');
  });

  test('a probe path that is broken from the start is overruled by trials', () => {
    const site = { fault: (_nowMs: number, group: number): Fault => (group === -1 ? 'errors' : 'none'), serviceMs: ordinaryServiceMs };
    const result = run(site);
    expect(result.transitions[0]?.to).toBe('failing');
    expect(result.routing.view().state).toBe('healthy');
  });
});

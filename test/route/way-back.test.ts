/**
 * The way back where it is hard to judge: nobody comes, all visitors are behind one address, or the origin has become slower
 * for good. And the first seconds of an edge that starts while the origin is down.
 */
import { describe, expect, test } from 'bun:test';
import { ordinaryServiceMs, p99, runSite, type Fault, type OriginModel, type SiteOptions, type SiteResult } from './site-model.ts';

const minuteMs = 60_000;

function run(origin: OriginModel, more: Partial<SiteOptions> = {}): SiteResult {
  return runSite({ seed: 1, endMs: 10 * minuteMs, requestsPerSecond: 300, groups: 20, fastestMs: minuteMs, phasesMs: [], origin, ...more });
}

const told = (result: SiteResult): string => result.transitions.map((change) => `${change.atMs.toFixed(0)} ${change.to} (${change.because})`).join(', ');
const atOf = (result: SiteResult, to: string): number => result.transitions.find((change) => change.to === to)?.atMs ?? Number.NaN;

describe('an idle site', () => {
  const outage = (fault: Fault): OriginModel => ({
    fault: (nowMs) => (nowMs >= minuteMs && nowMs < 5 * minuteMs ? fault : 'none'), serviceMs: ordinaryServiceMs,
  });

  test.each<[string, number, Fault]>([
    ['no traffic at all', 1e-9, 'refused'], ['no traffic at all', 1e-9, 'hanging'], ['a request every 10 s', 0.1, 'refused'], ['a request every 10 s', 0.1, 'errors'],
    ['a request a minute', 1 / 60, 'refused'], ['a request every 3 s', 0.3, 'hanging'],
  ])('%s (%d/s), %s: healthy again about as soon as a busy one', (_words, requestsPerSecond, fault) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const result = run(outage(fault), { requestsPerSecond, seed });
      expect(atOf(result, 'recovering') - 5 * minuteMs, told(result)).toBeLessThan(20_000);
      expect(atOf(result, 'healthy') - 5 * minuteMs, told(result)).toBeLessThan(95_000);
      expect(result.routing.view(), told(result)).toMatchObject({ state: 'healthy', share: 0 });
      expect(result.phases[0]?.coveredFailed).toBe(0);
    }
  });

  test('probes that are well while requests are not do not stand in for them', () => {
    const result = run({ ...outage('errors'), probeHonest: false }, { requestsPerSecond: 0.5, endMs: 20 * minuteMs });
    expect(atOf(result, 'recovering'), told(result)).toBeGreaterThan(5 * minuteMs);
    expect(atOf(result, 'healthy') - atOf(result, 'recovering'), told(result)).toBeGreaterThan(120_000);
  });
});

describe('an origin that serves 12 at a time, and visitors in few places', () => {
  const backMs = 40_000;
  const origin: OriginModel = {
    fault: (nowMs) => (nowMs >= 30_000 && nowMs < backMs ? 'refused' : 'none'), serviceMs: ordinaryServiceMs,
    capacity: (nowMs) => (nowMs >= backMs ? 12 : Number.POSITIVE_INFINITY),
  };

  test.each([[1, 60_000], [6, 60_000], [10_000, 60_000], [1, 10_000], [6, 10_000], [10_000, 10_000]])(
    '%d positions, %d ms for the way: never above 12, no more than the share, back in the usual time', (clients, fastestMs) => {
      for (const seed of [1, 2, 3]) {
        const result = run(origin, { clients, seed, fastestMs, endMs: 150_000, phasesMs: [backMs] });
        const back = result.phases[1];
        expect(back?.coveredFailed, told(result)).toBe(0);
        expect(back?.overCapacity, told(result)).toBe(0);
        expect(back?.inFlightMax).toBeLessThanOrEqual(12);
        expect(atOf(result, 'healthy') - backMs, told(result)).toBeGreaterThan(fastestMs);
        expect(atOf(result, 'healthy') - backMs, told(result)).toBeLessThan(3500 + fastestMs * 1.15 + 8000);
        expectNoMoreThanTheShare(result, 1.2);
      }
    },
  );

  function expectNoMoreThanTheShare(result: SiteResult, margin: number): void {
    expect(result.seconds.length).toBeGreaterThan(10);
    for (let i = 5; i <= result.seconds.length; i++) {
      const window = result.seconds.slice(i - 5, i);
      const allowed = window.reduce((sum, { eligible, part }) => sum + eligible * part * margin + 1, 0);
      const saved = Math.max(24, ...window.map(({ eligible, part }) => eligible * part * margin));
      const asked = window.reduce((sum, second) => sum + second.asked, 0);
      expect(asked, `seconds ${i - 5} to ${i}: ${told(result)}`).toBeLessThanOrEqual(allowed + saved);
    }
  }

  test('a client that has been moved back stays, where there are many', () => {
    for (const seed of [1, 2, 3]) {
      const { movedBack } = run(origin, { clients: 10_000, seed, endMs: 150_000 });
      expect(movedBack.requests).toBeGreaterThan(3000);
      expect(movedBack.strayed / movedBack.requests).toBeLessThan(0.01); // those that found no room
    }
  });

  test.each([1, 6, 10_000])('%d positions: a strained origin has what is left to it, over all visitors', (clients) => {
    const strained: OriginModel = {
      fault: (nowMs, _group, random) => (nowMs >= minuteMs && nowMs < 4 * minuteMs && random.next() < 0.1 ? 'errors' : 'none'), serviceMs: ordinaryServiceMs,
    };
    const result = run(strained, { clients, endMs: 6 * minuteMs });
    expect(result.transitions.map((change) => change.to)).toEqual(['strained', 'healthy']);
    expectNoMoreThanTheShare(result, 1);
    const [asked, left] = result.seconds.reduce(([sum, part], second) => [sum + second.asked, part + second.eligible * second.part], [0, 0]);
    expect(asked / left).toBeGreaterThan(0.75); // six positions make steps of a sixth
    expect(asked / left).toBeLessThan(1.03);
  });
});

describe('an origin that has become slower for good', () => {
  const accepted = 'slower than before, but steadily for ten minutes: accepted as usual';
  const slowFrom = (fromMs: number, extraMs: number): OriginModel['serviceMs'] => (nowMs, random) => ordinaryServiceMs(nowMs, random) + (nowMs >= fromMs ? extraMs : 0);

  const slowerAfterOutage: OriginModel = {
    fault: (nowMs) => (nowMs >= minuteMs && nowMs < 2 * minuteMs ? 'refused' : 'none'),
    serviceMs: (nowMs, random) => ordinaryServiceMs(nowMs, random) * (nowMs >= 2 * minuteMs ? 10 : 1),
  };

  test.each<[string, OriginModel]>([
    ['ten times, after an outage', slowerAfterOutage],
    ['by 700 ms, from one moment to the next', { fault: () => 'none', serviceMs: slowFrom(2 * minuteMs, 700) }],
    ['by 3 s, behind a probe that is quick', { fault: (nowMs) => (nowMs >= 2 * minuteMs ? 'slow' : 'none'), serviceMs: ordinaryServiceMs, probeHonest: false }],
  ])('%s: is accepted after ten minutes, and has its traffic back', (_words, origin) => {
    const result = run(origin, { requestsPerSecond: 50, endMs: 22 * minuteMs, phasesMs: [2 * minuteMs, 18 * minuteMs] });
    const last = result.transitions.at(-1);
    expect(last?.because, told(result)).toBe('the whole share has returned; slower answers are accepted as usual');
    expect(last?.atMs ?? 0, told(result)).toBeGreaterThan(12 * minuteMs);
    expect(last?.atMs ?? 0, told(result)).toBeLessThan(16 * minuteMs);
    const acceptance = result.transitions.find((change) => change.because === accepted);
    if (origin !== slowerAfterOutage) expect(acceptance?.to, told(result)).toBe('recovering'); // a return may be under way
    expect(result.routing.view(), told(result)).toMatchObject({ state: 'healthy', share: 0 });
    expect(result.phases.every((phase) => phase.coveredFailed === 0)).toBe(true);
    const afterwards = result.phases[2];
    expect(afterwards?.served, told(result)).toBeLessThan((afterwards?.waitsMs.length ?? 0) * 0.05);
  });

  test.each<[string, OriginModel, Partial<SiteOptions>]>([
    ['with errors among its answers', { fault: (nowMs, _group, random) => (nowMs >= 2 * minuteMs && random.next() < 0.15 ? 'errors' : 'none'), serviceMs: slowFrom(2 * minuteMs, 700) }, {}],
    ['and slower still', { fault: () => 'none', serviceMs: (nowMs, random) => ordinaryServiceMs(nowMs, random) * (nowMs >= 2 * minuteMs ? 50 * 2 ** ((nowMs / minuteMs - 2) / 4) : 1) }, { endMs: 18 * minuteMs }],
    ['with a probe that times out', { fault: (nowMs) => (nowMs >= 2 * minuteMs ? 'slow' : 'none'), serviceMs: ordinaryServiceMs }, {}],
  ])('%s: is not', (_words, origin, more) => {
    const result = run(origin, { requestsPerSecond: 50, endMs: 22 * minuteMs, ...more });
    expect(result.transitions.every((change) => change.because !== accepted), told(result)).toBe(true);
    expect(result.routing.view().share, told(result)).toBe(1);
  });
});

describe('an edge that starts while the origin is down', () => {
  test.each<[Fault, number]>([['refused', 300], ['hanging', 300], ['slow', 300], ['errors', 300], ['cut', 300], ['hanging', 3], ['slow', 3], ['hanging', 3000]])(
    '%s, at %d requests/s: nobody waits longer than 200 ms, and nobody at all after two seconds', (fault, requestsPerSecond) => {
      const result = run({ fault: () => fault, serviceMs: ordinaryServiceMs }, { requestsPerSecond, endMs: 10_000, phasesMs: [2000] });
      const [first, later] = result.phases;
      expect(first?.coveredFailed).toBe(0);
      expect(Math.max(0, ...(first?.waitsMs ?? []))).toBeLessThanOrEqual(201);
      expect(first?.inFlightMax).toBeLessThanOrEqual(16);
      expect(later?.coveredFailed).toBe(0);
      expect(later?.waitsMs.length).toBeGreaterThan(10);
      expect(p99(later?.waitsMs ?? []), told(result)).toBe(0);
      expect(later?.asked.request).toBe(0);
    },
  );

  test('one good probe is enough for it to be trusted', () => {
    const result = run({ fault: () => 'none', serviceMs: (_nowMs, random) => 400 + random.exponential(100) }, { requestsPerSecond: 1, endMs: 5 * minuteMs, phasesMs: [2000] });
    expect(result.transitions).toEqual([]);
    expect(result.phases[1]?.served).toBe(0);
    expect(p99(result.phases[1]?.waitsMs ?? [])).toBeGreaterThan(500);
  });
});

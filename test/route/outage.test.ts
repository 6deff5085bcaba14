/**
 * Every kind of outage, from seeds, in virtual time: 300 requests/s at a site whose pages all have shadows, an origin that fails
 * for ten seconds and comes back able to serve only 12 at a time. What readers notice, and what the origin has to bear.
 */
import { describe, expect, test } from 'bun:test';
import { ordinaryServiceMs, p99, runSite, type Fault, type PhaseResult, type SiteResult } from './site-model.ts';

const seeds = Array.from({ length: 50 }, (_, i) => i + 1);
const onsetMs = 5000;
const knownMs = onsetMs + 1000;
const backMs = 15_000;

interface Outage {
  readonly name: string;
  readonly fault: (sinceMs: number) => Fault;
  /** Whether the probe path fails as well. */
  readonly probeHonest: boolean;
  /** Most requests the origin may get before the fault is known. */
  readonly askedMax: number;
  /** Longest until everything has returned. */
  readonly returnMs: number;
}

const flapping = (fault: Fault) => (sinceMs: number): Fault => (Math.floor(sinceMs / 2000) % 2 === 0 ? fault : 'none');
const outages: readonly Outage[] = [
  { name: 'refused', fault: () => 'refused', probeHonest: true, askedMax: 30, returnMs: 40_000 },
  { name: 'hanging', fault: () => 'hanging', probeHonest: true, askedMax: 230, returnMs: 40_000 },
  { name: 'hanging, probe well', fault: () => 'hanging', probeHonest: false, askedMax: 230, returnMs: 50_000 },
  { name: '3 s slow', fault: () => 'slow', probeHonest: true, askedMax: 230, returnMs: 40_000 },
  { name: '500s', fault: () => 'errors', probeHonest: true, askedMax: 30, returnMs: 40_000 },
  { name: '500s, probe well', fault: () => 'errors', probeHonest: false, askedMax: 30, returnMs: 40_000 },
  { name: 'cut, probe well', fault: () => 'cut', probeHonest: false, askedMax: 30, returnMs: 40_000 },
  { name: 'flapping, refused', fault: flapping('refused'), probeHonest: true, askedMax: 30, returnMs: 100_000 },
  { name: 'flapping, hanging', fault: flapping('hanging'), probeHonest: true, askedMax: 230, returnMs: 100_000 },
];

function runOutage(outage: Outage, seed: number): SiteResult {
  return runSite({
    seed, endMs: backMs + outage.returnMs, requestsPerSecond: 300, groups: 1 + (seed % 30), fastestMs: 10_000,
    phasesMs: [onsetMs, knownMs, backMs],
    origin: {
      fault: (nowMs) => (nowMs >= onsetMs && nowMs < backMs ? outage.fault(nowMs - onsetMs) : 'none'),
      serviceMs: ordinaryServiceMs,
      capacity: (nowMs) => (nowMs >= backMs ? 12 : Number.POSITIVE_INFINITY),
      probeHonest: outage.probeHonest,
    },
  });
}

function phasesOf(result: SiteResult): { onset: PhaseResult; known: PhaseResult; back: PhaseResult } {
  const [, onset, known, back] = result.phases;
  if (!onset || !known || !back) throw new Error('four phases');
  return { onset, known, back };
}

/** The share given back never shrinks while the origin is believed to recover. */
function stepsBack(result: SiteResult): number {
  let count = 0;
  for (let i = 1; i < result.shares.length; i++) {
    const before = result.shares[i - 1];
    const after = result.shares[i];
    if (before?.state === 'recovering' && after && after.share > before.share + 1e-9) count++;
  }
  return count;
}

describe.each(outages.map((outage) => [outage.name, outage] as const))('%s', (_name, outage) => {
  test('no reader notices, the origin is left alone, and all of it returns', () => {
    for (const seed of seeds) {
      const result = runOutage(outage, seed);
      const told = `seed ${seed}: ${result.transitions.map((change) => `${change.atMs.toFixed(0)} ${change.to} (${change.because})`).join(', ')}`;
      const { onset, known, back } = phasesOf(result);
      for (const phase of result.phases) {
        expect(phase.coveredFailed, told).toBe(0);
        expect(p99(phase.waitsMs), told).toBeLessThanOrEqual(250);
        expect(phase.waitsMs.length, told).toBeGreaterThan(200);
      }
      expect(onset.asked.request, told).toBeLessThanOrEqual(outage.askedMax);
      expect(known.asked.request, told).toBe(0);
      expect(known.asked.trial, told).toBeLessThanOrEqual((backMs - knownMs) / 1000 + 1);
      expect(known.asked.probe, told).toBeLessThanOrEqual((backMs - knownMs) / 2000 + 2);
      expect(back.overCapacity, told).toBe(0);
      expect(result.routing.view(), told).toMatchObject({ state: 'healthy', share: 0 });
      expect(stepsBack(result), told).toBe(0);
      expect(result.transitions.filter((change) => change.from === 'recovering').length, told).toBe(1);
    }
  });
});

test('a seed reproduces a run', () => {
  const [outage] = outages;
  if (!outage) throw new Error('there are outages');
  const [first, second] = [runOutage(outage, 7), runOutage(outage, 7)];
  expect(second.transitions).toEqual(first.transitions);
  expect(second.phases).toEqual(first.phases);
  expect(runOutage(outage, 8).phases).not.toEqual(first.phases);
});

test('the whole way back takes the 60 s it is told to, in steps that at most double', () => {
  const result = runSite({
    seed: 1, endMs: 120_000, requestsPerSecond: 300, groups: 20, fastestMs: 60_000, phasesMs: [],
    origin: { fault: (nowMs) => (nowMs >= 5000 && nowMs < 10_000 ? 'refused' : 'none'), serviceMs: ordinaryServiceMs },
  });
  const recovering = result.shares.filter(({ state }) => state === 'recovering');
  const [first, last] = [recovering.at(0), recovering.at(-1)];
  expect(first?.share).toBeCloseTo(0.99, 6);
  expect((last?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(60_000);
  for (let i = 1; i < recovering.length; i++) {
    expect(1 - (recovering[i]?.share ?? 1)).toBeLessThanOrEqual(2 * (1 - (recovering[i - 1]?.share ?? 1)) + 1e-9);
  }
  expect(result.routing.view().state).toBe('healthy');
});

test('an origin that comes back too small for its traffic keeps what it can serve', () => {
  const result = runSite({
    seed: 1, endMs: 300_000, requestsPerSecond: 300, groups: 20, fastestMs: 10_000, phasesMs: [30_000, 40_000],
    origin: {
      fault: (nowMs) => (nowMs >= 30_000 && nowMs < 40_000 ? 'refused' : 'none'),
      serviceMs: (nowMs, random) => ordinaryServiceMs(nowMs, random) * (nowMs >= 40_000 ? 4 : 1),
      capacity: (nowMs) => (nowMs >= 40_000 ? 12 : Number.POSITIVE_INFINITY),
    },
  });
  const back = result.phases[2];
  expect(back?.coveredFailed).toBe(0);
  expect(back?.asked.request).toBeGreaterThan(10_000);
  expect(back?.overCapacity).toBeLessThan(30);
  expect(result.transitions.filter((change) => change.to === 'failing').length).toBe(2);
});

test('flapping for minutes: ever longer holds, no wait anybody notices', () => {
  const result = runSite({
    seed: 1, endMs: 400_000, requestsPerSecond: 300, groups: 20, fastestMs: 60_000, phasesMs: [5000],
    origin: { fault: (nowMs) => (nowMs >= 5000 && nowMs % 20_000 < 10_000 ? 'refused' : 'none'), serviceMs: ordinaryServiceMs },
  });
  const flaps = result.phases[1];
  expect(flaps?.coveredFailed).toBe(0);
  expect(p99(flaps?.waitsMs ?? [])).toBeLessThan(100);
  expect(result.transitions.filter((change) => change.from === 'recovering').length).toBeLessThanOrEqual(3);
  expect(Math.min(...result.shares.filter(({ atMs }) => atMs > 6000).map(({ share }) => share))).toBeGreaterThan(0.9);
});

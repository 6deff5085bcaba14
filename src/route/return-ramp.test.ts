import { describe, expect, test } from 'bun:test';
import { ReturnRamp, type RampChange } from './return-ramp.ts';

const options = { firstStep: 0.01, fastestMs: 60_000 };

/** Runs a return with so many answers a second, of which a part is bad or slow; what happened and when. */
function runRamp(perSecond: number, badPart: (returned: number) => number, endMs: number): { changes: RampChange[]; doneMs: number; shares: number[] } {
  const ramp = new ReturnRamp(options, 0.05);
  const changes: RampChange[] = [];
  const shares: number[] = [];
  ramp.start(0);
  let due = 0;
  let bad = 0;
  for (let ms = 100; ms <= endMs; ms += 100) {
    due += (perSecond * ramp.returned) / 10;
    while (due >= 1) {
      due--;
      bad += badPart(ramp.returned);
      if (bad >= 1) {
        bad--;
        ramp.answered('bad');
      } else ramp.answered('good');
    }
    const change = ramp.advance(ms, false);
    shares.push(ramp.returned);
    if (change !== 'held') changes.push(change);
    if (change === 'done' || change === 'given-up') return { changes, doneMs: ms, shares };
  }
  return { changes, doneMs: Number.POSITIVE_INFINITY, shares };
}

describe('a return', () => {
  test('doubles no faster than allowed for the whole way, and ends', () => {
    const { changes, doneMs, shares } = runRamp(300, () => 0, 300_000);
    expect(changes.filter((change) => change === 'grown')).toHaveLength(7);
    expect(changes.at(-1)).toBe('done');
    expect(shares.indexOf(1) * 100).toBeGreaterThanOrEqual(59_000);
    expect(doneMs).toBeLessThan(80_000);
  });

  test('takes three times as long where hardly anybody comes', () => {
    const { doneMs } = runRamp(0, () => 0, 600_000);
    expect(doneMs).toBeGreaterThan(180_000);
    expect(doneMs).toBeLessThan(220_000);
  });

  /** How long a return takes with a probe every two seconds. */
  function probed(probe: (sentMs: number) => boolean, answer?: (ms: number) => 'good' | 'bad' | undefined): number {
    const ramp = new ReturnRamp(options, 0.05);
    ramp.start(0);
    for (let ms = 100; ms < 600_000; ms += 100) {
      if (ms % 2000 === 0) ramp.probed({ sentMs: ms - 20, isGood: probe(ms) });
      const outcome = answer?.(ms);
      if (outcome) ramp.answered(outcome);
      if (ramp.advance(ms, false) === 'done') return ms;
    }
    return Number.POSITIVE_INFINITY;
  }

  test('of an idle site is as fast as of a busy one where probes are good', () => {
    expect(probed(() => true)).toBeLessThan(72_000);
    expect(probed(() => true, (ms) => (ms % 10_000 === 0 ? 'good' : undefined))).toBeLessThan(72_000);
  });

  test('is not hastened by probes where answers can be had, are bad, or probes are', () => {
    expect(probed(() => true, (ms) => (ms % 1000 === 0 ? 'good' : undefined))).toBeGreaterThan(150_000);
    expect(probed(() => true, (ms) => (ms % 5000 === 0 ? 'bad' : undefined))).toBeGreaterThan(150_000);
    expect(probed((ms) => ms % 6000 !== 0)).toBeGreaterThan(150_000);
  });

  test('is not hastened by a probe that was sent before its step', () => {
    const ramp = new ReturnRamp(options, 0.05);
    ramp.start(1000);
    ramp.probed({ sentMs: 900, isGood: true });
    expect(ramp.advance(11_000, false)).toBe('held');
    ramp.probed({ sentMs: 11_000, isGood: true });
    expect(ramp.advance(11_100, false)).toBe('grown');
  });

  test('stops where errors are above the limit, without giving up', () => {
    const { changes, shares } = runRamp(300, (returned) => (returned >= 0.1 ? 0.1 : 0), 300_000);
    expect(changes).not.toContain('done');
    expect(changes).not.toContain('taken-back');
    expect(shares.at(-1)).toBeCloseTo(0.16, 6);
  });

  test('takes a clearly worse step back, twice at most', () => {
    const { changes } = runRamp(300, (returned) => (returned >= 0.3 ? 0.5 : 0), 600_000);
    expect(changes.filter((change) => change === 'taken-back')).toHaveLength(2);
    expect(changes.at(-1)).toBe('given-up');
  });

  test('waits while the origin has no room', () => {
    const ramp = new ReturnRamp(options, 0.05);
    ramp.start(0);
    for (let ms = 0; ms < 120_000; ms += 100) {
      ramp.answered('good');
      ramp.advance(ms, true);
    }
    expect(ramp.returned).toBe(0.01);
    ramp.stop();
    expect(ramp.returned).toBe(0);
  });

  test('of everything at once is one step', () => {
    const ramp = new ReturnRamp({ firstStep: 1, fastestMs: 1000 }, 0.05);
    ramp.start(0);
    for (let i = 0; i < 20; i++) ramp.answered('good');
    expect(ramp.advance(1000, false)).toBe('done');
  });
});

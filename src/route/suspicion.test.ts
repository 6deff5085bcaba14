import { describe, expect, test } from 'bun:test';
import { seededRandom } from '../kernel/index.ts';
import { Suspicion, evidenceWeights, suspicionThreshold } from './suspicion.ts';

const weights = evidenceWeights(0.05);
const silenceMs = 400;

/** Bad answers in a row until an unsuspecting observer is sure. */
function badInARow(perSecond: number): number {
  const suspicion = new Suspicion(weights);
  const threshold = suspicionThreshold(weights, perSecond);
  let count = 0;
  while (!suspicion.proven(0, threshold, silenceMs)) {
    suspicion.bad(0, threshold);
    count++;
  }
  return count;
}

describe('errors', () => {
  test('a few in a row are proof, more where there is more traffic', () => {
    expect([0, 0.01, 1, 300, 30_000].map(badInARow)).toEqual([3, 3, 5, 11, 16]);
  });

  test('one alone, or steady ones below the limit, are not', () => {
    const random = seededRandom(3);
    const suspicion = new Suspicion(weights);
    const threshold = suspicionThreshold(weights, 300);
    for (let i = 0; i < 1_000_000; i++) {
      if (random.next() < 0.04) suspicion.bad(i * 3, threshold);
      else suspicion.good(i * 3);
      expect(suspicion.proven(i * 3, threshold, silenceMs)).toBe(false);
    }
  });

  test('half of all answers are noticed within forty', () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = seededRandom(seed);
      const suspicion = new Suspicion(weights);
      const threshold = suspicionThreshold(weights, 300);
      let count = 0;
      while (!suspicion.proven(0, threshold, silenceMs)) {
        if (random.next() < 0.6) suspicion.bad(0, threshold);
        else suspicion.good(0);
        count++;
      }
      expect(count).toBeLessThan(80);
    }
  });

  test('old ones fade', () => {
    const suspicion = new Suspicion(weights);
    const threshold = suspicionThreshold(weights, 0);
    suspicion.bad(0, threshold);
    suspicion.bad(1, threshold);
    suspicion.bad(3_600_000, threshold);
    expect(suspicion.proven(3_600_000, threshold, silenceMs)).toBe(false);
    expect(suspicion.sinceMs).toBeDefined();
    suspicion.reset();
    expect(suspicion.sinceMs).toBeUndefined();
  });
});

describe('late answers', () => {
  const threshold = suspicionThreshold(weights, 300);

  test('prove something only when nothing useful comes for a while', () => {
    const suspicion = new Suspicion(weights);
    for (let ms = 0; ms < silenceMs; ms += 3) suspicion.late(ms, threshold);
    expect(suspicion.proven(silenceMs - 1, threshold, silenceMs)).toBe(false);
    expect(suspicion.proven(silenceMs, threshold, silenceMs)).toBe(true);
  });

  test('that come after all, soon enough, are forgiven', () => {
    const suspicion = new Suspicion(weights);
    for (let ms = 0; ms < 300; ms += 3) suspicion.late(ms, threshold);
    for (let i = 0; i < 100; i++) suspicion.lateButUseful(310);
    expect(suspicion.sinceMs).toBeUndefined();
    expect(suspicion.proven(10_000, threshold, silenceMs)).toBe(false);
  });
});

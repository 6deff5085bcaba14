import { expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import { IntervalLevels } from './interval-levels.ts';

test('nine in ten outcomes fall in the interval, however outcomes scatter', () => {
  for (const scatter of [0, 0.4, 1.5]) {
    for (const mean of [3, 80]) {
      const intervals = new IntervalLevels(1);
      const random = seededRandom(11);
      let inside = 0;
      let judged = 0;
      for (let i = 0; i < 6000; i++) {
        // A forecast that is a third too low, and surprises that come in both directions.
        const rate = 1.3 * mean * Math.exp(scatter * (random.next() + random.next() - 1));
        const count = random.poisson(rate);
        const interval = intervals.interval(0, 1, mean);
        intervals.learn(0, 1, mean, interval, count);
        if (i < 1000) continue;
        judged++;
        if (count >= interval.q05 && count <= interval.q95) inside++;
      }
      expect(inside / judged).toBeGreaterThan(0.86);
      expect(inside / judged).toBeLessThan(0.95);
    }
  }
});

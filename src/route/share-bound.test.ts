import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { seededRandom } from '../kernel/index.ts';
import { ShareBound } from './share-bound.ts';

const positions = 4_294_967_296;

interface Run { readonly admitted: number; readonly own: number; readonly ownAdmitted: number; readonly others: number; readonly mostInSecond: number }

/** So many requests a second for so long, from clients that are equally busy. */
function run(options: { clients: readonly number[]; share: number; perSecond: number; seconds: number; margin?: number; seed?: number }): Run {
  const { clients, share, perSecond, seconds, margin = 1.2 } = options;
  const random = seededRandom(options.seed ?? 1);
  const bound = new ShareBound(0);
  const total = { admitted: 0, own: 0, ownAdmitted: 0, others: 0, mostInSecond: 0 };
  for (let second = 0; second < seconds; second++) {
    const before = total.admitted;
    for (let i = 0; i < perSecond; i++) {
      const position = clients[random.below(clients.length)] ?? 0;
      const isAdmitted = bound.admit(position, share, margin, second * 1000 + (i * 1000) / perSecond);
      const isOwn = position < share * positions;
      if (isOwn) total.own++;
      if (isAdmitted) {
        total.admitted++;
        if (isOwn) total.ownAdmitted++;
        else total.others++;
      }
    }
    total.mostInSecond = Math.max(total.mostInSecond, total.admitted - before);
  }
  return total;
}

const many = (seed: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: 10_000 }, () => random.below(positions));
};

describe('ten thousand clients', () => {
  test('keep their side all the way back', () => {
    for (const seed of Array.from({ length: 20 }, (_, i) => i)) {
      const [clients, random, bound] = [many(seed), seededRandom(seed + 100), new ShareBound(0)];
      let [own, strayed] = [0, 0];
      for (let i = 0; i < 300 * 60; i++) {
        const share = Math.min(1, 0.01 * 2 ** Math.floor((i / 300 / 60) * 7));
        const position = clients[random.below(clients.length)] ?? 0;
        const isOwn = position < share * positions;
        if (isOwn) own++;
        if (bound.admit(position, share, 1.2, (i * 1000) / 300) !== isOwn) strayed++;
      }
      expect(own).toBeGreaterThan(2000);
      expect(strayed, `seed ${seed}, of ${own}`).toBeLessThanOrEqual(2);
    }
  });

  test('of a small site too', () => {
    const { own, ownAdmitted, others } = run({ clients: many(1), share: 0.16, perSecond: 3, seconds: 600 });
    expect(own).toBeGreaterThan(100);
    expect(ownAdmitted).toBe(own);
    expect(others).toBe(0);
  });
});

describe('few positions', () => {
  test.each([0.01, 0.08, 0.32, 0.64])('a single one below a share of %d brings no more than the share', (share) => {
    const { admitted, mostInSecond } = run({ clients: [0], share, perSecond: 300, seconds: 60 });
    const allowed = 300 * share * 1.2 + 1;
    expect(admitted).toBeGreaterThan(300 * share * 60 * 0.95);
    expect(admitted).toBeLessThanOrEqual(60 * allowed + 8);
    expect(mostInSecond).toBeLessThanOrEqual(allowed + 8);
  });

  test.each([0.01, 0.08, 0.32, 0.64])('none below a share of %d: samples come all the same, and no more than the share', (share) => {
    const { own, others, mostInSecond } = run({ clients: [positions - 1], share, perSecond: 300, seconds: 60 });
    expect(own).toBe(0);
    expect(others).toBeGreaterThan(300 * share * 60 * 0.8);
    expect(mostInSecond).toBeLessThanOrEqual(300 * share * 1.2 + 4);
  });

  test('a strained origin gets what is left to it', () => {
    const { admitted } = run({ clients: [0], share: 0.4, perSecond: 300, seconds: 60, margin: 1 });
    expect(admitted / (300 * 60)).toBeLessThan(0.41);
    expect(admitted / (300 * 60)).toBeGreaterThan(0.39);
  });
});

test('whatever comes, no more is let in than was earned, and the whole share lets in everybody', () => {
  const step = fc.record({ ms: fc.nat(500), times: fc.integer({ min: 1, max: 400 }), position: fc.nat(positions - 1), share: fc.double({ min: 0.005, max: 0.99, noNaN: true }) });
  fc.assert(fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
    const bound = new ShareBound(0);
    let nowMs = 0;
    let earned = 8;
    let admitted = 0;
    for (const { ms, times, position, share } of steps) {
      nowMs += ms;
      earned += ms / 1000;
      for (let i = 0; i < times; i++) {
        earned += share * 1.2;
        if (bound.admit(position, share, 1.2, nowMs)) admitted++;
      }
      expect(admitted).toBeLessThanOrEqual(earned + 1e-6);
    }
    for (let i = 0; i < 100; i++) expect(bound.admit(positions - 1, 1, 1.2, nowMs)).toBe(true);
  }), { seed: 8, numRuns: 200 });
});

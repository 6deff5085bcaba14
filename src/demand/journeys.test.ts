import { describe, expect, test } from 'bun:test';
import { seededRandom } from '../kernel/index.ts';
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import { Journeys, peopleResourcesMax, stepCharactersMax, stepsMax } from './journeys.ts';
import { SweepOrder } from './sweep-order.ts';
import { sweepsMax, sweepsToldMax } from './sweep-watch.ts';

const eu = 'eu' as RegionName; // as the edge would name it
const minuteMs = 60_000;
const startMs = 1_700_000_040_000; // a whole minute
const key = (name: string | number): ResourceKey => `/${name}` as ResourceKey;
const noted = (journeys: Journeys, tag: number, names: readonly (string | number)[], atMin: number, referer?: string): void => {
  for (const name of names) journeys.note(tag, key(name), eu, startMs + atMin * minuteMs, referer === undefined ? undefined : key(referer));
};
const told = (journeys: Journeys, atMin = 0): string[] => journeys.take(startMs + atMin * minuteMs).steps.map(({ from, to, lagMin, count }) => `${from} ${to} ${lagMin} ${count}`);

describe('steps', () => {
  test('lead from what a visitor asked for minutes ago to what it asks for now, shared between its sources', () => {
    const journeys = new Journeys();
    noted(journeys, 1, ['list', 'list.css'], 0);
    noted(journeys, 2, ['other'], 0);
    expect(told(journeys)).toEqual([]);
    noted(journeys, 1, ['product'], 2);
    expect(told(journeys)).toEqual(['/list /product 2 0.5', '/list.css /product 2 0.5']);
    noted(journeys, 1, ['cart'], 3, 'product');
    expect(told(journeys)).toEqual(['/product /cart 1 1']);
    // A referer the visitor was never seen at, another site's say, tells nothing.
    noted(journeys, 2, ['cart'], 4, 'elsewhere');
    expect(told(journeys)).toEqual(['/other /cart 4 1']);
  });

  test('end after half an hour, and never lead from one visitor to another', () => {
    const journeys = new Journeys();
    noted(journeys, 1, ['a'], 0);
    noted(journeys, 2, ['b'], 1);
    noted(journeys, 1, ['c'], 31);
    noted(journeys, 2, ['d'], 31);
    expect(told(journeys)).toEqual(['/b /d 30 1']);
  });

  test('are bounded in a window; those told count for the others', () => {
    const journeys = new Journeys();
    for (let visitor = 0; visitor < 2 * stepsMax; visitor++) noted(journeys, visitor, ['a'], 0);
    for (let visitor = 0; visitor < 2 * stepsMax; visitor++) noted(journeys, visitor, ['b'], 1);
    const { steps } = journeys.take(startMs);
    expect(steps.length).toBe(stepsMax);
    expect(steps.reduce((sum, { count }) => sum + count, 0)).toBeCloseTo(2 * stepsMax, 6);
  });

  test('are not told of who goes through more resources than people do; its requests are counted', () => {
    const journeys = new Journeys();
    const random = seededRandom(3);
    for (let i = 0; i < peopleResourcesMax; i++) noted(journeys, 1, [`${random.below(1e9)}`], Math.floor(i / 100));
    expect(told(journeys).length).toBeGreaterThan(0);
    for (let i = 0; i < 50; i++) noted(journeys, 1, [`${random.below(1e9)}`], 3);
    const { steps, suspect } = journeys.take(startMs);
    expect([steps.length, suspect]).toEqual([0, 50]);
  });

  test('a flood of visitors and long random URLs stays within the table and its characters', () => {
    const journeys = new Journeys({ visitors: 64, characters: 100_000 });
    const long = 'x'.repeat(1000);
    for (let i = 0; i < 2000; i++) noted(journeys, i, [`${i}${long}`, `${i}${long}${long}`, 'short'], 0);
    expect(journeys.characters).toBeLessThanOrEqual(100_000);
    expect(journeys.characters).toBeGreaterThan(90_000);
    for (let i = 0; i < 2000; i++) noted(journeys, i, ['end', 'x'.repeat(stepCharactersMax)], 1);
    const { steps } = journeys.take(startMs);
    expect(steps.length).toBeLessThanOrEqual(64 * 8);
    expect(steps.every(({ to }) => to === '/end')).toBe(true);
  });

  test('what is told names no visitor', () => {
    const journeys = new Journeys();
    const tag = 1_234_567_890;
    for (let i = 0; i < 100; i++) noted(journeys, tag, [String(1000 + i)], i / 10);
    const text = JSON.stringify(journeys.take(startMs + 10 * minuteMs));
    expect(JSON.parse(text)).toMatchObject({ sweeps: [{ to: '/1099' }] });
    expect(text.includes(String(tag))).toBe(false);
  });
});

describe('sweeps', () => {
  test('are told once a minute, by where they stand and how fast they go', () => {
    const journeys = new Journeys();
    for (let i = 0; i < 90; i++) noted(journeys, 1, [`list?page=${i}`], i / 10);
    const { sweeps } = journeys.take(startMs + 9 * minuteMs);
    expect(sweeps.length).toBe(1);
    expect(sweeps[0]).toMatchObject({ to: '/list?page=89', region: eu });
    const { asked = 0, seconds = 1 } = sweeps[0] ?? {};
    expect(Math.abs((asked / seconds) * 60 - 10)).toBeLessThan(1.5);
    expect(journeys.take(startMs + 9 * minuteMs).sweeps).toEqual([]);
    // It stands still: it is over.
    expect(journeys.take(startMs + 12 * minuteMs).sweeps).toEqual([]);
  });

  test('go down too, and who asks without order makes none', () => {
    const journeys = new Journeys();
    const random = seededRandom(5);
    for (let i = 0; i < 200; i++) {
      noted(journeys, 1, [1000 - i], i / 20);
      noted(journeys, 2, [random.below(100_000)], i / 20);
    }
    expect(journeys.take(startMs + 10 * minuteMs).sweeps.map(({ to }) => to)).toEqual([key(801)]);
  });

  test('followed and told at once are bounded: the fastest are told', () => {
    const journeys = new Journeys();
    // The later they began, the shorter they took.
    for (let visitor = 0; visitor < sweepsMax + 50; visitor++) for (let i = 0; i < 80; i++) noted(journeys, visitor, [`v${visitor}-${1000 + i}`], visitor / 400);
    const { sweeps } = journeys.take(startMs + minuteMs);
    expect(sweeps.length).toBe(sweepsToldMax);
    const visitors = sweeps.map(({ to }) => Number(/\d+/.exec(to)?.[0]));
    expect(Math.max(...visitors)).toBe(sweepsMax - 1);
    expect(Math.min(...visitors)).toBeGreaterThan(sweepsMax - 50);
  });
});

describe('the order of lists', () => {
  const order = new SweepOrder();
  test.each([
    ['/a/b', '/x/B2'], ['/list?page=9', '/list?page=10'], ['/win/Abc_1.0', '/mac/abd_0.1'], ['/v/007', '/v/8'], ['/a/', '/b/'], ['/x/rcmdr-a', '/x/rcmdr-b'],
  ])('has %s before %s, and no greater code', (a, b) => {
    expect(order.compare(a, b)).toBeLessThan(0);
    expect(order.compare(b, a)).toBeGreaterThan(0);
    expect(order.code(a)).toBeLessThanOrEqual(order.code(b));
    expect(order.code(a)).toBeGreaterThan(0);
  });

  test('is one order, whatever the names, and codes agree with it', () => {
    const random = seededRandom(9);
    const letters = 'aB9/_-.?=0é';
    const name = (): string => `/${Array.from({ length: random.below(12) }, () => letters[random.below(letters.length)]).join('')}`;
    const names = Array.from({ length: 300 }, name).sort((a, b) => order.compare(a, b));
    for (let i = 0; i < names.length; i++) for (let j = i + 1; j < names.length; j++) {
      const [a = '', b = ''] = [names[i], names[j]];
      expect(order.compare(a, b)).toBeLessThanOrEqual(0);
      expect(order.code(a)).toBeLessThanOrEqual(order.code(b));
    }
  });
});

import { expect, test } from 'bun:test';
import { Gate } from './evidence/gate.ts';
import { Pipeline } from './pipeline.ts';
import { siteBatch } from './stage.ts';
import type { Stage } from './stage.ts';
import { createState } from './state/state.ts';

/** Doubles every rate. Named as the one stage that the gate lets in before it has seen anything. */
const doubling = (fleeting: boolean): Stage => ({
  name: 'bursts', fleeting, observe() {}, forget() {}, bytes: () => 0, write() {}, read() {},
  apply(_batch, perMinute) {
    for (let row = 0; row < perMinute.length; row++) perMinute[row] = 2 * (perMinute[row] ?? 0);
  },
});

test('what is said of the next minutes only counts for an outage now, not for copies', () => {
  for (const [fleeting, forCopies] of [[true, [1, 3]], [false, [2, 6]]] as const) {
    const pipeline = new Pipeline(createState(16, 1), [doubling(fleeting)], new Gate());
    const [keys, base] = [Int32Array.of(0, 1), Float64Array.of(1, 3)];
    expect([...pipeline.rates(siteBatch(keys), 2, 60_000, base)]).toEqual([2, 6]);
    expect([...pipeline.ratesForCopies(keys, 2, 60_000, base)]).toEqual([...forCopies]);
  }
});

/**
 * The distribution of a value at a horizon: how many changes there are, and where so many steps lead. A value with some few states is followed step by step;
 * one that changes more often than is followed is where the last steps lead. Pure.
 */
import type { Chances } from './next-value.ts';

const stepsMax = 8;
/** States followed at each step, the most probable; less probable ones than this lead nowhere that is worth following. */
const statesMax = 12;
const chanceMin = 0.02;

/**
 * `changes`: P(at least one change). `expected`: how many there are on average, of which it follows how many there are if there is one: Poisson, cut off
 * below one. What is missing to 1 is not known.
 */
export function valueChances(present: string, changes: number, expected: number, after: (text: string) => Chances): Chances {
  const known = new Map<string, Chances>();
  const next = (text: string): Chances => {
    const there = known.get(text) ?? after(text);
    known.set(text, there);
    return there;
  };
  const sum = new Map<string, number>([[present, 1 - changes]]);
  let states: Chances = new Map([[present, 1]]);
  let term = Math.exp(-expected);
  const any = -Math.expm1(-expected);
  let left = 1;
  let before = states;
  for (let step = 1; step <= stepsMax && left > 1e-3; step++) {
    before = states;
    states = moved(states, next);
    term *= expected / step;
    const weight = expected > 0 ? Math.min(left, term / any) : step === 1 ? 1 : 0;
    left -= weight;
    add(sum, states, changes * weight);
  }
  // Whether the number of steps is even or odd is not known after so many.
  add(sum, before, (changes * left) / 2);
  add(sum, states, (changes * left) / 2);
  return sum;
}

function moved(states: Chances, next: (text: string) => Chances): Chances {
  const to = new Map<string, number>();
  for (const [text, chance] of states) if (chance >= chanceMin) add(to, next(text), chance);
  return to.size <= statesMax ? to : new Map([...to].sort((a, b) => b[1] - a[1]).slice(0, statesMax));
}

function add(sum: Map<string, number>, chances: Chances, weight: number): void {
  if (weight <= 0) return;
  for (const [text, chance] of chances) sum.set(text, (sum.get(text) ?? 0) + chance * weight);
}

/**
 * What people notice of generation at an origin that slows under load: their 95th percentile with generation on beside without. Simulated queues of 1 to 16
 * workers with service times all alike, differing and exponential, by the real `Budget`; then the real generator against a real queue. Required: at most 5 %
 * more (of a percentile that chance alone moves: the mean over seeds), never more than `budgets.originRequests` in a second, and nothing but single trials a second after a strain.
 */
import { ms } from '../report.ts';
import type { Table } from '../report.ts';
import type { Suite, SuiteContext } from '../suite.ts';
import { runReal, type RealResult } from './real-run.ts';
import { simulateQueue } from './simulation.ts';

const loads = [0.3, 0.6, 0.8, 0.9, 0.95] as const;
const limits = { originRequestsPerSecond: 20, originShare: 1, generateConcurrency: 8 };
const capacityPerSecond = 200;
/** Trials after a strain: one after each rest of 1, 2, 4 s, each answered before the next. */
const trialsMax = 4;
const harmMax = 0.05;
/** Below this a difference is no harm: timers are no finer. */
const harmMinMs = 1;

interface Simulated {
  readonly workers: number;
  readonly service: 'fixed' | 'lognormal' | 'exponential';
  readonly cells: readonly { readonly load: number; readonly offMs: number; readonly onMs: number; readonly generatedPerSecond: number; readonly mostInASecond: number }[];
}

export const politeness: Suite = {
  name: 'politeness',
  about: 'what people notice of generation at an origin that slows under load (simulated and real, about ten minutes)',
  async run(context) {
    const simulated = simulate(context);
    const real: RealResult[] = [];
    for (const load of context.quick ? [0.6] : [0.3, 0.6, 0.9]) {
      context.say(`politeness: a real queue, load ${load}`);
      real.push(await runReal({ workers: 4, serviceMs: 40, load, turnMs: 12_000, pairs: context.quick ? 2 : 6, seed: 7 }));
    }
    return { numbers: { simulated, real }, missed: [...simulated.flatMap(missedBySimulated), ...real.flatMap(missedByReal)], tables: [simulatedTable(simulated), realTable(real)] };
  },
};

function simulate(context: SuiteContext): readonly Simulated[] {
  const seeds = context.quick ? [1] : [1, 2, 3, 4];
  const results: Simulated[] = [];
  for (const workers of [1, 4, 16]) {
    for (const service of ['fixed', 'lognormal', 'exponential'] as const) {
      context.say(`politeness: simulated, ${workers} workers, service ${service}`);
      const cells = loads.map((load) => {
        const runs = seeds.map((seed) => {
          const facts = { workers, service, serviceMs: (workers * 1000) / capacityPerSecond, peoplePerSecond: capacityPerSecond * load, seconds: 400, warmUpSeconds: 60, seed, limits };
          return { off: simulateQueue(facts, false), on: simulateQueue(facts, true) };
        });
        const mean = (of: (run: (typeof runs)[number]) => number): number => runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
        return {
          load, offMs: mean(({ off }) => off.peopleP95Ms), onMs: mean(({ on }) => on.peopleP95Ms),
          generatedPerSecond: mean(({ on }) => on.generatedPerSecond), mostInASecond: Math.max(...runs.map(({ on }) => on.mostInASecond)),
        };
      });
      results.push({ workers, service, cells });
    }
  }
  return results;
}

function harm(offMs: number, onMs: number): number {
  return offMs > 0 ? onMs / offMs - 1 : 0;
}

function missedBySimulated({ workers, service, cells }: Simulated): string[] {
  return cells.flatMap(({ load, offMs, onMs, mostInASecond }) => {
    const at = `simulated, ${workers} workers, ${service}, load ${load}`;
    return [
      ...(harm(offMs, onMs) > harmMax && onMs - offMs > harmMinMs ? [`${at}: p95 ${ms(offMs)} to ${ms(onMs)}`] : []),
      ...(mostInASecond > limits.originRequestsPerSecond ? [`${at}: ${mostInASecond} requests in a second`] : []),
    ];
  });
}

function missedByReal({ load, offP95Ms, onP95Ms, mostInASecond, afterStrain, lastBeforeRestMs }: RealResult): string[] {
  return [
    ...(harm(offP95Ms, onP95Ms) > harmMax && onP95Ms - offP95Ms > harmMinMs ? [`real, load ${load}: p95 ${ms(offP95Ms)} to ${ms(onP95Ms)}`] : []),
    ...(mostInASecond > limits.originRequestsPerSecond ? [`real, load ${load}: ${mostInASecond} requests in a second`] : []),
    ...(afterStrain > trialsMax || lastBeforeRestMs > 1000 ? [`real, load ${load}: ${afterStrain} requests later than a second after a strain, the last that was no trial after ${ms(lastBeforeRestMs)}`] : []),
  ];
}

function percentOf(value: number): string {
  return `${value >= 0 ? '+' : ''}${(100 * value).toFixed(1)} %`;
}

function simulatedTable(results: readonly Simulated[]): Table {
  return {
    title: 'Simulated queues that serve 200 requests a second: people\'s p95 without generation, what it adds, and generated requests a second',
    columns: ['workers, service', ...loads.map((load) => `load ${load}`)],
    rows: results.map(({ workers, service, cells }) => [`${workers}, ${service}`, ...cells.map(({ offMs, onMs, generatedPerSecond }) => `${ms(offMs)} ${percentOf(harm(offMs, onMs))} ${generatedPerSecond.toFixed(1)}/s`)]),
  };
}

function realTable(results: readonly RealResult[]): Table {
  return {
    title: 'A real queue of 4 workers at 40 ms, the real generator',
    columns: ['load', 'p95 off', 'p95 on', 'adds', 'generated', 'most in 1 s', 'after a strain'],
    rows: results.map(({ load, offP95Ms, onP95Ms, generatedPerSecond, mostInASecond, afterStrain }) =>
      [String(load), ms(offP95Ms), ms(onP95Ms), percentOf(harm(offP95Ms, onP95Ms)), `${generatedPerSecond.toFixed(1)}/s`, String(mostInASecond), String(afterStrain)]),
  };
}

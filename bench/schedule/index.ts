/**
 * Which copy to refresh next: the product's planner against what is known to be best. First the printed optimum of five pages; then simulated
 * sites of 10,000 pages whose request and change rates drift, budgets of several sizes, change rates learned from "changed since last time" bits only;
 * then the same with passing requests renewing copies; then a site at rest. No clock, no network: seeds reproduce every number.
 */
import { planner, rivals } from './policies.ts';
import { knownFreshness, knownRates, playKnown } from './known-optimum.ts';
import { play, type PlayResult } from './play.ts';
import { playAtRest } from './at-rest.ts';
import { SimulatedSite } from './simulated-site.ts';
import type { Suite, SuiteContext } from '../suite.ts';
import type { Table } from '../report.ts';

interface Run extends PlayResult {
  readonly seed: number;
  readonly budgetPerMinute: number;
  /** Part of the pages whose copies passing requests renew. */
  readonly passivePart: number;
}

const learned = 'planner';
const clairvoyant = 'planner, true rates';

export const schedule: Suite = {
  name: 'schedule',
  about: 'which copy to refresh next, against the known optimum and simpler schedules (simulated, about ten minutes)',
  run(context) {
    const known = playKnown(context.quick ? 500 : 1400, 200);
    const runs: Run[] = [];
    const [budgets, seeds, days] = context.quick ? [[120], [1], 2] : [[30, 120, 300], [1, 2, 3], 4];
    for (const budgetPerMinute of budgets) for (const seed of seeds) runs.push(simulate(context, { budgetPerMinute, seed, days, passivePart: 0 }));
    runs.push(simulate(context, { budgetPerMinute: 120, seed: 1, days: 2, passivePart: 0.7 }));
    const atRest = playAtRest(10_000, context.quick ? 3 : 12, 6000);
    const freshnessOff = known.freshness / knownFreshness - 1;
    const missed = [
      ...(Math.abs(freshnessOff) > 0.01 ? [`the known optimum of freshness is missed by ${(100 * freshnessOff).toFixed(2)} %`] : []),
      ...runs.flatMap(missedBy),
    ];
    return Promise.resolve({ numbers: { known, runs, atRest }, missed, tables: [
      {
        title: 'Five pages that change 1 to 5 times a day, five refreshes a day (Cho & Garcia-Molina)',
        columns: ['', ...knownRates.map((_, page) => `${page + 1} a day`), 'fresh'],
        rows: [['known optimum', ...knownRates.map((rate) => rate.toFixed(2)), knownFreshness.toFixed(3)], ['planner', ...known.refreshesPerDay.map((rate) => rate.toFixed(2)), known.freshness.toFixed(4)]],
      },
      ...runs.map(tableOf),
      {
        title: '10,000 pages at rest, 6,000 refreshes a minute to spend: fetches on a guess, by hour',
        columns: ['', ...atRest.guesses.map((_, hour) => String(hour + 1)), 'for age'],
        rows: [['fetches', ...atRest.guesses.map(String), String(atRest.forAge)]],
      },
    ] });
  },
};

function simulate(context: SuiteContext, facts: { readonly budgetPerMinute: number; readonly seed: number; readonly days: number; readonly passivePart: number }): Run {
  const { budgetPerMinute, seed, days, passivePart } = facts;
  context.say(`schedule: ${budgetPerMinute} refreshes a minute, seed ${seed}${passivePart > 0 ? ', with passing requests' : ''}`);
  const site = new SimulatedSite({ pages: 10_000, seed, requestsPerMinute: 600, zipf: 0.9, changes: [1 / (14 * 1440), 1 / 10], still: 0.2, drift: 0.3 });
  const passive = Float64Array.from(site.demand, (_, page) => ((page * 0.618_033_988_75) % 1 < passivePart ? 1 : 0));
  const policies = [
    planner({ site, name: learned, changeRate: 'learned', demand: site.demand, passive }),
    planner({ site, name: clairvoyant, changeRate: 'true', demand: site.demand, passive }),
    ...rivals(site),
  ];
  const result = play({ site, policies, budget: budgetPerMinute, minutes: days * 1440, warmUpMinutes: (days - 1) * 1440, passive, seed: seed + 100 });
  return { ...facts, ...result };
}

/** Required: within 3 % of the clairvoyant optimum of the closed form, ahead of everything that is told no true change rates. */
function missedBy({ scores, closedForm, seed, budgetPerMinute, passivePart }: Run): string[] {
  const own = scores.find(({ name }) => name === learned);
  if (!own) return ['the planner was not played'];
  const at = `${budgetPerMinute} a minute, seed ${seed}`;
  const ahead = scores.filter(({ name, penalty }) => name !== learned && name !== clairvoyant && !name.startsWith('LambdaCrawl') && penalty <= own.penalty);
  return [
    ...(passivePart === 0 && own.penalty > 1.03 * closedForm ? [`${at}: penalty ${own.penalty.toFixed(4)}, LambdaCrawl's closed form ${closedForm.toFixed(4)}`] : []),
    ...ahead.map(({ name }) => `${at}: ${name} is ahead`),
  ];
}

function tableOf({ scores, closedForm, evenOptimum, seed, budgetPerMinute, passivePart }: Run): Table {
  const row = (name: string, penalty: number, fresh: number | undefined): string[] =>
    [name, penalty.toFixed(4), (penalty / closedForm).toFixed(3), (penalty / evenOptimum).toFixed(3), fresh === undefined ? '' : `${(100 * fresh).toFixed(2)} %`];
  const passing = passivePart === 0 ? '' : `, ${100 * passivePart} % of pages also renewed by passing requests (the optima do without)`;
  return {
    title: `10,000 pages, ${budgetPerMinute} refreshes a minute, seed ${seed}${passing}: harmonic penalty a request`,
    columns: ['schedule', 'penalty', 'of closed form', 'of best even', 'fresh'],
    rows: [
      row('LambdaCrawl, closed form, true rates', closedForm, undefined), row('best even intervals, true rates', evenOptimum, undefined),
      ...scores.map(({ name, penalty, fresh }) => row(name, penalty, fresh)),
    ],
  };
}

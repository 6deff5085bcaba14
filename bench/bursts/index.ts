/**
 * Bursts on a made-up site whose true rates are known: how soon the forecast is within a factor of 2 of what is to come, with the stage and without it, by size, shape
 * and how busy the page was before; false alarms a day on a day of lumps and on a day of constant rates; and that nothing is lost where there are no bursts.
 */
import { DemandEngine, everywhere } from '../../src/predict/index.ts';
import type { Suite, SuiteContext } from '../suite.ts';
import type { Table } from '../report.ts';
import { SyntheticSite } from './synthetic-site.ts';
import type { Surge } from './synthetic-site.ts';

const minuteMs = 60_000;
const day0Ms = Date.UTC(2026, 2, 2);
const dayMin = 1440;
/** Minutes after its onset in which a surge is to be seen. */
const dueMin = 3;
const followedMin = 30;
/**
 * Surges of at least this many requests a minute, abrupt or decaying, that last longer than the horizon must be seen in time; this part of them. Of one that grows
 * slowly nobody knows after three minutes and a handful of requests that it will be five times as large.
 */
const requiredPeak = 5;
const requiredPart = 0.9;
const falsePerDayMax = 24;
/** Log loss without bursts may be worse by this part. */
const lossPartMax = 0.001;
const horizons = [{ index: 0, minutes: 5 }, { index: 2, minutes: 15 }] as const;

interface Followed {
  readonly surge: Surge;
  readonly times: number;
  readonly usualPerDay: number;
  /** Minutes from the onset until the forecast was within a factor of 2, by horizon; undefined: not within half an hour. */
  readonly seenMin: readonly (number | undefined)[];
}

const site = (seed: number, quick: boolean): SyntheticSite => new SyntheticSite({ seed, pages: quick ? 800 : 3000, perMinute: quick ? 80 : 300, lumpPart: 0.05, lumpSize: 4, rhythm: 0.5 });

export const bursts: Suite = {
  name: 'bursts',
  about: 'how soon a surge is forecast, and false alarms (simulated, about three minutes)',
  run(context) {
    const withStage = followSurges(context, false);
    const without = followSurges(context, true);
    const quiet = quietDays(context);
    const isRequired = ({ surge }: Followed): boolean => surge.peak >= requiredPeak && surge.lengthMin >= 45 && surge.shape !== 'ramp';
    const required = withStage.filter(isRequired);
    const missed = horizons.flatMap(({ minutes }, at) => {
      const part = inTime(required, at);
      return part >= requiredPart ? [] : [`next ${minutes} min: ${(100 * part).toFixed(0)} % of the abrupt or decaying surges of ${requiredPeak} requests a minute and more were within a factor of 2 after ${dueMin} min`];
    });
    for (const { name, alarmsPerDay, loss, lossWithout } of quiet) {
      if (alarmsPerDay > falsePerDayMax) missed.push(`${name}: ${alarmsPerDay.toFixed(0)} false alarms a day`);
      if (loss > lossWithout * (1 + lossPartMax)) missed.push(`${name}: log loss ${loss.toFixed(5)}, without the stage ${lossWithout.toFixed(5)}`);
    }
    const surges = [
      tableBy('Surges by size', withStage, without, ({ times }) => `×${times}`),
      tableBy('by length', withStage, without, ({ surge }) => `${surge.lengthMin} min`),
      tableBy('by shape', withStage, without, ({ surge }) => surge.shape),
      tableBy('by the page before', withStage, without, ({ usualPerDay }) => (usualPerDay === 0 ? 'never seen' : `${usualPerDay} a day`)),
      tableBy(`Abrupt or decaying, of ${requiredPeak} a minute and more, 45 min and longer`, required, without.filter(isRequired), () => 'all'),
    ];
    const days: Table = {
      title: 'Days without a surge',
      columns: ['', 'alarms a day', 'log loss', 'without the stage'],
      rows: quiet.map(({ name, alarmsPerDay, loss, lossWithout }) => [name, alarmsPerDay.toFixed(1), loss.toFixed(5), lossWithout.toFixed(5)]),
    };
    return Promise.resolve({ numbers: { surges, quiet }, missed, tables: [...surges, days] });
  },
};

/** Surges of every kind, one after the other, on the days after two of warm-up in which surges happen too. */
function followSurges(context: SuiteContext, without: boolean): Followed[] {
  context.say(`bursts: surges ${without ? 'without' : 'with'} the stage`);
  const made = site(7, context.quick);
  const warmUpMin = (context.quick ? 1 : 2) * dayMin;
  const planned = plan(made, warmUpMin, context.quick);
  for (const { surge } of planned) made.surges.push(surge);
  const engine = new DemandEngine({ keysMax: 100_000, without: new Set(without ? ['bursts'] : []) });
  const seen = planned.map(() => horizons.map((): number | undefined => undefined));
  const onsets = planned.map(({ surge, usualPerDay }) => onsetOf(made, surge, usualPerDay));
  const endMin = Math.max(...onsets) + followedMin;
  for (let minute = 0; minute < endMin; minute++) {
    engine.observe(day0Ms + minute * minuteMs, made.minute(minute));
    planned.forEach(({ surge }, at) => {
      const after = minute - (onsets[at] ?? 0) + 1;
      if (minute < warmUpMin || after < 1 || after > followedMin) return;
      const forecast = engine.forecast(day0Ms + (minute + 1) * minuteMs, made.keyOf(surge.page), everywhere);
      horizons.forEach(({ index, minutes }, horizon) => {
        const truth = expected(made, surge.page, minute + 1, minutes);
        const mean = forecast?.[index]?.mean ?? 0;
        const row = seen[at];
        if (row && row[horizon] === undefined && mean >= truth / 2 && mean <= truth * 2) row[horizon] = after;
      });
    });
  }
  return planned.flatMap(({ surge, times, usualPerDay }, at) => (surge.startMin < warmUpMin ? [] : [{ surge, times, usualPerDay, seenMin: seen[at] ?? [] }]));
}

interface Planned { readonly surge: Surge; readonly times: number; readonly usualPerDay: number }

/** One surge of each kind, sixteen minutes apart, in an order that mixes them; in the warm-up others of the same kinds on other pages, an hour apart. */
function plan(made: SyntheticSite, warmUpMin: number, quick: boolean): Planned[] {
  const kinds: Omit<Planned & { shape: Surge['shape']; lengthMin: number }, 'surge'>[] = [];
  for (const usualPerDay of [0, 1, 10, 100, 1000]) for (const times of [5, 20, 50, 200]) for (const shape of ['abrupt', 'ramp', 'decay'] as const) for (const lengthMin of quick ? [45] : [5, 15, 45, 180]) kinds.push({ usualPerDay, times, shape, lengthMin });
  const used = new Set<number>();
  let fresh = made.usual.length;
  const pageOf = (usualPerDay: number): number => {
    if (usualPerDay === 0) return fresh++;
    let best = 0;
    for (let page = 1; page < made.usual.length; page++) {
      if (!used.has(page) && Math.abs(Math.log(((made.usual[page] ?? 0) * dayMin) / usualPerDay)) < Math.abs(Math.log(((made.usual[best] ?? 0) * dayMin) / usualPerDay))) best = page;
    }
    used.add(best);
    return best;
  };
  const at = (kind: number, startMin: number): Planned => {
    const { usualPerDay, times, shape, lengthMin } = kinds[(kind * 97) % kinds.length] ?? { usualPerDay: 0, times: 5, shape: 'abrupt', lengthMin: 45 };
    // A multiple of next to nothing is nothing that could be seen: at least 2 requests a minute for ×5, 80 for ×200.
    const peak = Math.max((usualPerDay / dayMin) * times, 0.4 * times);
    return { surge: { page: pageOf(usualPerDay), startMin, lengthMin, peak, shape, oneRegion: kind % 2 === 1 }, times, usualPerDay };
  };
  const warm = Array.from({ length: Math.floor(warmUpMin / 60) - 2 }, (_, hour) => at(hour * 7, 90 + hour * 60));
  return [...warm, ...kinds.map((_, kind) => at(kind, warmUpMin + 10 + kind * 16))];
}

/** The first minute with twice the usual rate and, on average, a request. */
function onsetOf(made: SyntheticSite, surge: Surge, usualPerDay: number): number {
  for (let minute = surge.startMin; ; minute++) if (made.rate(surge.page, minute) >= Math.max(1, (2 * usualPerDay) / dayMin) || minute > surge.startMin + surge.lengthMin) return minute;
}

function expected(made: SyntheticSite, page: number, fromMin: number, minutes: number): number {
  let sum = 0;
  for (let minute = fromMin; minute < fromMin + minutes; minute++) sum += made.rate(page, minute);
  return sum;
}

interface Quiet { readonly name: string; readonly alarmsPerDay: number; readonly loss: number; readonly lossWithout: number }

/** Days in which nothing happens: with a rhythm and lumps, and of constant Poisson rates. */
function quietDays(context: SuiteContext): Quiet[] {
  const days = context.quick ? 2 : 4;
  const sites: [string, () => SyntheticSite][] = [
    ['rhythm and lumps', () => site(11, context.quick)],
    ['constant rates', () => new SyntheticSite({ seed: 12, pages: context.quick ? 800 : 3000, perMinute: context.quick ? 80 : 300, lumpPart: 0, lumpSize: 1, rhythm: 0 })],
  ];
  return sites.map(([name, make]) => {
    context.say(`bursts: ${name}`);
    const [own, other] = [false, true].map((without) => playQuiet(make(), days, without));
    return { name, alarmsPerDay: (own?.alarms ?? 0) / (days - 1), loss: own?.loss ?? NaN, lossWithout: other?.loss ?? NaN };
  });
}

/** From the second day on: alarms, and the log loss of P(at least one in 15 minutes) for every page each half hour. */
function playQuiet(made: SyntheticSite, days: number, without: boolean): { readonly alarms: number; readonly loss: number } {
  const engine = new DemandEngine({ keysMax: 100_000, without: new Set(without ? ['bursts'] : []) });
  const alarms = new Set<string>();
  const index = new Map(Array.from(made.usual, (_, page) => [made.keyOf(page), page] as const));
  let waiting: { readonly p: Float64Array; readonly came: Uint8Array; readonly dueMin: number } | undefined;
  let loss = 0;
  let scored = 0;
  for (let minute = 0; minute < days * dayMin; minute++) {
    if (waiting && minute === waiting.dueMin) {
      for (let page = 0; page < waiting.p.length; page++) {
        const p = waiting.p[page] ?? 0;
        loss -= Math.log(waiting.came[page] === 1 ? p : 1 - p);
        scored++;
      }
      waiting = undefined;
    }
    if (minute >= dayMin && minute % 30 === 0) {
      const p = new Float64Array(made.usual.length).fill(0.001);
      for (let page = 0; page < p.length; page++) p[page] = Math.min(0.999999, Math.max(0.001, engine.forecast(day0Ms + minute * minuteMs, made.keyOf(page), everywhere)?.[2]?.p ?? 0));
      waiting = { p, came: new Uint8Array(p.length), dueMin: minute + 15 };
    }
    const counts = made.minute(minute);
    for (const { resource } of counts) {
      const page = index.get(resource);
      if (waiting && page !== undefined) waiting.came[page] = 1;
    }
    engine.observe(day0Ms + minute * minuteMs, counts);
    if (minute >= dayMin) for (const { resource, sinceMs } of engine.emerging(100)) alarms.add(`${resource} ${sinceMs}`);
  }
  return { alarms: alarms.size, loss: loss / scored };
}

function inTime(followed: readonly Followed[], horizon: number): number {
  return followed.filter(({ seenMin }) => (seenMin[horizon] ?? Infinity) <= dueMin).length / Math.max(1, followed.length);
}

function tableBy(title: string, followed: readonly Followed[], without: readonly Followed[], group: (one: Followed) => string): Table {
  const groups = [...new Set(followed.map(group))];
  const cells = (list: readonly Followed[], horizon: number): string[] => {
    const minutes = list.map(({ seenMin }) => seenMin[horizon] ?? Infinity).sort((a, b) => a - b);
    const middle = minutes[Math.floor(minutes.length / 2)] ?? Infinity;
    return [middle === Infinity ? '> 30' : String(middle), `${(100 * inTime(list, horizon)).toFixed(0)} %`];
  };
  return {
    title: `${title}: minutes until the forecast is within a factor of 2 (median), and part within ${dueMin} min; in the last columns without the stage`,
    columns: ['', 'surges', '5 min ahead', 'in time', '15 min ahead', 'in time', '5 min, without', '15 min, without'],
    rows: groups.map((name) => {
      const own = followed.filter((one) => group(one) === name);
      const other = without.filter((one) => group(one) === name);
      return [name, String(own.length), ...cells(own, 0), ...cells(own, 1), cells(other, 0)[1] ?? '', cells(other, 1)[1] ?? ''];
    }),
  };
}

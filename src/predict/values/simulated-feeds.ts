/** Feeds as they are in life, made from a seed, and how forecasts of them are scored. For tests and measurements only: nothing else imports it. */
import { seededRandom, type Random } from '../../kernel/index.ts';
import { FeedValues } from './feed-values.ts';

const minuteMs = 60_000;

/** The value of each place at each whole minute. */
export type Simulated = readonly (readonly unknown[])[];

/** Poisson or any other law, by the minute; `step` gives the next value. */
function simulate(places: number, minutes: number, first: (place: number) => unknown, step: (value: unknown, place: number, minute: number) => unknown): Simulated {
  return Array.from({ length: places }, (_, place) => {
    const values: unknown[] = [first(place)];
    for (let minute = 1; minute < minutes; minute++) values.push(step(values.at(-1), place, minute));
    return values;
  });
}

/** Matches one after the other, each of 110 minutes with a pause of 100; 2.7 goals a match, home 55 %. */
export function football(seed: number, places: number, minutes: number): Simulated {
  const random = seededRandom(seed);
  return simulate(places, minutes, () => '0:0', (value, place, minute) => {
    const clock = (minute + place * 37) % 210;
    if (clock === 0) return '0:0';
    if (clock > 110 || random.next() > 2.7 / 110) return value;
    const [home = 0, away = 0] = String(value).split(':').map(Number);
    return random.next() < 0.55 ? `${home + 1}:${away}` : `${home}:${away + 1}`;
  });
}

/** Selling one by one, sometimes two, at a rate of its own; filled up to 20 when empty, within the hour. */
export function stock(seed: number, places: number, minutes: number): Simulated {
  const random = seededRandom(seed);
  const rates = Array.from({ length: places }, () => 0.02 + random.next() * 0.15);
  return simulate(places, minutes, (place) => 5 + (place % 15), (value, place) => {
    const left = Number(value);
    if (left === 0) return random.next() < 1 / 30 ? 20 : 0;
    if (random.next() > (rates[place] ?? 0)) return left;
    return Math.max(0, left - (random.next() < 0.15 ? 2 : 1));
  });
}

/** Lights that go green, amber, red, green; now and then back. Each state has its own length. */
export function flapping(seed: number, places: number, minutes: number): Simulated {
  const random = seededRandom(seed);
  const stays: Readonly<Record<string, number>> = { green: 40, amber: 8, red: 15 };
  const onward: Readonly<Record<string, string>> = { green: 'amber', amber: 'red', red: 'green' };
  return simulate(places, minutes, () => 'green', (value) => {
    const state = String(value);
    if (random.next() > 1 / (stays[state] ?? 1)) return state;
    if (state === 'amber' && random.next() < 0.3) return 'green';
    return onward[state];
  });
}

/** First-order autoregressive numbers round 50, one a minute. */
export function autoregressive(seed: number, places: number, minutes: number): Simulated {
  const random = seededRandom(seed);
  return simulate(places, minutes, () => 50, (value) => Math.round((50 + 0.95 * (Number(value) - 50) + gaussian(random)) * 1000) / 1000);
}

/** Prices that jump now and then by a few percent. */
export function jumping(seed: number, places: number, minutes: number): Simulated {
  const random = seededRandom(seed);
  return simulate(places, minutes, (place) => 10 * (place + 1), (value) => (random.next() < 0.05 ? Math.round(Number(value) * (1 + 0.03 * gaussian(random)) * 100) / 100 : value));
}

export function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

export interface Score {
  readonly forecasts: number;
  /** Mean of −ln of what was given to the value that came. */
  readonly logLoss: number;
  /** The same for "unchanged" with the best constant probability, known from the outcome, and the rest spread over all values of the feed. */
  readonly unchangedLogLoss: number;
  /** Of "it will have changed": in ten bins, the largest gap between said and seen in a bin of 200 and more. */
  readonly calibrationGap: number;
  /** Share of outcomes within the interval, where there was one. */
  readonly covered: number;
}

/** Plays a simulation minute by minute, and asks about every place each 7 minutes from the middle on. */
export function score(simulated: Simulated, horizonMin: number, values = new FeedValues()): Score {
  const minutes = simulated[0]?.length ?? 0;
  const distinct = new Set(simulated.flatMap((place) => place.map((value) => JSON.stringify(value)))).size;
  const bins = Array.from({ length: 10 }, () => ({ count: 0, said: 0, seen: 0 }));
  const sum = { forecasts: 0, loss: 0, same: 0, intervals: 0, covered: 0 };
  for (let minute = 0; minute < minutes; minute++) {
    for (const [place, series] of simulated.entries()) {
      const pointer = `/${place}`;
      values.observe('feed', pointer, minute * minuteMs, series[minute], '/{id}');
      if (minute < minutes / 2 || minute + horizonMin >= minutes || minute % 7 !== 0) continue;
      const forecast = values.next('feed', pointer, minute * minuteMs, horizonMin);
      if (!forecast) throw new Error('nothing is said of a value that is watched');
      const came = JSON.stringify(series[minute + horizonMin]);
      const same = came === JSON.stringify(series[minute]);
      const given = forecast.values.find(({ value }) => JSON.stringify(value) === came)?.probability;
      const rest = 1 - forecast.values.reduce((all, { probability }) => all + probability, 0);
      sum.forecasts++;
      sum.loss -= Math.log(Math.max(1e-6, given ?? Math.max(rest, 0.001) / distinct));
      sum.same += same ? 1 : 0;
      if (forecast.interval) {
        sum.intervals++;
        const number = Number(series[minute + horizonMin]);
        sum.covered += number >= forecast.interval.low && number <= forecast.interval.high ? 1 : 0;
      }
      const changed = series.slice(minute, minute + horizonMin + 1).some((value) => JSON.stringify(value) !== JSON.stringify(series[minute]));
      const bin = bins[Math.min(9, Math.floor(forecast.changes * 10))];
      if (!bin) continue;
      bin.count++;
      bin.said += forecast.changes;
      bin.seen += changed ? 1 : 0;
    }
  }
  const stay = sum.same / sum.forecasts;
  const unchangedLogLoss = -(stay * Math.log(stay) + (1 - stay) * Math.log((1 - stay) / Math.max(1, distinct - 1)));
  const gaps = bins.filter(({ count }) => count >= 200).map(({ count, said, seen }) => Math.abs(said - seen) / count);
  return { forecasts: sum.forecasts, logLoss: sum.loss / sum.forecasts, unchangedLogLoss, calibrationGap: Math.max(0, ...gaps), covered: sum.intervals === 0 ? 1 : sum.covered / sum.intervals };
}

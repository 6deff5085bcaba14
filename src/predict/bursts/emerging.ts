/**
 * What people are told of bursts and births: which keys have an alarm on, since when, how much is expected, from where, and along which link they came. Pure
 * reading of the watch list.
 */
import type { EngineState } from '../state/state.ts';
import type { Emerging } from '../forecaster.ts';
import { horizonsMin } from '../forecaster.ts';
import { none, regionsMax } from './watch-list.ts';
import type { WatchList } from './watch-list.ts';

const minuteMs = 60_000;
/** A burst that began within this long of the key's first request is a birth. */
const birthMs = 60 * minuteMs;
/** Horizon of the rate that is told, as an index into `horizonsMin`. */
const toldHorizon = 2;
const courses = ['decaying', 'steady', 'growing'] as const;
/** Regions told, and from what part of the burst on; a link is told when most came along it. */
const regionsTold = 5;
const regionPartMin = 0.05;
const stepPartMin = 0.5;

/** The alarms that are on, most expected requests first. */
export function emergingOf(state: EngineState, list: WatchList, limit: number): Emerging[] {
  const found: Emerging[] = [];
  for (let place = 0; place < list.keys.length; place++) {
    const key = list.keys[place] ?? none;
    if (key === none || !list.alarmed(place)) continue;
    const resource = state.resources.keyAt(key);
    if (resource === undefined) continue;
    const sinceMs = (list.beganMin[place] ?? 0) * minuteMs;
    const first = state.byResource.firstSeenAt(key);
    const born = first - state.beganMs > birthMs && sinceMs - first < birthMs;
    const said = list.expected[place * horizonsMin.length + toldHorizon] ?? NaN;
    const from = mostStepsFrom(state, list, place);
    found.push({
      resource, why: born ? 'birth' : 'burst', sinceMs, perMinute: Number.isNaN(said) ? list.base[place] ?? 0 : said, usualPerMinute: list.rates[place] ?? 0,
      certainty: list.certainty[place] ?? 0, course: courses[list.trends[place] ?? 1] ?? 'steady', regions: regionsOf(state, list, place), ...(from === undefined ? {} : { from }),
    });
  }
  return found.sort((a, b) => b.perMinute - a.perMinute || (a.resource < b.resource ? -1 : 1)).slice(0, limit);
}

function regionsOf(state: EngineState, list: WatchList, place: number): Emerging['regions'] {
  const sum = list.regionSum(place);
  const found: { region: Emerging['regions'][number]['region']; share: number }[] = [];
  for (let at = place * regionsMax; at < (place + 1) * regionsMax; at++) {
    const region = state.regions.keyAt(list.regions[at] ?? none);
    const share = (list.regionWeights[at] ?? 0) / Math.max(1e-9, sum);
    if (region !== undefined && share >= regionPartMin) found.push({ region, share });
  }
  return found.sort((a, b) => b.share - a.share || (a.region < b.region ? -1 : 1)).slice(0, regionsTold);
}

/** The key from which most of the steps to this one came; what it is ahead of all others is a lower bound of its part. */
function mostStepsFrom(state: EngineState, list: WatchList, place: number): Emerging['from'] {
  const share = (list.fromVotes[place] ?? 0) / Math.max(1, list.steps[place] ?? 0);
  const resource = state.resources.keyAt(list.fromKeys[place] ?? none);
  return resource !== undefined && share >= stepPartMin ? { resource, share } : undefined;
}

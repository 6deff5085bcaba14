/**
 * Models of a series that cost next to nothing: flat, drift, and profiles of the day and the week. Each looks at a series up to some moment and tells its path:
 * the logarithm of the expected count in each step of the past day and of the time to come, up to a constant. Pure; a model that can say nothing throws.
 */
import { harmonicProfile } from './harmonics.ts';
import { dispersionOf, logs, stepsOfDay } from './history.ts';
import type { Model } from './history.ts';

/** Days looked at for the profile of a day, and what a day counts of the next. */
const dayMax = 7;
const dayKeep = 0.8;
/** Steps on either side that a step's own profile is smoothed with. */
const smoothing = [1, 2, 3, 2, 1] as const;
/** Steps whose trend is drawn on, and what each step to come keeps of it. */
const driftSteps = 8;
const driftKeep = 0.8;
/** The trend of a few hours is not believed beyond twice or half. */
const driftMost = Math.LN2;

const flat: Model = { name: 'flat', stepsMin: 2, path: (_history, behind, ahead) => new Float64Array(behind + ahead) };

/** The trend of the last hours goes on, and fades; believed as far as it stands above its own scatter. */
const drift: Model = {
  name: 'drift', stepsMin: driftSteps,
  path({ counts }, behind, ahead) {
    const recent = logs(counts.subarray(counts.length - driftSteps), counts);
    const middle = (driftSteps - 1) / 2;
    const mean = recent.reduce((sum, value) => sum + value, 0) / driftSteps;
    let slope = 0;
    let spread = 0;
    recent.forEach((value, i) => { slope += (i - middle) * (value - mean); spread += (i - middle) ** 2; });
    slope /= spread;
    let scatter = 0;
    recent.forEach((value, i) => { scatter += (value - mean - slope * (i - middle)) ** 2; });
    const trust = slope ** 2 / (slope ** 2 + scatter / (driftSteps - 2) / spread + 1e-12);
    const path = new Float64Array(behind + ahead);
    for (let i = 0; i < path.length; i++) {
      const from = i - behind + 1;
      const moved = trust * slope * (from <= 0 ? Math.max(from, -driftSteps) : driftKeep * (1 - driftKeep ** from) / (1 - driftKeep));
      path[i] = Math.min(driftMost, Math.max(-driftMost, moved));
    }
    return path;
  },
};

/** Poisson regression on four harmonics of the day. */
const day: Model = { name: 'day', stepsMin: 72, path: (history, behind, ahead) => harmonicProfile(history, stepsOfDay(history), [1, 2, 3, 4], behind, ahead) };

/** The same on harmonics of the week: its days, the day's own, and how the day differs along the week. */
const week: Model = {
  name: 'week', stepsMin: 14 * 48,
  path: (history, behind, ahead) => harmonicProfile(history, 7 * stepsOfDay(history), [1, 2, 3, 6, 7, 8, 13, 14, 15, 21, 28], behind, ahead),
};

/** The same step of the days before, smoothed; what is known of few requests is held towards flat. */
const naiveDay: Model = {
  name: 'naive-day', stepsMin: 72,
  path(history, behind, ahead) {
    const { counts } = history;
    const period = stepsOfDay(history);
    const days = Math.max(1, Math.min(dayMax, Math.floor(counts.length / period)));
    const sums = new Float64Array(period);
    const usual = new Float64Array(period);
    const prior = dispersionOf(counts);
    for (let ago = 1; ago <= days; ago++) {
      const from = counts.length - ago * period;
      const weight = dayKeep ** (ago - 1);
      let total = 0;
      for (let i = 0; i < period; i++) total += counts[Math.max(0, from + i)] ?? 0;
      for (let i = 0; i < period; i++) {
        sums[i] = (sums[i] ?? 0) + weight * smoothed(counts, from + i);
        usual[i] = (usual[i] ?? 0) + (weight * total) / period;
      }
    }
    const path = new Float64Array(behind + ahead);
    for (let i = 0; i < path.length; i++) {
      const phase = (((i - behind) % period) + period) % period;
      path[i] = Math.log(((sums[phase] ?? 0) + prior) / ((usual[phase] ?? 0) + prior));
    }
    return path;
  },
};

export const cheapModels: readonly Model[] = [flat, drift, day, naiveDay, week];

function smoothed(counts: Float64Array, at: number): number {
  let sum = 0;
  let weights = 0;
  for (let i = 0; i < smoothing.length; i++) {
    const value = counts[at + i - 2];
    if (value === undefined) continue;
    sum += value * (smoothing[i] ?? 0);
    weights += smoothing[i] ?? 0;
  }
  return weights > 0 ? sum / weights : 0;
}

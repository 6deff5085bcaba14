/** What visitors' journeys told in a minute, by key index; what names a resource that isn't known is left out. */
import type { DemandJourneys } from '../demand/window.ts';
import type { ObservedMinute } from './stage.ts';
import type { EngineState } from './state/state.ts';

export const noJourneys: DemandJourneys = { steps: [], sweeps: [] };

export function journeyColumns({ resources, regions }: EngineState, { steps, sweeps }: DemandJourneys): Pick<ObservedMinute, 'steps' | 'sweeps'> {
  const from = new Int32Array(steps.length);
  const to = new Int32Array(steps.length);
  const lagsMin = new Int32Array(steps.length);
  const counts = new Float64Array(steps.length);
  let length = 0;
  for (const step of steps) {
    const fromIndex = resources.indexOf(step.from);
    const toIndex = resources.indexOf(step.to);
    if (fromIndex === undefined || toIndex === undefined) continue;
    from[length] = fromIndex;
    to[length] = toIndex;
    lagsMin[length] = step.lagMin;
    counts[length++] = step.count;
  }
  return {
    steps: { from: from.subarray(0, length), to: to.subarray(0, length), lagsMin: lagsMin.subarray(0, length), counts: counts.subarray(0, length) },
    sweeps: sweeps.flatMap((sweep) => {
      const fromIndex = resources.indexOf(sweep.from);
      const toIndex = resources.indexOf(sweep.to);
      return fromIndex === undefined || toIndex === undefined ? []
        : [{ from: fromIndex, to: toIndex, asked: sweep.asked, seconds: sweep.seconds, region: regions.indexOf(sweep.region) ?? -1 }];
    }),
  };
}

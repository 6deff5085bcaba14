/** Journeys in a trace, as an edge would have told them: by the trace's clients, minute after minute. A trace without clients has none. */
import { Journeys } from '../../demand/index.ts';
import type { DemandJourneys } from '../../demand/index.ts';
import { everywhere } from '../forecaster.ts';
import { isDemand } from './hour-bucket.ts';
import type { TraceMinute } from './hour-bucket.ts';
import type { TraceMinutes } from './trace-minutes.ts';

/** Steps told of one minute; those told count for further ones. */
const minuteStepsMax = 200_000;

export class TraceJourneys {
  readonly #trace: Pick<TraceMinutes, 'resources' | 'regions'>;
  readonly #journeys = new Journeys({ steps: minuteStepsMax });

  constructor(trace: Pick<TraceMinutes, 'resources' | 'regions'>) {
    this.#trace = trace;
  }

  /** Takes the requests of the next minute; returns what became of people's journeys in it. */
  of({ minuteMs, timeMs, region, resource, flags, client, referer }: TraceMinute): DemandJourneys {
    for (let i = 0; i < resource.length; i++) {
      const tag = client[i] ?? 0;
      const asked = this.#trace.resources.keyAt(resource[i] ?? 0);
      if (tag === 0 || asked === undefined || ((flags[i] ?? 0) & isDemand) === 0) continue;
      const from = referer[i] ?? -1;
      this.#journeys.note(tag, asked, this.#trace.regions.keyAt(region[i] ?? 0) ?? everywhere, timeMs[i] ?? 0, from < 0 ? undefined : this.#trace.resources.keyAt(from));
    }
    return this.#journeys.take(minuteMs + 60_000);
  }
}

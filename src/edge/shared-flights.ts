/**
 * Coalescing: equal requests that may share an answer wait for one exchange with the origin (no herd on a miss or on expiry).
 * Whether an answer can be shared is known only afterwards; a key whose answers can't be is let alone for a while.
 */
import type { Flight } from './flight.ts';
import type { Visit } from './visit.ts';

/** How long a key whose answer could not be shared is not coalesced. */
const avoidForMs = 120_000;
const avoidedMax = 10_000;

export interface Ticket {
  readonly flight: Flight;
  /** Whether the flight is somebody else's. */
  readonly joined: boolean;
  /** What equal requests share; undefined where this one may share nothing, or where that is known and needn't be told again yet. */
  readonly key: string | undefined;
}

export class SharedFlights {
  readonly #flights = new Map<string, Flight>();
  readonly #avoided = new Map<string, number>();

  /** A flight for this visit: one under way for an equal one, or a new one. `mayShare` is false for trials. */
  board(visit: Visit, mayShare: boolean, launch: (alone: boolean) => Flight): Ticket {
    if (!visit.shareable) return { flight: launch(true), joined: false, key: undefined };
    const key = keyOf(visit);
    const avoidedMs = this.#avoidedForMs(key);
    // Renewed only in the second half of its time: to do it every time, and to ask twice what may be shared, costs 2 µs a request.
    if (avoidedMs > 0) return { flight: launch(true), joined: false, key: avoidedMs > avoidForMs / 2 ? undefined : key };
    if (!mayShare) return { flight: launch(true), joined: false, key };
    const underWay = this.#flights.get(key);
    return underWay ? { flight: underWay, joined: true, key } : { flight: this.#register(key, launch(false)), joined: false, key };
  }

  /** Refreshes in the background, unless an equal request is under way. */
  refresh(visit: Visit, launch: () => Flight): void {
    const key = keyOf(visit);
    if (!this.#flights.has(key)) this.#register(key, launch());
  }

  /** The answer could not be shared; equal requests go on their own for a while. */
  avoid({ key }: Ticket): void {
    if (key === undefined) return;
    if (this.#avoided.size >= avoidedMax) this.#avoided.clear();
    this.#avoided.set(key, performance.now() + avoidForMs);
  }

  #register(key: string, flight: Flight): Flight {
    this.#flights.set(key, flight);
    const over = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.outcome.then(over, over);
    return flight;
  }

  #avoidedForMs(key: string): number {
    const untilMs = this.#avoided.get(key);
    if (untilMs === undefined) return 0;
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) this.#avoided.delete(key);
    return leftMs;
  }
}

function keyOf(visit: Visit): string {
  return `${visit.resource}\n${visit.variation}`;
}

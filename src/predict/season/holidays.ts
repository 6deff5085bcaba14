/** Days on which demand is known to be unlike other days: from the config's names and dates (UTC days) to periods. */

export interface Holiday {
  readonly name: string;
  /** `2026-12-25`, each a day in UTC. */
  readonly dates: readonly string[];
}

export interface HolidayPeriod {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

const dayMs = 86_400_000;

export function periodsOf(holidays: readonly Holiday[]): HolidayPeriod[] {
  return holidays.flatMap(({ name, dates }) => dates.flatMap((date) => {
    const startMs = Date.parse(`${date}T00:00:00Z`);
    return Number.isFinite(startMs) ? [{ name, startMs, endMs: startMs + dayMs }] : [];
  }));
}

/** Fitting time series to aggregates of demand, as work that is done elsewhere. */

/** Series of equal spacing that end at `endMs`. */
export interface SeriesWork {
  readonly kind: 'series';
  readonly seed: number;
  readonly endMs: number;
  readonly stepMin: number;
  readonly series: readonly { readonly name: string; readonly counts: Float64Array }[];
}

export interface SeriesDone {
  readonly kind: 'series';
  readonly endMs: number;
}

export async function fitSeries(work: SeriesWork): Promise<SeriesDone> {
  return Promise.resolve({ kind: 'series', endMs: work.endMs });
}

/**
 * The requests of one hour of a trace, in columns that grow, and their cutting into minutes in order of time: 25 bytes a request while it waits.
 */
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const firstLength = 64;
/** More than requests that wait at one time; times the milliseconds of an hour it is a whole number still. */
const placesMax = 2 ** 27;

/** A request that people made and that was answered with something a shadow could be. */
export const isDemand = 1;
/** A GET that was answered so, by whomever made: it renews the copy in passing. */
export const captures = 2;

/** One minute of a trace; the columns have one entry a request, in order of time. Requests that neither count nor capture are left out. */
export interface TraceMinute {
  readonly minuteMs: number;
  readonly timeMs: Float64Array;
  readonly resource: Int32Array;
  readonly region: Int32Array;
  /** `isDemand`, `captures` or both. */
  readonly flags: Uint8Array;
  /** A number that tells visitors apart (a hash of the trace's `client`); 0 where the trace doesn't. */
  readonly client: Int32Array;
  /** Index of the resource it came from; −1 where the trace doesn't tell one that has been asked for. */
  readonly referer: Int32Array;
}

export class HourBucket {
  #timeMs = new Float64Array(firstLength);
  #resource = new Int32Array(firstLength);
  #region = new Int32Array(firstLength);
  #flags = new Uint8Array(firstLength);
  #client = new Int32Array(firstLength);
  #referer = new Int32Array(firstLength);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  put(timeMs: number, resource: number, region: number, flags: number, client: number, referer: number): void {
    if (this.#length === this.#flags.length) this.#grow(this.#length * 2);
    const at = this.#length++;
    this.#timeMs[at] = timeMs;
    this.#resource[at] = resource;
    this.#region[at] = region;
    this.#flags[at] = flags;
    this.#client[at] = client;
    this.#referer[at] = referer;
  }

  /** Drops the requests for which this is true. */
  drop(unwanted: (client: number, flags: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < this.#length; i++) {
      if (unwanted(this.#client[i] ?? 0, this.#flags[i] ?? 0)) continue;
      for (const column of [this.#timeMs, this.#resource, this.#region, this.#flags, this.#client, this.#referer]) column[kept] = column[i] ?? 0;
      kept++;
    }
    this.#length = kept;
  }

  /** The minutes that have requests, in order. */
  *minutes(): Generator<TraceMinute> {
    const time = this.#timeMs;
    const order = this.#order();
    for (let from = 0; from < order.length;) {
      const minute = Math.floor((time[order[from] ?? 0] ?? 0) / minuteMs);
      let to = from;
      while (to < order.length && Math.floor((time[order[to] ?? 0] ?? 0) / minuteMs) === minute) to++;
      const rows = order.subarray(from, to);
      yield {
        minuteMs: minute * minuteMs,
        timeMs: picked(time, rows, new Float64Array(rows.length)),
        resource: picked(this.#resource, rows, new Int32Array(rows.length)),
        region: picked(this.#region, rows, new Int32Array(rows.length)),
        flags: picked(this.#flags, rows, new Uint8Array(rows.length)),
        client: picked(this.#client, rows, new Int32Array(rows.length)),
        referer: picked(this.#referer, rows, new Int32Array(rows.length)),
      };
      from = to;
    }
  }

  /** Requests by time, those of the same time in the order they came. As numbers that are both, for a comparison by a function costs three times as much. */
  #order(): Uint32Array {
    const hour = Math.floor((this.#timeMs[0] ?? 0) / hourMs) * hourMs;
    const keys = new Float64Array(this.#length);
    for (let i = 0; i < keys.length; i++) keys[i] = ((this.#timeMs[i] ?? 0) - hour) * placesMax + i;
    keys.sort();
    const order = new Uint32Array(keys.length);
    for (let i = 0; i < order.length; i++) order[i] = (keys[i] ?? 0) % placesMax;
    return order;
  }

  #grow(length: number): void {
    this.#timeMs = copied(this.#timeMs, new Float64Array(length));
    this.#resource = copied(this.#resource, new Int32Array(length));
    this.#region = copied(this.#region, new Int32Array(length));
    this.#flags = copied(this.#flags, new Uint8Array(length));
    this.#client = copied(this.#client, new Int32Array(length));
    this.#referer = copied(this.#referer, new Int32Array(length));
  }
}

type Column = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

function copied<Kind extends Column>(column: Kind, into: Kind): Kind {
  into.set(column);
  return into;
}

/** Not `from` with a function, which runs an iterator and costs five times as much. */
function picked<Kind extends Column>(column: Kind, rows: Uint32Array, into: Kind): Kind {
  for (let i = 0; i < rows.length; i++) into[i] = column[rows[i] ?? 0] ?? 0;
  return into;
}

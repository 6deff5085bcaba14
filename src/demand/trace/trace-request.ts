/**
 * One line of a trace, read: what a recorded request says about demand. And the closed list of what can be wrong with a line:
 * such lines are counted, shown by example, and never end a run.
 */
import type { RegionName, ResourceKey } from '../../kernel/index.ts';

export interface TraceRequest {
  /** Epoch ms. */
  readonly timeMs: number;
  /** Upper case. */
  readonly method: string;
  /** Named as the edge names it: normalised, tracking parameters dropped. */
  readonly resource: ResourceKey;
  /** 200 where the trace doesn't say. */
  readonly status: number;
  /** Undefined where the trace doesn't say. */
  readonly region: RegionName | undefined;
  /** Empty where the trace doesn't say. */
  readonly userAgent: string;
  /** Who asked: as the trace names clients, or address and browser; empty where it doesn't say. */
  readonly client: string;
  /** The page it came from, named like `resource`, whatever its host; undefined where the trace doesn't say. */
  readonly referer: ResourceKey | undefined;
  /** What is unusual about the line although it could be read. */
  readonly oddity: TraceOddity | undefined;
}

/** Why a line is left out. */
export const traceFaults = {
  'not-a-log-line': 'neither JSON nor the combined or common log format',
  'not-json': 'not a JSON object',
  'no-time': 'without a time',
  'bad-time': 'with a time that is none',
  'no-url': 'without a URL',
  'bad-url': 'with a URL that has no path',
  'bad-request-line': 'with a request line that is none',
  'bad-field': 'with a method, status or region of the wrong type',
  'too-long': 'longer than 64 KiB',
  'out-of-order': 'more than a day older than lines before',
  'too-many-resources': 'with a URL beyond the limit of different ones',
  'cut-file': 'lost where a compressed file ends before its end',
} as const;
export type TraceFault = keyof typeof traceFaults;

/** What is read although it is odd. */
export const traceOddities = {
  'space-in-url': 'with a space inside the URL',
  'no-protocol': 'without a protocol (HTTP/0.9)',
  'odd-protocol': 'with a protocol that is not HTTP/digit',
  'absolute-url': 'with a whole URL in place of a path',
} as const;
export type TraceOddity = keyof typeof traceOddities;

const examplesMax = 3;
const exampleLength = 160;

/** Counts faults and oddities by kind, with the first few examples of each. */
export class TraceFindings {
  readonly #found = new Map<TraceFault | TraceOddity, { count: number; readonly examples: string[] }>();

  /** `where` is `file:line`. */
  add(kind: TraceFault | TraceOddity, where: string, line: string): void {
    const known = this.#found.get(kind) ?? { count: 0, examples: [] };
    known.count++;
    if (known.examples.length < examplesMax) {
      // A log line begins with the client's address, which has no place in a report.
      const anonymous = line.slice(0, exampleLength + 1).replace(/^[^\s{]+ /, '… ');
      const shown = line.length > exampleLength ? `${anonymous.slice(0, exampleLength)}…` : anonymous;
      known.examples.push(`${where}: ${shown}`);
    }
    this.#found.set(kind, known);
  }

  /** Most frequent first. */
  list(): { readonly kind: TraceFault | TraceOddity; readonly skipped: boolean; readonly count: number; readonly examples: readonly string[] }[] {
    return [...this.#found]
      .map(([kind, { count, examples }]) => ({ kind, skipped: kind in traceFaults, count, examples }))
      .sort((a, b) => b.count - a.count || (a.kind < b.kind ? -1 : 1));
  }
}

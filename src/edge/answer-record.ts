/** What became of a request: for counters, demand and the access log. */
import type { Reason, Source } from '../route/index.ts';
import type { Entrance, Visit } from './visit.ts';

export interface AnswerRecord {
  /** Undefined where the request was refused before it was understood. */
  readonly visit: Visit | undefined;
  readonly request: Request;
  readonly entrance: Entrance;
  readonly source: Source;
  readonly reason: Reason;
  readonly status: number;
}

/** The nouns of feeds: what is known of the last good value of each instance, and how its source does. Times are epoch ms on the hub's clock. */
import type { FeedKey } from '../../compose/types.ts';
import type { FeedConfig } from '../../config/types.ts';
import type { FeedRefusal } from './refusals.ts';

/** The last good document of one instance of a feed. Readers judge its age: it may be shown until `heardMs + maxAgeMs`. */
export interface FeedValue {
  /** JSON, at most 64 levels deep; without keys named `__proto__`. Not to be written to: readers share it. */
  readonly document: unknown;
  /** When this document was first heard. */
  readonly valueTimeMs: number;
  /** When it was last heard to be current; never less than `valueTimeMs`. */
  readonly heardMs: number;
}

/** `never`: there has been no good value yet; `failing`: the last attempt brought no good one, and `error` says why. */
export type FeedHealth = 'ok' | 'failing' | 'never';

export interface FeedState {
  readonly key: FeedKey;
  readonly name: string;
  readonly kind: FeedConfig['source']['kind'];
  /** URL without credentials, query values and fragment; or the path of the file. */
  readonly source: string;
  readonly state: FeedHealth;
  readonly maxAgeMs: number;
  readonly valueTimeMs: number | undefined;
  readonly heardMs: number | undefined;
  /** The last thing that went wrong, as one sentence; stays when the feed is well again, with its time. */
  readonly error: string | undefined;
  readonly errorTimeMs: number | undefined;
  /** Of the last good document, as it came. */
  readonly bytes: number;
  /** Requests, connections, or looks at the file. */
  readonly polls: number;
  /** Times the document became another one. */
  readonly changes: number;
  readonly refused: Readonly<Partial<Record<FeedRefusal, number>>>;
  /** When it is asked again; undefined while an attempt or a stream is under way. */
  readonly nextAttemptMs: number | undefined;
}

/** The present view of the origin and the latest transitions that led to it, bounded. Objects are made on change only. */
import type { OriginState, OriginTransition, OriginView } from './types.ts';

const historyMax = 100;

export class StateLog {
  readonly #history: OriginTransition[] = [];
  readonly #onChange: (change: OriginTransition) => void;
  #view: OriginView;

  constructor(nowMs: number, onChange: (change: OriginTransition) => void) {
    this.#view = { state: 'healthy', because: 'nothing speaks against it', share: 0, sinceMs: nowMs };
    this.#onChange = onChange;
  }

  get view(): OriginView {
    return this.#view;
  }

  /** Oldest first. */
  get history(): readonly OriginTransition[] {
    return this.#history;
  }

  change(nowMs: number, to: OriginState, because: string, share: number): void {
    const change = { atMs: nowMs, from: this.#view.state, to, because };
    this.#view = { state: to, because, share, sinceMs: nowMs };
    this.#history.push(change);
    if (this.#history.length > historyMax) this.#history.shift();
    this.#onChange(change);
  }

  /** The share alone changes. */
  reshare(share: number): void {
    if (share !== this.#view.share) this.#view = { ...this.#view, share };
  }
}

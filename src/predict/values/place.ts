/** One watched value: its last changes. Bounded; forgets nothing else than what is older. */
import type { IntervalTracks } from './interval-tracks.ts';

/** Values remembered of one place, the present one included. */
export const historyMax = 64;

export class Place {
  readonly feed: string;
  readonly pointer: string;
  /** Places of one family learn from each other. */
  readonly family: string;
  /** When each value came, epoch ms; the last is the present one. */
  readonly times: number[] = [];
  /** Their texts; '' for what is too long to be a state. */
  readonly texts: string[] = [];
  /** The edit that led to each; '' where there is none. */
  readonly edits: string[] = [];
  /** The form of each text. */
  readonly forms: string[] = [];
  /** What the present value looks like, to see whether it changed: its text, or a digest of what is too long. */
  mark = '';
  /** Up to when it is counted that it did not change, epoch ms. */
  countedMs = 0;
  /** Of numbers only. */
  tracks: IntervalTracks | undefined;

  constructor(feed: string, pointer: string, family: string) {
    this.feed = feed;
    this.pointer = pointer;
    this.family = family;
  }

  get text(): string {
    return this.texts.at(-1) ?? '';
  }

  get sinceMs(): number {
    return this.times.at(-1) ?? 0;
  }

  /** Characters of all its texts. */
  get characters(): number {
    let sum = 0;
    for (const text of this.texts) sum += text.length;
    return sum;
  }

  push(atMs: number, text: string, form: string, edit: string): void {
    this.times.push(atMs);
    this.texts.push(text);
    this.forms.push(form);
    this.edits.push(edit);
    if (this.times.length <= historyMax) return;
    this.times.shift();
    this.texts.shift();
    this.forms.shift();
    this.edits.shift();
  }
}

/**
 * Byte ranges (RFC 9110 §14) out of a whole stored body. Several ranges are answered with the whole body, which §14.2
 * allows: a multipart answer from a cache is worth nobody's trouble, and many ranges are a known way to hurt a server.
 */
export type RangeChoice =
  | { readonly kind: 'whole' }
  /** `first` and `last` are inclusive offsets. */
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' };

const whole: RangeChoice = Object.freeze({ kind: 'whole' });
const unsatisfiable: RangeChoice = Object.freeze({ kind: 'unsatisfiable' });
const single = /^bytes=\s*(\d*)-(\d*)\s*$/i;

/** What a Range field selects of a body of `bodyBytes`. Absent, malformed, of another unit, or several: the whole. */
export function chooseRange(range: string | null, bodyBytes: number): RangeChoice {
  if (range === null) return whole;
  const match = single.exec(range);
  if (!match) return whole;
  const from = match[1] ?? '';
  const to = match[2] ?? '';
  if (from === '') {
    if (to === '') return whole;
    const suffix = Number(to);
    if (suffix === 0 || bodyBytes === 0) return unsatisfiable;
    return { kind: 'part', first: Math.max(0, bodyBytes - suffix), last: bodyBytes - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return whole; // §14.1.1: invalid, so that the field is ignored
  if (first >= bodyBytes) return unsatisfiable;
  return { kind: 'part', first, last: to === '' ? bodyBytes - 1 : Math.min(Number(to), bodyBytes - 1) };
}

/** Content-Range of a 206, or of a 416 where nothing was selected. */
export function contentRange(choice: RangeChoice, bodyBytes: number): string {
  return choice.kind === 'part' ? `bytes ${choice.first}-${choice.last}/${bodyBytes}` : `bytes */${bodyBytes}`;
}

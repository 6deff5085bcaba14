/**
 * Values as texts that can be compared, counted and kept: their JSON. And what is the same change in different values: `2` to `3` and `7` to `8`, `"1:0"` to
 * `"2:0"`, `{"home":0,"away":2}` to `{"home":1,"away":2}`. Such an edit is the text with its numbers left out, and what was added to which of them. Pure.
 */

/** Characters of a state's JSON; of longer values it is known only that they change. */
export const stateCharactersMax = 128;
/** Numbers in one text that an edit may change. */
const changedMax = 2;
/** Digits of a number in a text that can be counted with exactly. */
const digitsMax = 15;

/** Undefined for what is too long to be a state. */
export function stateText(value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value.length > stateCharactersMax)) return undefined;
  const text = JSON.stringify(value);
  return text.length <= stateCharactersMax ? text : undefined;
}

/** What is left of a text without its numbers: only texts of one form have edits in common. */
export function formOf(text: string): string {
  return isNumber(text) ? 'n' : text.replaceAll(/\d+/g, '#');
}

/** What turns `before` into `after`; undefined where that is more than a few numbers. */
export function editBetween(before: string, after: string): string | undefined {
  if (isNumber(before) && isNumber(after)) {
    const places = Math.max(decimalsOf(before), decimalsOf(after));
    return (Number(after) - Number(before)).toFixed(places);
  }
  if (formOf(before) !== formOf(after)) return undefined;
  const from = before.match(/\d+/g) ?? [];
  const to = after.match(/\d+/g) ?? [];
  const changes: string[] = [];
  for (const [at, text] of from.entries()) {
    const other = to[at] ?? '';
    if (text === other) continue;
    if (text.length > digitsMax || other.length > digitsMax || changes.length >= changedMax) return undefined;
    changes.push(`${at}:${Number(other) - Number(text)}`);
  }
  return changes.length === 0 ? undefined : changes.join(',');
}

/** The text after an edit seen in a text of the same form; undefined where it does not go: a number within a text has no sign. */
export function edited(text: string, edit: string): string | undefined {
  if (isNumber(text)) {
    const places = Math.max(decimalsOf(text), decimalsOf(edit));
    return String(Number((Number(text) + Number(edit)).toFixed(places)));
  }
  const deltas = new Map<number, number>(edit.split(',').map((part) => {
    const [at = '', delta = ''] = part.split(':');
    return [Number(at), Number(delta)];
  }));
  let index = 0;
  let fits = true;
  const made = text.replaceAll(/\d+/g, (digits) => {
    const delta = deltas.get(index++);
    if (delta === undefined) return digits;
    const sum = Number(digits) + delta;
    if (sum < 0 || digits.length > digitsMax) fits = false;
    // "09" is followed by "10", and "9" by "10".
    return String(sum).padStart(digits.startsWith('0') ? digits.length : 0, '0');
  });
  return fits && index > Math.max(...deltas.keys()) ? made : undefined;
}

/** The number a text stands for; undefined for any other value. */
export function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && isNumber(text) ? Number(text) : undefined;
}

function isNumber(text: string): boolean {
  return /^-?\d+(?:\.\d+)?$/.test(text);
}

function decimalsOf(text: string): number {
  const point = text.indexOf('.');
  return point < 0 ? 0 : Math.min(12, text.length - point - 1);
}

/**
 * The markup that Foreshadow itself puts into pages: the bar that tells how old a page is, the wrapping that disables a form, a
 * visitor's token in an attribute. Everything that comes from outside is escaped. Pure.
 */

/** A bar at the top of the page. In the operator's text `{age}` and `{time}` stand for the copy's age and when it was made. */
export function noticeMarkup(text: string, ageS: number, timeMs: number): string {
  const made = new Date(Math.min(Math.max(Number.isFinite(timeMs) ? timeMs : 0, 0), dateMsMax)).toISOString();
  const time = `<time datetime="${made}">${made.slice(0, 10)} ${made.slice(11, 16)} UTC</time>`;
  const content = escapeHtml(text).replaceAll(/\{(age|time)\}/g, (_, word: string) => (word === 'age' ? ageText(ageS) : time));
  return `<div role="status" data-foreshadow="notice" style="${noticeStyle}">${content}</div>`;
}

/** What goes after a form's start tag and before its end tag: a fieldset that disables every control within (HTML §4.10.15), after a sentence that says so. */
export function disabledFormMarkup(text: string): { readonly start: string; readonly end: string } {
  return { start: `<fieldset disabled data-foreshadow="form" style="${formStyle}"><p role="note">${escapeHtml(text)}</p>`, end: '</fieldset>' };
}

/** A token as an attribute's value. Without quotes round it in the page, they come with it. */
export function tokenMarkup(value: string, hole: { readonly quoted: boolean }): string {
  return hole.quoted ? escapeHtml(value) : `"${escapeHtml(value)}"`;
}

/** For text and for attributes in either quotes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** Markup as bytes of a page: in a page that is not known to be UTF-8, other than ASCII is written as character references. */
export function encodeMarkup(markup: string, utf8: boolean): Uint8Array {
  const text = utf8 ? markup : markup.replaceAll(/[^\0-\x7f]/gu, (character) => `&#${character.codePointAt(0) ?? 0xfffd};`);
  return Buffer.from(text);
}

const dateMsMax = 253_402_300_799_999; // the end of the year 9999
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const noticeStyle = 'padding:.5em 1em;background:#fff4ce;color:#3d2c00;font:14px/1.4 sans-serif;text-align:center';
/** No box of its own: the form looks as before. Where the page's policy forbids style attributes it has a border, and works. */
const formStyle = 'display:contents';

/** In units that every language writes so; rounded up: a page never says that it is younger than it is. */
function ageText(ageS: number): string {
  const seconds = Number.isFinite(ageS) ? Math.max(0, Math.ceil(ageS)) : 0;
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 120 * 60) return `${Math.ceil(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.ceil(seconds / 3600)} h` : `${Math.ceil(seconds / 86_400)} d`;
}

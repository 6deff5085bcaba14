/**
 * Marks that the page rewriter puts into a page to tell where something is. A mark begins with bytes that the page has nowhere, and which
 * can't overlap with themselves, so nothing of the page can be taken for one; and when all marks are taken out again, what is left
 * must be the page to the byte: a rewriter that changed anything else is not believed. Pure.
 */

/** Tries at a beginning that the page does not have. Only a hostile page has the first hundred. */
const markTries = 100;
const endByte = 0x03;

/** The beginning of this page's marks: STX, and four characters. Undefined when none can be found. */
export function unusedMark(page: Buffer): string | undefined {
  for (let i = 0; i < markTries; i++) {
    const mark = `\x02fs${i.toString(36).padStart(2, '0')}`;
    if (!page.includes(mark, 0, 'latin1')) return mark;
  }
  return undefined;
}

/** A whole mark; `word` of letters and digits. */
export function markOf(mark: string, word: string): string {
  return `${mark}${word}\x03`;
}

/** Where the marks' words stood, as offsets in the page; undefined unless the rest of `marked` is the page itself. */
export function markOffsets(page: Buffer, marked: Buffer, mark: string): ReadonlyMap<string, number> | undefined {
  const offsets = new Map<string, number>();
  let at = 0;
  let markBytes = 0;
  for (;;) {
    const found = marked.indexOf(mark, at, 'latin1');
    const to = found < 0 ? marked.length : found;
    if (to - markBytes > page.length || marked.compare(page, at - markBytes, to - markBytes, at, to) !== 0) return undefined;
    if (found < 0) return to - markBytes === page.length ? offsets : undefined;
    const end = marked.indexOf(endByte, found);
    if (end < 0) return undefined;
    offsets.set(marked.toString('latin1', found + mark.length, end), found - markBytes);
    markBytes += end + 1 - found;
    at = end + 1;
  }
}

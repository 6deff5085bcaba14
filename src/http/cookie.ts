/**
 * Reads single cookies out of a Cookie field (RFC 6265 §5.4) without building a map: the serving path asks for one or two.
 * Of several cookies of one name the first counts, as browsers send the most specific first.
 */

/** The value of a cookie, without surrounding quotes; undefined when it is not there. */
export function cookieValue(cookie: string | null, name: string): string | undefined {
  if (cookie === null || name === '') return undefined;
  let at = 0;
  while (at < cookie.length) {
    const found = cookie.indexOf(name, at);
    if (found < 0) return undefined;
    const after = found + name.length;
    if (cookie.charCodeAt(after) === 0x3d && startsPair(cookie, found)) return valueAt(cookie, after + 1);
    at = after;
  }
  return undefined;
}

/** Whether only blanks stand between `index` and the previous `;` or the start. */
function startsPair(cookie: string, index: number): boolean {
  for (let i = index - 1; i >= 0; i--) {
    const code = cookie.charCodeAt(i);
    if (code === 0x3b) return true;
    if (code !== 0x20 && code !== 0x09) return false;
  }
  return true;
}

function valueAt(cookie: string, from: number): string {
  const semicolon = cookie.indexOf(';', from);
  const value = cookie.slice(from, semicolon < 0 ? cookie.length : semicolon).trim();
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

/** Whether there is any cookie whose name is not in `declared`. */
export function hasOtherCookies(cookie: string | null, declared: ReadonlySet<string>): boolean {
  if (cookie === null) return false;
  let from = 0;
  while (from < cookie.length) {
    const semicolon = cookie.indexOf(';', from);
    const end = semicolon < 0 ? cookie.length : semicolon;
    const equals = cookie.indexOf('=', from);
    const name = cookie.slice(from, equals >= 0 && equals < end ? equals : end).trim();
    if (name !== '' && !declared.has(name)) return true;
    from = end + 1;
  }
  return false;
}

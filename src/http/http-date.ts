/**
 * HTTP dates (RFC 9110 §5.6.7): reads the three formats. Strict in shape, because a sloppy reading of
 * `Expires` makes a stale answer fresh; only letter case is forgiven. Anything else is undefined, which callers treat as invalid.
 */
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const imfFixdate = /^(?:mon|tue|wed|thu|fri|sat|sun), (\d\d) ([a-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d) gmt$/i;
const rfc850Date = /^(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\d\d)-([a-z]{3})-(\d\d) (\d\d):(\d\d):(\d\d) gmt$/i;
const asctimeDate = /^(?:mon|tue|wed|thu|fri|sat|sun) ([a-z]{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/i;

/**
 * Epoch milliseconds, or undefined when `value` is not an HTTP date. `referenceMs` (any recent time) decides the century of
 * two-digit years: one that would lie more than 50 years ahead is in the past.
 */
export function parseHttpDate(value: string, referenceMs: number): number | undefined {
  const text = value.trim();
  const imf = imfFixdate.exec(text);
  if (imf) return instant(imf[3], imf[2], imf[1], imf[4], imf[5], imf[6]);
  const asctime = asctimeDate.exec(text);
  if (asctime) return instant(asctime[6], asctime[1], asctime[2], asctime[3], asctime[4], asctime[5]);
  const old = rfc850Date.exec(text);
  if (!old) return undefined;
  const reference = new Date(referenceMs).getUTCFullYear();
  const year = reference - (reference % 100) + Number(old[3]);
  return instant(String(year > reference + 50 ? year - 100 : year), old[2], old[1], old[4], old[5], old[6]);
}

function instant(
  year: string | undefined, month: string | undefined, day: string | undefined,
  hour: string | undefined, minute: string | undefined, second: string | undefined,
): number | undefined {
  const monthIndex = months.indexOf((month ?? '').toLowerCase());
  const d = Number(day);
  const h = Number(hour);
  const m = Number(minute);
  const s = Number(second);
  // 60 is a leap second, which the Unix epoch does not have.
  if (monthIndex < 0 || d < 1 || h > 23 || m > 59 || s > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), monthIndex, d);
  if (date.getUTCDate() !== d) return undefined;
  date.setUTCHours(h, m, Math.min(s, 59));
  return date.getTime();
}

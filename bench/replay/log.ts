/**
 * Reads a server's log (common or combined format, plain or gzip) for replaying: GETs that were answered, with the
 * second they came in; lines that can't be read or replayed are counted. Pure but for `readLog`.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface LoggedRequest { readonly atMs: number; readonly url: string }
export interface Log { readonly requests: readonly LoggedRequest[]; readonly odd: number; readonly otherMethodsOrFailures: number }

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const line = /^\S+ \S+ .*?\[(\d\d)\/(\w{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d\d)(\d\d)\] "(\S+) +(\S+)[^"]*" (\d{3}) /;

export function parseLog(text: string): Log {
  const requests: LoggedRequest[] = [];
  let odd = 0;
  let other = 0;
  for (const each of text.split('\n')) {
    if (each === '') continue;
    const [, day, month, year, hour, minute, second, zoneHour, zoneMinute, method, url, status] = line.exec(each) ?? [];
    const monthAt = months.indexOf(month ?? '');
    // Unprintable and non-ASCII targets can't be sent as they are.
    if (url === undefined || monthAt < 0 || !/^\/[\x21-\x7e]*$/.test(url) || url.includes('#')) { odd++; continue; }
    if (method !== 'GET' || !(status === '200' || status === '304')) { other++; continue; }
    const local = Date.UTC(Number(year), monthAt, Number(day), Number(hour), Number(minute), Number(second));
    requests.push({ url, atMs: local - (Number(zoneHour) * 60 + Math.sign(Number(zoneHour)) * Number(zoneMinute)) * 60_000 });
  }
  return { requests: requests.toSorted((a, b) => a.atMs - b.atMs), odd, otherMethodsOrFailures: other };
}

export function readLog(file: string): Log {
  const bytes = readFileSync(file);
  return parseLog((bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('latin1'));
}

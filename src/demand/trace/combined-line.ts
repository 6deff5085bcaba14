/**
 * Reads a line of the Apache and nginx combined log format, and of its common prefix (without referrer and user agent).
 * Quotes and backslashes inside quoted fields may be escaped (Apache) or not (old servers). Pure.
 */
import { resourceOf } from './trace-url.ts';
import type { TraceFault, TraceOddity, TraceRequest } from './trace-request.ts';

// host ident user [time] "request" status bytes ["referrer" "agent"], and whatever a site appends. The request is matched up
// to the last quote that a status follows, so that quotes inside it do no harm.
const logLine = /^(\S+) \S+ .{0,512}?\[(\d\d)\/([A-Za-z]{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\] "(.*?)" (\d{3}|-) (?:\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?/;
const requestLine = /^([A-Za-z][A-Za-z_-]{0,31}) +(\S.*)$/;
const protocol = /^(.*?) +(HTTP\/\S*)$/i;
const months: Readonly<Record<string, number>> = { jan: 0, feb: 1, mar: 2, apr: 3, may: 4, jun: 5, jul: 6, aug: 7, sep: 8, oct: 9, nov: 10, dec: 11 };

export function parseCombinedLine(line: string): TraceRequest | TraceFault {
  const match = logLine.exec(line);
  if (!match) return 'not-a-log-line';
  const timeMs = readTime(match);
  if (timeMs === undefined) return 'bad-time';
  const request = requestLine.exec(match[11] ?? '');
  if (!request) return 'bad-request-line';
  const [, method = '', rest = ''] = request;
  const withProtocol = protocol.exec(rest);
  const url = (withProtocol?.[1] ?? rest).trim();
  const target = resourceOf(url);
  if (target === undefined) return 'bad-url';
  const userAgent = textOf(match[14] ?? '');
  return {
    timeMs,
    method: method.toUpperCase(),
    resource: target.resource,
    status: match[12] === '-' ? 0 : Number(match[12]),
    region: undefined,
    userAgent,
    // Several people share an address more often than an address and a browser.
    client: `${match[1] ?? ''} ${userAgent}`,
    referer: resourceOf(textOf(match[13] ?? ''))?.resource,
    oddity: oddityOf(url, withProtocol?.[2], target.absolute),
  };
}

function oddityOf(url: string, protocolName: string | undefined, absolute: boolean): TraceOddity | undefined {
  if (/\s/.test(url)) return 'space-in-url';
  if (protocolName === undefined) return 'no-protocol';
  if (!/^HTTP\/\d(?:\.\d)?$/i.test(protocolName)) return 'odd-protocol';
  return absolute ? 'absolute-url' : undefined;
}

function readTime(match: RegExpExecArray): number | undefined {
  const [, , day, name = '', year, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  const month = months[name.toLowerCase()];
  if (month === undefined || Number(day) < 1 || Number(day) > 31 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const localMs = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
  const zoneMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  const timeMs = sign === '-' ? localMs + zoneMs : localMs - zoneMs;
  return timeMs >= 0 ? timeMs : undefined;
}

/** The log writes `-` for what there is not, and escapes quotes. */
function textOf(field: string): string {
  return field === '-' ? '' : field.replace(/\\(.)/g, '$1');
}

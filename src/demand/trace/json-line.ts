/** Reads a line of a JSON trace (CONTRACT: `time` and `url` are required, the rest may be missing). Pure. */
import type { RegionName } from '../../kernel/index.ts';
import { resourceOf } from './trace-url.ts';
import type { TraceFault, TraceRequest } from './trace-request.ts';

export function parseJsonLine(line: string): TraceRequest | TraceFault {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return 'not-json';
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'not-json';
  const { time, url, method = 'GET', status = 200, region, userAgent, client, referer }: Partial<Record<string, unknown>> = { ...parsed };
  if (time === undefined || time === null) return 'no-time';
  const timeMs = readTime(time);
  if (timeMs === undefined) return 'bad-time';
  if (url === undefined || url === null || url === '') return 'no-url';
  if (typeof url !== 'string') return 'bad-url';
  if (typeof method !== 'string' || typeof status !== 'number' || !Number.isInteger(status)) return 'bad-field';
  if (region !== undefined && region !== null && typeof region !== 'string') return 'bad-field';
  const target = resourceOf(url);
  if (target === undefined) return 'bad-url';
  return {
    timeMs, method: method.toUpperCase(), resource: target.resource, status,
    region: region ? (region as RegionName) : undefined, // a trace's region names are its own
    userAgent: typeof userAgent === 'string' ? userAgent : '',
    client: typeof client === 'string' ? client : typeof client === 'number' ? String(client) : '',
    referer: typeof referer === 'string' && referer !== '' ? resourceOf(referer)?.resource : undefined,
    oddity: target.absolute ? 'absolute-url' : undefined,
  };
}

/** Epoch ms, or ISO 8601; a time without a zone is UTC. */
function readTime(time: unknown): number | undefined {
  if (typeof time === 'number') return Number.isFinite(time) && time >= 0 && time < 8.64e15 ? Math.floor(time) : undefined;
  if (typeof time !== 'string') return undefined;
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?)?$/i.exec(time.trim());
  if (!match) return undefined;
  const zone = (match[3] ?? 'Z').replace(/^([+-]\d\d)(\d\d)$/, '$1:$2').toUpperCase();
  const parsed = Date.parse(`${match[1] ?? ''}T${(match[2] ?? '00:00').replace(',', '.')}${zone}`);
  return Number.isNaN(parsed) || parsed < 0 ? undefined : parsed;
}

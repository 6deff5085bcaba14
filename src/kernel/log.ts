/**
 * Structured log: one JSON object a line, to whatever sink `main.ts` gives. Values of fields whose names look like
 * secrets are replaced before they are written; credentials inside URLs are cut out. Never throws.
 */
import type { Clock } from './clock.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log that adds these fields to every line. */
  with(fields: LogFields): Log;
}

const rank: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const secretName = /authorization|cookie|token|secret|password|credential|api-?key/i;
const urlCredentials = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

function clean(name: string, value: unknown): unknown {
  if (secretName.test(name)) return '[redacted]';
  if (typeof value === 'string') return value.replace(urlCredentials, '$1[redacted]@');
  if (value instanceof Error) return clean(name, value.message);
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map((item) => clean('', item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, clean(key, inner)]));
  }
  return value;
}

export function createLog(
  options: { clock: Clock; level: LogLevel; write: (line: string) => void },
  bound: LogFields = {},
): Log {
  const emit = (level: LogLevel, event: string, fields: LogFields | undefined): void => {
    if (rank[level] < rank[options.level]) return;
    const merged = { ...bound, ...fields };
    const cleaned = Object.fromEntries(Object.entries(merged).map(([key, value]) => [key, clean(key, value)]));
    options.write(JSON.stringify({ time: new Date(options.clock.nowMs()).toISOString(), level, event, ...cleaned }));
  };
  return {
    debug: (event, fields) => { emit('debug', event, fields); },
    info: (event, fields) => { emit('info', event, fields); },
    warn: (event, fields) => { emit('warn', event, fields); },
    error: (event, fields) => { emit('error', event, fields); },
    with: (fields) => createLog(options, { ...bound, ...fields }),
  };
}

/** A log that keeps nothing, for tests and one-shot commands. */
export const silentLog: Log = createLog({
  clock: { nowMs: () => 0, monotonicMs: () => 0, after: () => () => undefined },
  level: 'error',
  write: () => undefined,
});

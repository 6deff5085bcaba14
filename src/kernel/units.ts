/**
 * Quantities as people write them, with units: `10m`, `2GiB`, `20/s`, `5%`. Used by the config, the command line and messages.
 * Each parser returns undefined for what it does not understand; the caller says what was expected.
 */
const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12,
};

function quantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const factor = match ? units[match[2] ?? ''] : undefined;
  return match && factor !== undefined ? Number(match[1]) * factor : undefined;
}

/** `250ms`, `2s`, `10m`, `24h`, `7d` → milliseconds. */
export function parseDuration(text: string): number | undefined {
  return quantity(text, durationUnits);
}

/** `512B`, `64KiB`, `2GiB`, `10MB` → bytes. */
export function parseSize(text: string): number | undefined {
  const bytes = quantity(text, sizeUnits);
  return bytes === undefined ? undefined : Math.floor(bytes);
}

/** `20/s`, `30/min`, `1000/h` → per second. */
export function parseRate(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*\/\s*(s|min|m|h)$/.exec(text.trim());
  if (!match) return undefined;
  const seconds = { s: 1, min: 60, m: 60, h: 3600 }[match[2] ?? ''];
  return seconds === undefined ? undefined : Number(match[1]) / seconds;
}

/** `5%`, `0.5%` → fraction. */
export function parsePercent(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  return match ? Number(match[1]) / 100 : undefined;
}

/** Milliseconds as a person would write them: `1.5 s`, `3 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${trim(ms / 1000)} s`;
  if (ms < 3_600_000) return `${trim(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${trim(ms / 3_600_000)} h` : `${trim(ms / 86_400_000)} d`;
}

/** Bytes as a person would write them: `64 KiB`, `1.2 GiB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1024) return `${trim(value)} ${unit}`;
    value /= 1024;
  }
  return `${trim(value)} TiB`;
}

function trim(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toFixed(1)));
}

/**
 * The one list of keys that are known but whose feature does not exist yet. Such a key is refused, never ignored: who
 * writes it relies on it. When a feature arrives, its line here goes.
 */
export interface NotAvailable {
  /** The key's path; `*` stands for any name or index. */
  readonly path: string;
  /** Only this value is refused; without it, the key whatever its value. */
  readonly value?: string;
  /** Only when the list has at least this many entries. */
  readonly fromEntries?: number;
  /** What to do until then. */
  readonly hint: string;
}

export const notAvailable: readonly NotAvailable[] = [
  { path: 'origin.urls', fromEntries: 2, hint: 'name one origin, or a load balancer in front of several' },
  { path: 'origin.metrics', hint: 'leave it out; probes and passing answers tell the origin\'s health' },
  { path: 'origin.limits.cpu', hint: 'leave it out; latencyP95 and errorRate are watched' },
  { path: 'routing.mode', value: 'redirect', hint: 'use serve' },
  { path: 'store.volumes.data', hint: 'leave it out; bodies are replicated, see copies' },
  { path: 'store.volumes.parity', hint: 'leave it out; bodies are replicated, see copies' },
  { path: 'store.volumes.replicateBelow', hint: 'leave it out; all bodies are replicated, see copies' },
  { path: 'store.s3', hint: 'use store.volumes' },
  { path: 'bus.nats', hint: 'use inProcess' },
];

/** The paths in a document that are refused, with the entry that refuses each. */
export function findNotAvailable(document: unknown): { readonly path: (string | number)[]; readonly entry: NotAvailable }[] {
  return notAvailable.flatMap((entry) =>
    matches(document, entry.path.split('.'), [])
      .filter(({ value }) => value !== undefined && value !== null)
      .filter(({ value }) => entry.value === undefined || value === entry.value)
      .filter(({ value }) => entry.fromEntries === undefined || (Array.isArray(value) && value.length >= entry.fromEntries))
      .map(({ path }) => ({ path, entry })),
  );
}

function matches(value: unknown, pattern: readonly string[], path: (string | number)[]): { path: (string | number)[]; value: unknown }[] {
  const [head, ...rest] = pattern;
  if (head === undefined) return [{ path, value }];
  if (typeof value !== 'object' || value === null) return [];
  const steps: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return steps.filter(([key]) => head === '*' || key === head).flatMap(([key, inner]) => matches(inner, rest, [...path, key]));
}

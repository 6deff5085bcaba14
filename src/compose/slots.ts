/**
 * A route's slots, compiled: the one place that names fillings and instances of feeds, so that who makes them and who serves them agree.
 * Pure.
 */
import type { FeedConfig, RouteConfig, SlotConfig } from '../config/index.ts';
import type { FeedKey, FillingId } from './types.ts';

/** Gives a visitor's or a variation's value of a declared dimension. */
export type ValueOf = (dimension: string) => string;

export interface CompiledSlot {
  readonly config: SlotConfig;
  readonly feed: FeedConfig;
  /** The filling that the page at `path` (in its one spelling) shows at this point. */
  fillingId(path: string, valueOf: ValueOf): FillingId;
  feedKey(valueOf: ValueOf): FeedKey;
  /** Values of the pattern's parts, unescaped: `{ id: '7' }`. */
  parts(path: string): Readonly<Record<string, string>>;
  /** The slot's `value` with its placeholders filled in, escaped as RFC 6901 §3 wants it. */
  pointer(path: string, valueOf: ValueOf): string;
}

/** Slots whose feed is not declared are left out (the configuration's check refuses them). */
export function compileSlots(route: Pick<RouteConfig, 'match' | 'slots'>, feeds: readonly FeedConfig[]): readonly CompiledSlot[] {
  return route.slots.flatMap((config) => {
    const feed = feeds.find(({ name }) => name === config.feed);
    return feed ? [compileSlot(route.match, config, feed)] : [];
  });
}

function compileSlot(match: string, config: SlotConfig, feed: FeedConfig): CompiledSlot {
  const prefix = `${match}#${config.name}`;
  const segments = match.split('/');
  const partAt = (path: readonly string[], name: string): string => unescaped(path[segments.indexOf(`:${name}`)] ?? '');
  const names = segments.flatMap((segment) => (segment.startsWith(':') ? segment.slice(1) : []));
  return {
    config, feed,
    fillingId(path, valueOf) {
      const at = config.params.length === 0 ? [] : path.split('/');
      const pairs = [...config.params.map((name) => [name, partAt(at, name)] as const), ...config.dimensions.map((name) => [name, valueOf(name)] as const)];
      const id = pairs.length === 0 ? prefix : `${prefix}?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
      return id as FillingId; // the one constructor of the brand
    },
    feedKey: (valueOf) => feedKey(feed, valueOf),
    parts(path) {
      const at = path.split('/');
      return Object.fromEntries(names.map((name) => [name, partAt(at, name)]));
    },
    pointer(path, valueOf) {
      const at = path.split('/');
      return config.value.replaceAll(/\{([A-Za-z_][A-Za-z0-9_-]*)\}/g, (_, name: string) => escapeStep(names.includes(name) ? partAt(at, name) : valueOf(name)));
    },
  };
}

/** `prices`, or `recs?audience=vip`. */
export function feedKey(feed: Pick<FeedConfig, 'name' | 'dimensions'>, valueOf: ValueOf): FeedKey {
  const pairs = feed.dimensions.map((name) => `${name}=${encodeURIComponent(valueOf(name))}`);
  return (pairs.length === 0 ? feed.name : `${feed.name}?${pairs.join('&')}`) as FeedKey; // the one constructor of the brand
}

/** Stands for a feed that no longer says what a filling shows: never heard, so that the filling may be shown for its own value's time and no longer. */
export function heldKey(feed: FeedKey): FeedKey {
  return `held:${feed}` as FeedKey; // no declared feed's name has a colon
}

function escapeStep(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** A stray `%` is taken as it is written. */
function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

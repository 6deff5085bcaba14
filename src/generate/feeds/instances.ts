/**
 * Which instances a feed has: one for each combination of the values of the dimensions in its URL, each with its own address. Also how an
 * address is shown: without what may be secret in it. Pure.
 */
import { createHash } from 'node:crypto';
import { feedKey } from '../../compose/index.ts';
import type { FeedKey } from '../../compose/types.ts';
import { maxima } from '../../config/index.ts';
import type { DimensionConfig, FeedConfig } from '../../config/types.ts';
import { ForeshadowError } from '../../kernel/index.ts';

export interface FeedAddress {
  readonly key: FeedKey;
  /** URL with its placeholders filled in, or the path of the file. May hold secrets: never shown. */
  readonly address: string;
  /** The same for eyes. */
  readonly shown: string;
  /** Digest of kind and address, to know a kept value's source again. */
  readonly fingerprint: string;
}

/** Throws `config-invalid` for what the configuration's own check would have refused. */
export function addressesOf(feed: FeedConfig, dimensions: readonly DimensionConfig[]): readonly FeedAddress[] {
  let points: readonly ReadonlyMap<string, string>[] = [new Map()];
  for (const name of feed.dimensions) {
    const values = dimensions.find((dimension) => dimension.name === name)?.values ?? [];
    if (values.length === 0) throw invalid(feed, `{${name}} is no dimension with values`);
    if (points.length * values.length > maxima.feedInstances) throw invalid(feed, `its URL stands for more than ${maxima.feedInstances} addresses`);
    points = points.flatMap((point) => values.map((value) => new Map([...point, [name, value]])));
  }
  const { source } = feed;
  return points.map((point) => {
    const address = source.kind === 'file' ? source.path : filled(source.url, (name) => encodeURIComponent(point.get(name) ?? ''));
    return {
      key: feedKey(feed, (name) => point.get(name) ?? ''), address,
      shown: source.kind === 'file' ? source.path : shownUrl(source.url, point),
      fingerprint: createHash('sha256').update(`${source.kind} ${address}`).digest('hex'),
    };
  });
}

function filled(url: string, valueOf: (name: string) => string): string {
  return url.replaceAll(/\{([A-Za-z][A-Za-z0-9_-]*)\}/g, (_, name: string) => valueOf(name));
}

/** Values in the query may be keys: only those that are a placeholder are shown. */
function shownUrl(template: string, point: ReadonlyMap<string, string>): string {
  const [withoutFragment = ''] = template.split('#', 1);
  const [path = '', query] = withoutFragment.split(/\?(.*)/s, 2);
  const fill = (text: string): string => filled(text, (name) => encodeURIComponent(point.get(name) ?? ''));
  const shownQuery = query?.split('&').map((pair) => {
    const [name = '', value] = pair.split(/=(.*)/s, 2);
    if (value === undefined) return '…';
    return `${fill(name)}=${/^\{[A-Za-z][A-Za-z0-9_-]*\}$/.test(value) ? fill(value) : '…'}`;
  });
  return `${fill(path).replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1')}${shownQuery ? `?${shownQuery.join('&')}` : ''}`;
}

function invalid(feed: FeedConfig, problem: string): ForeshadowError {
  return new ForeshadowError('config-invalid', { source: 'config', message: `feed ${feed.name}: ${problem}`, hint: 'foreshadow check names what is wrong' });
}

/**
 * What the kinds of dimension mean in requests: which headers obtain each value from the origin, and which request headers
 * a dimension stands in for in an answer's Vary. Reading a value out of a request is `http`'s.
 */
import type { DimensionConfig, RouteConfig } from './types.ts';

export const deviceClasses = ['mobile', 'tablet', 'desktop'] as const;

/**
 * A common browser of each class, in the reduced form browsers send since User-Agent reduction (only the major version
 * tells anything), so that an origin's own detection sees a plain case. Android tablets differ from phones by the missing `Mobile`.
 */
const deviceUserAgents: Readonly<Record<(typeof deviceClasses)[number], string>> = {
  mobile: 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
  tablet: 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  desktop: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
};

/** The request headers (lower-case names) that obtain this value from the origin. */
export function obtainHeaders(from: DimensionConfig['from'], value: string): Readonly<Record<string, string>> {
  switch (from.kind) {
    case 'userAgent': {
      const device = deviceClasses.find((known) => known === value);
      return device === undefined ? {} : { 'user-agent': deviceUserAgents[device] };
    }
    case 'acceptLanguage':
      return { 'accept-language': value };
    case 'cookie':
      return { cookie: `${from.name}=${value}` };
    case 'header':
      return { [from.name]: value };
  }
}

/**
 * The request headers, lower case, that a dimension stands in for: an answer that varies on them alone differs by the
 * declared values and nothing else. A device class also stands for the client hints that carry it.
 */
export function varyHeadersOf(dimension: Pick<DimensionConfig, 'from'>): readonly string[] {
  switch (dimension.from.kind) {
    case 'userAgent':
      return ['user-agent', 'sec-ch-ua', 'sec-ch-ua-mobile', 'sec-ch-ua-platform'];
    case 'acceptLanguage':
      return ['accept-language'];
    case 'cookie':
      return ['cookie'];
    case 'header':
      return [dimension.from.name];
  }
}

type Declaring = Pick<RouteConfig, 'vary' | 'slots' | 'tokens' | 'esi'>;

/**
 * The request headers, lower case, that a route's declaration accounts for: those of the dimensions it varies on, of those its slots
 * depend on, and of its tokens; where includes are processed, that the origin is told so. Its pages may differ by what is read from these and by no more.
 */
export function standInsOf(route: Declaring, dimensions: readonly DimensionConfig[]): ReadonlySet<string> {
  const headers = declared(route, dimensions).flatMap((dimension) => varyHeadersOf(dimension));
  return new Set([...headers, ...(route.tokens.length > 0 ? ['cookie'] : []), ...(route.esi ? ['surrogate-capability'] : [])]);
}

/** The cookies among them; any other makes a request personal. */
export function cookiesOf(route: Declaring, dimensions: readonly DimensionConfig[]): ReadonlySet<string> {
  const names = declared(route, dimensions).flatMap(({ from }) => (from.kind === 'cookie' ? [from.name] : []));
  return new Set([...names, ...route.tokens.map((token) => token.cookie)]);
}

function declared(route: Declaring, dimensions: readonly DimensionConfig[]): readonly DimensionConfig[] {
  const names = new Set([...route.vary, ...route.slots.flatMap((slot) => [...slot.dimensions, ...(slot.profile === undefined ? [] : [slot.profile])])]);
  return dimensions.filter(({ name }) => names.has(name));
}

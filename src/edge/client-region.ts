/**
 * The region a visitor is in: by a header of a trusted proxy (a region's name, or a country), by the country database, else the
 * edge's own. A country belongs to the region closest to its middle.
 */
import { createRequire } from 'node:module';
import maxmind, { type CountryResponse, type Reader } from 'maxmind';
import type { Config } from '../config/index.ts';
import type { RegionName } from '../kernel/index.ts';
import { countryPlaces } from './country-places.ts';
import type { Visit } from './visit.ts';

/** Addresses whose country is remembered. */
const addressesMax = 10_000;

export type ClientRegion = (visit: Visit) => RegionName;
type CountryReader = Pick<Reader<CountryResponse & { readonly country_code?: string }>, 'get'>;

/** Opens the country database that comes with Foreshadow (CC0). About 10 MB; kept in memory. */
export async function openCountries(): Promise<CountryReader> {
  const resolve = createRequire(import.meta.url).resolve;
  return maxmind.open<CountryResponse>(resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb'));
}

export function compileClientRegion(config: Pick<Config, 'regions' | 'clientRegion'>, countries: CountryReader | undefined): ClientRegion {
  const names = new Map(config.regions.map((region) => [region.name.toLowerCase(), region.name]));
  const nearest = compileNearest(config.regions);
  const { header } = config.clientRegion;
  const known = new Map<string, RegionName | undefined>();
  const byAddress = (address: string): RegionName | undefined => {
    if (!countries) return undefined;
    if (known.has(address)) return known.get(address);
    const found = countries.get(address);
    const region = nearest(found?.country_code ?? found?.country?.iso_code);
    if (known.size >= addressesMax) known.clear();
    known.set(address, region);
    return region;
  };
  if (header === undefined && !countries) return (visit) => visit.entrance.region;
  return (visit) => {
    const told = header !== undefined && visit.peer.trusted ? visit.get(header)?.trim() : undefined;
    const fromHeader = told ? names.get(told.toLowerCase()) ?? nearest(told) : undefined;
    return fromHeader ?? byAddress(visit.client) ?? visit.entrance.region;
  };
}

function compileNearest(regions: Config['regions']): (country: string | undefined) => RegionName | undefined {
  const known = new Map<string, RegionName | undefined>();
  return (country) => {
    const code = country?.toUpperCase() ?? '';
    const place = countryPlaces[code];
    if (!place) return undefined;
    if (!known.has(code)) known.set(code, nearestTo(place, regions));
    return known.get(code);
  };
}

function nearestTo(place: readonly [number, number], regions: Config['regions']): RegionName | undefined {
  let nearest: RegionName | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const { name, at } of regions) {
    if (!at) continue;
    const distance = centralAngle(place, at);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

/** The haversine formula; radians. */
function centralAngle(a: readonly [number, number], b: readonly [number, number]): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const h = Math.sin(radians(b[0] - a[0]) / 2) ** 2 + Math.cos(radians(a[0])) * Math.cos(radians(b[0])) * Math.sin(radians(b[1] - a[1]) / 2) ** 2;
  return 2 * Math.asin(Math.min(1, Math.sqrt(h)));
}

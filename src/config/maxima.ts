/**
 * The largest counts a configuration may have. They bound tables that live in memory and numbers that go into every key;
 * each is generous for real sites. `docs/limits.md` lists them, and a test holds it to this list.
 */
export const maxima = {
  configBytes: 1_048_576,
  hosts: 256,
  regions: 64,
  trustedProxies: 1024,
  dimensions: 8,
  dimensionValues: 64,
  routes: 1000,
  routeVariations: 4096,
  routeQueryParameters: 64,
  routeSlots: 32,
  routeTokens: 8,
  slotVariations: 64,
  slotPoints: 10_000,
  templateCharacters: 65_536,
  feeds: 64,
  feedInstances: 256,
  dropQuery: 256,
  holidays: 100,
  holidayDates: 1000,
  volumes: 32,
  tokens: 256,
} as const;

import { plainRoute } from '../config/index.ts';
import { expect, test } from 'bun:test';
import type { DimensionConfig } from '../config/types.ts';
import type { ResourceKey, VariationKey } from '../kernel/index.ts';
import { Site, variationsMax, type SiteConfig } from './site.ts';

const device: DimensionConfig = {
  name: 'device', from: { kind: 'userAgent' }, values: ['mobile', 'desktop'], fallback: 'desktop', exact: true,
  match: 'value', obtain: { mobile: { 'user-agent': 'Phone' }, desktop: { 'user-agent': 'Desk' } },
};
const segment: DimensionConfig = {
  name: 'segment', from: { kind: 'cookie', name: 'segment' }, values: ['new', 'loyal', 'vip'], fallback: 'new', exact: false,
  match: 'value', obtain: { new: { cookie: 'segment=new' }, loyal: { cookie: 'segment=loyal' }, vip: { cookie: 'segment=vip' } },
};
const plan: DimensionConfig = { ...segment, name: 'plan', from: { kind: 'cookie', name: 'plan' }, values: ['free', 'paid'], fallback: 'free', obtain: { paid: { cookie: 'plan=paid' } } };

function siteOf(facts: Partial<SiteConfig> = {}): Site {
  return new Site({
    feeds: [], degraded: { notice: undefined, form: { byLanguage: {}, otherwise: '' } },
    origin: { url: 'http://127.0.0.1:3000', host: 'origin', probe: { path: '/', intervalMs: 1, timeoutMs: 1 }, limits: { latencyP95Ms: undefined, errorRate: 0.1 } },
    hosts: [], regions: [], dropQuery: ['utm_*'], dimensions: [device, segment, plan],
    routes: [
      { ...plainRoute, match: '/products/:id', vary: ['device', 'segment'], keepQuery: ['page'], shadow: 'always', cache: 'standard' },
      { ...plainRoute, match: '/plans', vary: ['segment', 'plan'], shadow: 'allowed', cache: 'standard' },
      { ...plainRoute, match: '/account/**', vary: [], shadow: 'never', cache: 'off' },
    ],
    ...facts,
  });
}

const key = (text: string): ResourceKey => text as ResourceKey; // spelled as resourceKey would
const at = (text: string): VariationKey => text as VariationKey; // spelled as compileVariation would

test('a route\'s resource has every point on its dimensions, the default first', () => {
  const variations = siteOf().variations(key('/products/1'), []).map((entry) => entry.variation);
  expect(variations.length).toBe(6);
  expect(variations[0]).toBe(at('device=desktop,segment=new'));
  expect(variations).toContain(at('device=mobile,segment=vip'));
  expect(siteOf().variations(key('/elsewhere'), [])).toEqual([{ variation: at(''), share: 1 }]);
});

test('what people ask for comes first, the unseen are not forgotten, shares sum to 1', () => {
  const shares = siteOf().variations(key('/products/1'), [
    { variation: at('device=mobile,segment=vip'), share: 0.6 }, { variation: at('device=desktop,segment=new'), share: 0.2 }, { variation: at('other=1'), share: 0.2 },
  ]);
  expect(shares[0]?.variation).toBe(at('device=mobile,segment=vip'));
  expect(shares[1]?.variation).toBe(at('device=desktop,segment=new'));
  expect(shares.every((entry) => entry.share > 0)).toBe(true);
  expect(shares.reduce((sum, entry) => sum + entry.share, 0)).toBeCloseTo(1, 9);
});

test('the product of many dimensions is cut', () => {
  const wide = Array.from({ length: 5 }, (_, i): DimensionConfig => ({
    name: `d${i}`, from: { kind: 'header', name: `x-${i}` }, values: Array.from({ length: 20 }, (__, v) => `v${v}`), fallback: 'v0', exact: false, match: 'value', obtain: {},
  }));
  const site = siteOf({ dimensions: wide, routes: [{ ...plainRoute, match: '/w', vary: wide.map((d) => d.name), keepQuery: undefined, shadow: 'allowed', cache: 'standard' }] });
  const variations = site.variations(key('/w'), []);
  expect(variations.length).toBe(variationsMax);
  expect(variations[0]?.variation).toBe(at('d0=v0,d1=v0,d2=v0,d3=v0,d4=v0'));
});

test('a variation is asked for in its own headers, cookies together, undeclared varied headers as they were', () => {
  const site = siteOf();
  expect(site.target(key('/products/1?page=2'), at('device=mobile,segment=vip'), [['accept', 'image/webp'], ['x-none', '']])).toEqual({
    path: '/products/1?page=2', host: undefined, headers: [['x-forwarded-proto', 'http'], ['accept', 'image/webp'], ['user-agent', 'Phone'], ['cookie', 'segment=vip']],
  });
  expect(site.target(key('/plans'), at('segment=loyal,plan=paid'), []).headers).toEqual([['x-forwarded-proto', 'http'], ['cookie', 'segment=loyal; plan=paid']]);
});

test('URLs become keys by the route\'s own rules, the site\'s only', () => {
  const site = siteOf();
  expect(site.resourceOf('http://127.0.0.1:3000/products/1?page=2&utm_source=x&z=1')).toBe(key('/products/1?page=2'));
  expect(site.resourceOf('http://127.0.0.1:3000/other?b=1&a=2&utm_source=x')).toBe(key('/other?a=2&b=1'));
  expect(site.resourceOf('https://shop.example/a')).toBeUndefined();
  site.learnHost('https://shop.example/');
  expect(site.resourceOf('https://shop.example/a')).toBe(key('/a'));
  expect(site.resourceOf('not a url')).toBeUndefined();
});

test('declared hosts are believed and no others learned; several hosts show in the key', () => {
  const one = siteOf({ hosts: ['shop.example'] });
  one.learnHost('https://evil.example/');
  expect(one.resourceOf('https://evil.example/a')).toBeUndefined();
  expect(one.resourceOf('https://shop.example:443/a')).toBe(key('/a'));
  const two = siteOf({ hosts: ['shop.example', 'de.shop.example'] });
  expect(two.resourceOf('https://de.shop.example/a')).toBe(key('//de.shop.example/a'));
  expect(two.resourceOf('http://127.0.0.1:3000/a')).toBe(key('//shop.example/a'));
  expect(two.target(key('//de.shop.example/a'), at(''), [])).toEqual({ path: '/a', host: 'de.shop.example', headers: [['x-forwarded-proto', 'http']] });
  expect(two.urlOf(key('//de.shop.example/a'))).toBe('http://de.shop.example/a');
  expect(two.route(key('//de.shop.example/account/x')).policy).toBe('never');
});

test('the origin is told the scheme visitors come by; a redirect that only changes scheme or host leads nowhere', () => {
  const region = { name: 'r' as SiteConfig['regions'][number]['name'], at: undefined, listen: { hostname: '127.0.0.1', port: 1 }, publicUrl: 'https://shop.example', tls: undefined };
  const proto = (site: Site): string | undefined => site.target(key('/elsewhere'), at(''), []).headers.find(([name]) => name === 'x-forwarded-proto')?.[1];
  expect(proto(siteOf())).toBe('http');
  expect(proto(siteOf({ regions: [region] }))).toBe('https');
  const site = siteOf({ hosts: ['shop.example'] });
  expect(site.leadsToItself(key('/a?x=1'), 'https://shop.example/a?utm_source=q&x=1')).toBe(true);
  expect(site.leadsToItself(key('/a'), '/b')).toBe(false);
  expect(site.leadsToItself(key('/a'), 'https://elsewhere.example/a')).toBe(false);
  expect(site.leadsToItself(key('/a'), null)).toBe(false);
});

import { describe, expect, test } from 'bun:test';
import { headerReader } from '../http/index.ts';
import { classifyDemand, isCrawler } from './classify.ts';

describe('isCrawler', () => {
  test.each([
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
    'Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)',
    'TestNutch/Nutch-1.2 (testing Nutch; http://nutch.apache.org; info@nutch.apache.org)',
    'Feedfetcher-Google; (+http://www.google.com/feedfetcher.html; 4 subscribers)',
    'ia_archiver (+http://www.alexa.com/site/help/webmasters)',
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'AhrefsBot/7.0', 'Slurp',
  ])('%s is one', (agent) => {
    expect(isCrawler(agent)).toBe(true);
  });

  test.each([
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1',
    'ShopApp/3.2 CFNetwork/1408.0.4 Darwin/22.5.0', 'okhttp/4.9.1', 'curl/8.1.2', 'R (3.0.2 x86_64-w64-mingw32 x86_64 mingw32)',
    'mingw32', 'linux-gnu', 'darwin10.8.0', 'NA', '',
  ])('%s is a person\'s', (agent) => {
    expect(isCrawler(agent)).toBe(false);
  });
});

describe('classifyDemand', () => {
  const kindOf = (fields: readonly (readonly [string, string])[], crawler = false) => classifyDemand(headerReader(fields), crawler);

  test('tells prefetches by each browser\'s header', () => {
    expect(kindOf([['sec-purpose', 'prefetch;anonymous-client-ip']])).toBe('prefetch');
    expect(kindOf([['sec-purpose', 'prefetch;prerender']])).toBe('prefetch');
    expect(kindOf([['purpose', 'prefetch']])).toBe('prefetch');
    expect(kindOf([['x-purpose', 'preview']])).toBe('prefetch');
    expect(kindOf([['x-moz', 'prefetch']])).toBe('prefetch');
    expect(kindOf([['purpose', 'sale']])).toBe('person');
  });

  test('our own fetch is ours, whoever it says it is', () => {
    expect(kindOf([['foreshadow-purpose', 'generate'], ['sec-purpose', 'prefetch']], true)).toBe('generated');
  });

  test('a crawler that prefetches is a crawler, and nothing special is a person', () => {
    expect(kindOf([['sec-purpose', 'prefetch']], true)).toBe('crawler');
    expect(kindOf([])).toBe('person');
  });
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { LoadRequest } from './load.ts';
import { loadConfig } from './load.ts';
import { maxima } from './maxima.ts';
import { printConfig } from './print.ts';
import { formatProblems } from './problems.ts';
import type { Config } from './types.ts';

const files: Readonly<Record<string, string>> = { 'conf/cert.pem': '-----BEGIN CERTIFICATE-----', 'conf/key.pem': '-----BEGIN PRIVATE KEY-----', 'conf/text.pem': 'hello' };
function readFile(path: string): string {
  const content = files[path];
  if (content === undefined) throw new Error('no such file');
  return content;
}

function load(text: string, more: Partial<LoadRequest> = {}) {
  return loadConfig({ file: 'conf/foreshadow.yaml', text, env: {}, readFile, ...more });
}

function configOf(text: string, more: Partial<LoadRequest> = {}): Config {
  const result = load(text, more);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result.config;
}

/** One line a problem, without the file's name. */
function problemsOf(text: string, more: Partial<LoadRequest> = {}): string[] {
  const result = load(text, more);
  return result.ok ? [] : formatProblems(result.problems).split('\n');
}

/** A list of one more than `most` entries, as YAML. */
function list(most: number, entry: (index: number) => string): string {
  return `[ ${entries(most, entry)} ]`;
}

function entries(most: number, entry: (index: number) => string): string {
  return Array.from({ length: most + 1 }, (_, index) => entry(index)).join(', ');
}

const base = 'origin: { url: "http://127.0.0.1:3000" }\n';

describe('defaults', () => {
  test('an origin is all that is needed, in the file or on the command line', () => {
    const fromFile = configOf(base);
    const fromOption = loadConfig({ overrides: { origin: 'http://127.0.0.1:3000' }, env: {}, readFile });
    expect(fromOption.ok && { ...fromOption.config, dataDir: '', store: null }).toEqual({ ...fromFile, dataDir: '', store: null });
    expect(fromFile.origin.url).toBe('http://127.0.0.1:3000');
    expect(fromFile.site).toBe('127.0.0.1-3000');
    expect(fromFile.regions.map((region) => [String(region.name), region.listen])).toEqual([['local', { hostname: '127.0.0.1', port: 8080 }]]);
    expect(fromFile.admin.listen).toEqual({ hostname: '127.0.0.1', port: 8090 });
    expect(fromFile.timeouts).toEqual({ connectMs: 5000, firstByteMs: 30_000, idleMs: 60_000, drainMs: 30_000 });
    expect(fromFile.limits.requestBodyBytes).toBe(0);
    expect(fromFile.dropQuery).toContain('utm_*');
  });

  test('without an origin there is one problem, and it says what to write', () => {
    expect(problemsOf('')).toEqual(['origin.url: is missing; name the site\'s own server, like http://127.0.0.1:3000, here or with --origin']);
  });

  test('relative paths start at the configuration file, --data where it was typed', () => {
    const config = configOf(`${base}store: { volumes: { paths: [./v1, /abs/v2] } }`);
    expect(config.store.volumePaths).toEqual(['conf/v1', '/abs/v2']);
    expect(config.dataDir).toBe('conf/.foreshadow');
    const moved = configOf(base, { overrides: { data: 'elsewhere' } });
    expect([moved.dataDir, ...moved.store.volumePaths]).toEqual(['elsewhere', 'elsewhere/volumes/1', 'elsewhere/volumes/2']);
  });

  test('one urls entry is an origin', () => {
    expect(configOf('origin: { urls: ["http://a.example"] }').origin.url).toBe('http://a.example');
    expect(problemsOf('origin: { urls: ["http://a.example", "http://b.example"] }')).toEqual([expect.stringContaining('origin.urls: is not available yet')]);
    expect(problemsOf('origin: { url: "http://a.example", urls: ["http://a.example"] }')).toEqual([expect.stringContaining('keep one of the two')]);
  });
});

describe('values', () => {
  test('are resolved to milliseconds, bytes, per second and fractions', () => {
    const config = configOf(`${base}
freshness: { target: 90s, serveStaleFor: 7d }
prediction: { holidays: [ { name: Christmas, dates: [2025-12-25, 2026-12-25] } ] }
budgets: { originRequests: 30/min, originShare: 12.5%, storage: 64KiB, generateConcurrency: 2 }
limits: { captureBody: 2KiB, generateBody: 2KiB, requestBody: 10MB }
routing: { rescueAfter: 150ms, recovery: { firstStep: 2%, fastest: 5m } }
`.replace('64KiB', '64MiB'));
    expect(config.freshness).toEqual({ targetMs: 90_000, serveStaleForMs: 604_800_000 });
    expect(config.prediction.holidays).toEqual([{ name: 'Christmas', dates: ['2025-12-25', '2026-12-25'] }]);
    expect(config.budgets).toEqual({ originRequestsPerSecond: 0.5, originShare: 0.125, storageBytes: 64 * 1024 ** 2, generateConcurrency: 2 });
    expect(config.limits.requestBodyBytes).toBe(10_000_000);
    expect(config.routing).toEqual({ mode: 'serve', rescueAfterMs: 150, recovery: { firstStep: 0.02, fastestMs: 300_000 } });
  });

  test('dimensions know the headers that obtain each value', () => {
    const config = configOf(`${base}
dimensions:
  device:   { from: userAgent, values: [mobile, desktop] }
  language: { from: acceptLanguage, values: [en, pt-BR], default: pt-BR }
  audience: { from: { cookie: segment }, values: [new, vip], exact: false }
  plan:     { from: { header: X-Plan }, values: [free, paid], obtain: { paid: { X-Plan: paid, X-Extra: "1" } } }
routes: [ { match: "/**", vary: [device, plan] } ]
`);
    const [device, language, audience, plan] = config.dimensions;
    expect(device?.obtain['mobile']?.['user-agent']).toContain('Mobile');
    expect(device?.obtain['desktop']?.['user-agent']).toContain('Windows');
    expect(device?.fallback).toBe('desktop');
    expect(language).toMatchObject({ fallback: 'pt-BR', exact: true, obtain: { en: { 'accept-language': 'en' }, 'pt-BR': { 'accept-language': 'pt-BR' } } });
    expect(audience).toMatchObject({ from: { kind: 'cookie', name: 'segment' }, fallback: 'new', exact: false, obtain: { vip: { cookie: 'segment=vip' } } });
    expect(plan).toMatchObject({ from: { kind: 'header', name: 'x-plan' }, obtain: { free: { 'x-plan': 'free' }, paid: { 'x-plan': 'paid', 'x-extra': '1' } } });
  });

  test('environment variables are put in, inside flow maps too, and not looked through again', () => {
    const env = { ORIGIN: 'http://10.0.0.1', HASH: 'a'.repeat(64), AGENT: '${env:ORIGIN}' };
    const config = configOf('origin: { url: ${env:ORIGIN} }\nadmin: { tokens: [ { name: ops, role: operator, sha256: ${env:HASH} } ] }\ngenerate:\n  userAgent: bot ${env:AGENT}\n', { env });
    expect(config.origin.url).toBe('http://10.0.0.1');
    expect(config.admin.tokens[0]?.sha256).toBe('a'.repeat(64));
    expect(config.generate.userAgent).toBe('bot ${env:ORIGIN}');
  });

  test('command line goes before the file, and is named where it is wrong', () => {
    const config = configOf(`${base}admin: { listen: "127.0.0.1:1" }`, { overrides: { origin: 'https://site.example', listen: '[::1]:0', admin: '127.0.0.1:0' } });
    expect([config.origin.url, config.regions[0]?.listen.hostname, config.admin.listen.port]).toEqual(['https://site.example', '::1', 0]);
    expect(problemsOf(base, { overrides: { origin: 'site.example', listen: '8080' } })).toEqual([
      expect.stringMatching(/^--listen: expected an address/), expect.stringMatching(/^--origin: is not a URL/),
    ]);
    const two = `${base}regions: [ { name: a, listen: "127.0.0.1:1" }, { name: b, listen: "127.0.0.1:2" } ]`;
    expect(problemsOf(two, { overrides: { listen: '127.0.0.1:3' } })).toEqual([expect.stringMatching(/^--listen: needs a configuration with one region/)]);
  });
});

describe('problems', () => {
  const cases: readonly (readonly [what: string, text: string, ...expected: string[]])[] = [
    ['unknown key, nearly right', `${base}orgin: 1`, 'line 2:1: orgin: is not a known key; did you mean origin?'],
    ['unknown key that belongs elsewhere', `${base}timeouts: { drainTimeout: 3s }`, 'line 2:13: timeouts.drainTimeout: is not a known key; it belongs at drainTimeout'],
    ['number without a unit', `${base}freshness: { target: 600 }`, 'line 2:22: freshness.target: expected a duration with its unit; write it like 250ms, 2s, 10m, 24h, 7d'],
    ['percentage above 100', `${base}budgets: { originShare: 120% }`, 'line 2:25: budgets.originShare: 120% is too much; use at most 100%'],
    ['value, nearly right', `${base}log: { level: wran }`, 'line 2:15: log.level: expected one of debug, info, warn, error; did you mean warn?'],
    ['source of a dimension, misspelt', `${base}dimensions: { d: { from: useragent, values: [mobile] } }`, 'line 2:26: dimensions.d.from: expected a source; did you mean userAgent?'],
    ['key inside a union', `${base}dimensions: { d: { from: { cokie: a }, values: [x] } }`, 'line 2:28: dimensions.d.from.cokie: is not a known key; did you mean cookie?'],
    ['device that does not exist', `${base}dimensions: { d: { from: userAgent, values: [deskop] } }`, 'line 2:46: dimensions.d.values[0]: deskop is not a class of device; did you mean desktop?'],
    ['default outside the values', `${base}dimensions: { d: { from: acceptLanguage, values: [en], default: de } }`, 'line 2:65: dimensions.d.default: de is not among the values; use one of en'],
    ['no values', `${base}dimensions: { d: { from: acceptLanguage } }`, 'line 2:18: dimensions.d.values: is missing; name the values that make a difference'],
    ['too many values', `${base}dimensions: { d: { from: { cookie: c }, values: [${Array.from({ length: 65 }, (_, i) => `v${i}`).join(', ')}] } }`, 'line 2:49: dimensions.d.values: has more than 64 values; keep those that matter, the others become the default'],
    ['all cookies as a dimension', `${base}dimensions: { d: { from: { header: Cookie }, values: [x] } }`, 'line 2:36: dimensions.d.from.header: holds all cookies; name one with { cookie: NAME }'],
    ['undeclared dimension', `${base}dimensions: { device: { from: userAgent, values: [mobile] } }\nroutes: [ { match: /, vary: [devise] } ]`, 'line 3:30: routes[0].vary[0]: devise is not a declared dimension; did you mean device?'],
    ['pattern', `${base}routes: [ { match: /a/**/b } ]`, 'line 2:20: routes[0].match: "**" may only be the last part; write it like /products/:id, /account/** or /static/*.css'],
    ['two regions of one name', `${base}regions: [ { name: a, listen: "h:1" }, { name: a, listen: "h:2" } ]`, 'line 2:48: regions[1].name: a names a region that is there already; give each its own name'],
    ['two listeners on one port', `${base}regions: [ { name: a, listen: "127.0.0.1:1" }, { name: b, listen: "0.0.0.0:1" } ]`, 'line 2:67: regions[1].listen: 0.0.0.0:1 is taken by regions[0].listen; give each listener its own port'],
    ['open admin listener', `${base}admin: { listen: "0.0.0.0:1" }`, 'line 2:18: admin.listen: 0.0.0.0:1 can be reached from other machines, and there are no tokens; declare admin.tokens, or listen on 127.0.0.1'],
    ['range', `${base}trustedProxies: [10.0.0.0/33]`, 'line 2:18: trustedProxies[0]: 10.0.0.0/33 is not an address range; write it like 10.0.0.0/8 or 2001:db8::/32'],
    ['origin with credentials', 'origin: { url: "http://u:p@h" }', 'line 1:16: origin.url: carries a user name or password; leave it out'],
    ['origin with a path', 'origin: { url: "http://h/shop" }', 'line 1:16: origin.url: has more than a host and a port; write http://h and declare paths under routes'],
    ['origin of another scheme', 'origin: { url: "ftp://h" }', 'line 1:16: origin.url: has the scheme ftp; only http and https are possible'],
    ['variable that is not set', 'origin: { url: "${env:NOPE}" }', 'line 1:16: origin.url: the environment variable NOPE is not set; set it, or write the value here'],
    ['file that is not there', `${base}regions: [ { name: a, listen: "h:1", tls: { cert: cert.pem, key: nope.pem } } ]`, 'line 2:66: regions[0].tls.key: can\'t be read: no such file; name a file this user may read'],
    ['file that is not PEM', `${base}regions: [ { name: a, listen: "h:1", tls: { cert: text.pem, key: key.pem } } ]`, 'line 2:51: regions[0].tls.cert: conf/text.pem is not a PEM file; it has to begin with -----BEGIN'],
    ['a day that is none', `${base}prediction: { holidays: [ { name: h, dates: [2026-02-30] } ] }`, 'line 2:46: prediction.holidays[0].dates[0]: is no day of the calendar'],
    ['expiry before refresh', `${base}freshness: { target: 2d }`, 'line 2:12: freshness.serveStaleFor: is less than freshness.target, so shadows would expire before they are refreshed; make it longer'],
    ['more copies than folders', `${base}store: { volumes: { paths: [a], copies: 2 } }`, 'line 2:41: store.volumes.copies: is more than the 1 folders there are; name more paths, or ask for fewer copies'],
    ['list for a map', `${base}budgets: [1]`, 'line 2:10: budgets: expected keys and values'],
    ['duplicate key', `${base}origin: {}`, 'line 2:1: the key is there already; keep one of the two'],
    ['broken YAML', 'a: [1', 'line 1:6: is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; the problem may begin a little before'],
    ['not a map', '- 1', 'line 1:1: expected keys and values; write it like origin: { url: http://127.0.0.1:3000 }'],
    ['feature that is not there', `${base}bus: { nats: { servers: ["nats://h"] } }`, 'line 2:8: bus.nats: is not available yet; use inProcess'],
    ['value that is not there', `${base}routing: { mode: redirect }`, 'line 2:12: routing.mode: is not available yet; use serve'],
    ['profile without a place', `${base}dimensions: { i: { from: userAgent, match: similarity } }`, 'line 2:44: dimensions.i.match: needs a source that can hold a profile; read it from { cookie: NAME } or { header: NAME }'],
    ['profile with values', `${base}dimensions: { i: { from: { cookie: i }, match: similarity, values: [a] } }`, 'line 2:60: dimensions.i.values: means nothing beside match: similarity; leave it out'],
    ['notice in languages nobody declared', `${base}degraded: { notice: { en: "Old" } }`, 'line 2:21: degraded.notice: names languages, but no dimension is read from acceptLanguage; write one text, or declare the dimension'],
    ['notice in a language that is not one', `${base}degraded: { form: { de: "Nein", dk: "Nej" } }\ndimensions: { l: { from: acceptLanguage, values: [en, de, da] } }`, 'line 2:33: degraded.form.dk: is not among the languages; did you mean de?'],
    ['feed without a source', `${base}feeds: { f: {} }`, 'line 2:13: feeds.f: has no source; name a url, an sse or a file'],
    ['feed with two sources', `${base}feeds: { f: { url: "http://h/a", file: a.json } }`, 'line 2:34: feeds.f.file: is a second source beside url; keep one'],
    ['feed polled more rarely than its values live', `${base}feeds: { f: { url: "http://h/a", every: 1m, maxAge: 30s } }`, 'line 2:53: feeds.f.maxAge: is not longer than the time between two polls, so the slots would be empty between them; make it longer'],
    ['feed with a host nobody named', `${base}feeds: { f: { url: "http://{d}/a" } }\ndimensions: { d: { from: { cookie: c }, values: [a] } }`, 'line 2:20: feeds.f.url: has a placeholder or a user name where the host is; name the host itself, and put credentials under headers'],
    ['feed of an unknown dimension', `${base}feeds: { f: { url: "http://h/{audienc}" } }\ndimensions: { audience: { from: { cookie: c }, values: [a] } }`, 'line 2:20: feeds.f.url: {audienc} is not a dimension with values; did you mean audience?'],
    ['schema that is none', `${base}feeds: { f: { url: "http://h/a", schema: { type: nonsense } } }`, expect.stringContaining('feeds.f.schema: is not a JSON Schema that can be used')],
    ['slot without a place', `${base}feeds: { f: { url: "http://h/a" } }\nroutes: [ { match: /a, slots: [ { name: s, feed: f } ] } ]`, 'line 3:33: routes[0].slots[0]: has no place; name a select for HTML or a pointer for JSON'],
    ['slot of an unknown feed', `${base}feeds: { prices: { url: "http://h/a" } }\nroutes: [ { match: /a, slots: [ { name: s, feed: price, pointer: "" } ] } ]`, 'line 3:50: routes[0].slots[0].feed: price is not a declared feed; did you mean prices?'],
    ['slot with a selector browsers know alone', `${base}feeds: { f: { url: "http://h/a" } }\nroutes: [ { match: /a, slots: [ { name: s, feed: f, select: "a:has(b)" } ] } ]`, expect.stringContaining('a:has(b) is not a selector that can be used')],
    ['slot of an unknown part', `${base}feeds: { f: { url: "http://h/a" } }\nroutes: [ { match: /a/:id, slots: [ { name: s, feed: f, pointer: "", value: "/{id}/{x}" } ] } ]`, 'line 3:77: routes[0].slots[0].value: {x} is neither a part of /a/:id nor a dimension; leave it out'],
    ['template that is not there', `${base}feeds: { f: { url: "http://h/a" } }\nroutes: [ { match: /a, slots: [ { name: s, feed: f, pointer: "", templateFile: gone.liquid } ] } ]`, expect.stringContaining('routes[0].slots[0].templateFile: can\'t be read')],
  ];
  test.each(cases.map(([what, text, ...expected]) => ({ what, text, expected })))('$what', ({ text, expected }) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('all are told at once, in the order of the file, cross checks among them', () => {
    const lines = problemsOf(`origin: { url: "http://h", prob: {} }
regions:
  - { name: 9x, listen: "h:1" }
  - { name: a, listen: "h:2" }
  - { name: a, listen: "h:2" }
dimensions:
  bad: { from: nowhere, values: [x] }
routes:
  - { match: nope }
  - { match: /a, vary: [bad, worse], shadow: sometimes }
  - { match: /a }
feeds: { f: { url: 5 } }
`);
    expect(lines.map((line) => /: ([^:]+): /.exec(line.slice(4))?.[1])).toEqual([
      'origin.prob', 'regions[0].name', 'regions[2].name', 'regions[2].listen', 'dimensions.bad.from', 'routes[0].match', 'routes[1].vary[1]', 'routes[1].shadow', 'routes[2].match', 'feeds.f.url',
    ]);
  });

  /** One more than each maximum allows. */
  const tooMuch: Readonly<Record<keyof typeof maxima, string>> = {
    configBytes: `# ${'x'.repeat(maxima.configBytes)}`,
    hosts: `hosts: ${list(maxima.hosts, (index) => `h${index}`)}`,
    regions: `regions: ${list(maxima.regions, (index) => `{ name: r${index}, listen: "h:${index + 1}" }`)}`,
    trustedProxies: `trustedProxies: ${list(maxima.trustedProxies, () => '10.0.0.0/8')}`,
    dimensions: `dimensions: { ${entries(maxima.dimensions, (index) => `d${index}: { from: { cookie: c }, values: [a] }`)} }`,
    dimensionValues: `dimensions: { d: { from: { cookie: c }, values: ${list(maxima.dimensionValues, (index) => `v${index}`)} } }`,
    routes: `routes: ${list(maxima.routes, (index) => `{ match: /r${index} }`)}`,
    routeVariations: `dimensions: { ${['a', 'b', 'c'].map((name) => `${name}: { from: { cookie: ${name} }, values: ${list(16, (index) => `v${index}`)} }`).join(', ')} }\nroutes: [ { match: /, vary: [a, b, c] } ]`,
    routeQueryParameters: `routes: [ { match: /, keepQuery: ${list(maxima.routeQueryParameters, (index) => `q${index}`)} } ]`,
    routeSlots: `feeds: { f: { file: f.json } }\nroutes: [ { match: /, slots: ${list(maxima.routeSlots, (index) => `{ name: s${index}, feed: f, pointer: "/a" }`)} } ]`,
    routeTokens: `routes: [ { match: /, tokens: ${list(maxima.routeTokens, (index) => `{ select: "#t${index}", cookie: c }`)} } ]`,
    slotVariations: `feeds: { f: { file: f.json } }\nroutes: [ { match: /, slots: [ { name: s, feed: f, pointer: "", variations: ${maxima.slotVariations + 1} } ] } ]`,
    slotPoints: `dimensions: { ${['a', 'b', 'c'].map((name) => `${name}: { from: { cookie: ${name} }, values: ${list(22, (index) => `v${index}`)} }`).join(', ')} }\nfeeds: { f: { file: f.json } }\nroutes: [ { match: /, slots: [ { name: s, feed: f, pointer: "", value: "/{a}/{b}/{c}" } ] } ]`,
    templateCharacters: `feeds: { f: { file: f.json } }\nroutes: [ { match: /, slots: [ { name: s, feed: f, pointer: "", template: ${'x'.repeat(maxima.templateCharacters + 1)} } ] } ]`,
    feeds: `feeds: { ${entries(maxima.feeds, (index) => `f${index}: { file: f.json }`)} }`,
    feedInstances: `dimensions: { ${['a', 'b'].map((name) => `${name}: { from: { cookie: ${name} }, values: ${list(16, (index) => `v${index}`)} }`).join(', ')} }\nfeeds: { f: { url: "http://h/{a}/{b}" } }`,
    dropQuery: `dropQuery: ${list(maxima.dropQuery, (index) => `q${index}`)}`,
    holidays: `prediction: { holidays: ${list(maxima.holidays, (index) => `{ name: h${index}, dates: [2026-01-01] }`)} }`,
    holidayDates: `prediction: { holidays: [ { name: h, dates: ${list(maxima.holidayDates, () => '2026-01-01')} } ] }`,
    volumes: `store: { volumes: { paths: ${list(maxima.volumes, (index) => `v${index}`)} } }`,
    tokens: `admin: { tokens: ${list(maxima.tokens, (index) => `{ name: t${index}, role: viewer, sha256: ${'a'.repeat(64)} }`)} }`,
  };
  test.each(Object.entries(tooMuch))('more than the maximum is refused: %s', (_name, text) => {
    const problems = problemsOf(base + text);
    expect(problems).toEqual([expect.stringMatching(/more than|larger than|from 1 to/)]);
  });

  test('an unreadable file is a problem', () => {
    const result = loadConfig({ file: 'gone.yaml', env: {}, readFile });
    expect(result.ok ? [] : result.problems.map((problem) => problem.reason)).toEqual(['can\'t be read: no such file']);
  });

  test('whatever the text, loading answers and never throws', () => {
    const keys = fc.constantFrom('origin', 'url', 'regions', 'routes', 'vary', 'dimensions', 'from', 'values', 'limits', 'bus', 'store', '__proto__', 'x');
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, fc.constantFrom(null, 1, true, '', 'a', '/a', '10m', '5%', '${env:A}', 'http://h'), fc.array(tie('tree'), { maxLength: 3 }), fc.dictionary(keys, tie('tree'), { maxKeys: 4 })),
    }));
    fc.assert(fc.property(tree, (data) => {
      const result = load(JSON.stringify(data));
      expect(result.ok || result.problems.length > 0).toBe(true);
    }), { seed: 1, numRuns: 300 });
    fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => {
      expect(typeof load(text).ok).toBe('boolean');
    }), { seed: 1, numRuns: 300 });
  });

  test('an alias bomb and an oversized file are refused', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`).join('\n')}\n`;
    expect(problemsOf(bomb)[0]).toContain('is not valid YAML');
    expect(problemsOf(`${base}#${'x'.repeat(1_100_000)}`)[0]).toContain('is larger than');
  });
});

describe('print', () => {
  const full = `${base}
site: shop
hosts: [Shop.example:443]
regions:
  - { name: eu, at: [53.35, -6.26], listen: "127.0.0.1:0", publicUrl: "https://eu.shop.example/", tls: { cert: cert.pem, key: key.pem, http3: true } }
trustedProxies: [10.0.0.0/8, "::1"]
clientRegion: { header: CF-IPCountry, geoip: true }
dimensions: { audience: { from: { cookie: seg }, values: [a, b], default: b, exact: false }, device: { from: userAgent, values: [mobile, tablet] } }
routes: [ { match: "/p/:id", vary: [audience], keepQuery: [page], shadow: always, cache: off } ]
origin:
`.replace(/origin:\n$/, '') + 'budgets: { originRequests: 30/min, originShare: 12.5% }\nrouting: { rescueAfter: 70ms }\nlog: { access: access.log }\n';

  test('what is printed loads to the same configuration', () => {
    const config = configOf(full);
    expect(configOf(printConfig(config), { file: undefined })).toEqual(config);
  });

  test('secrets are masked', () => {
    const secret = 'b'.repeat(64);
    const printed = printConfig(configOf(`${base}admin: { tokens: [ { name: ops, role: viewer, sha256: ${secret} } ] }
dimensions: { k: { from: { header: X-Plan }, values: [a], obtain: { a: { Authorization: hunter2 } } } }`));
    expect(printed).not.toContain(secret);
    expect(printed).not.toContain('hunter2');
    expect(printed).toContain('name: ops');
  });
});

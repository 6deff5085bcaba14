/**
 * What stands where: the origin, the regions with their listeners, who is believed about client addresses, and the admin
 * listener. Defaults here are for one machine without a configuration file.
 */
import { z } from 'zod';
import { trackingParameters } from '../http/index.ts';
import { maxima } from './maxima.ts';
import { duration, flag, listenAddress, percent, siteUrl, text } from './quantities.ts';

const filePath = (what: string) => text(/^[^\0]+$/, `expected the path of ${what}; relative paths start at the configuration file`);
const urlPath = text(/^\/[^\s?#]*(?:\?[^\s#]*)?$/, 'expected a path; write it like /healthz').meta({ unit: 'path' });

export const siteName = text(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  'expected a name of letters, digits, dots, dashes and underscores, at most 64; write it like shop',
).optional().meta({
  description: 'Name of the site, in its folders, status and metrics. All its edges have the same one. Without it: the host and port of the origin.',
});

export const originSchema = z.strictObject({
  url: siteUrl('http://127.0.0.1:3000').optional().meta({
    unit: 'URL',
    description: 'The site\'s own server: scheme, host and port, without a path. Required, unless `--origin` gives it.',
  }),
  urls: z.array(siteUrl('http://127.0.0.1:3000')).min(1, { error: 'is empty; name at least one origin' }).max(64).optional().meta({
    unit: 'URLs',
    description: 'Several servers of the same site. One may be given here or as `url`; more than one is not available yet.',
  }),
  host: z.enum(['origin', 'preserve']).prefault('origin').meta({
    description: 'What the origin is sent as `Host`: its own name (`origin`), or the one the visitor asked for (`preserve`).',
  }),
  probe: z.strictObject({
    path: urlPath.prefault('/').meta({ description: 'What probes ask for. Any status below 500 says that the origin lives, so the path need not exist.' }),
    interval: duration({ min: 100, max: 3_600_000 }).prefault('2s').meta({ description: 'Time between the starts of two probes.' }),
    timeout: duration({ min: 10, max: 60_000 }).prefault('1s').meta({ description: 'A probe without a whole answer after this time has failed.' }),
  }).prefault({}).meta({ description: 'How the origin is asked whether it is well.' }),
  metrics: z.strictObject({
    url: text(/^https?:\/\//, 'expected a URL; write it like http://127.0.0.1:9100/metrics').meta({ unit: 'URL', description: 'Where the origin\'s metrics are, as Prometheus text.' }),
    cpu: text(/^[A-Za-z_:][A-Za-z0-9_:]*$/, 'expected the name of a metric; write it like node_cpu_seconds_total').optional().meta({ description: 'The metric of its CPU time.' }),
  }).optional().meta({ description: 'Metrics of the origin that help to see a failure coming.' }),
  limits: z.strictObject({
    latencyP95: duration({ min: 1, max: 600_000 }).optional().meta({
      description: 'Answers slower than this count as slow, and too many of them as strain; routes that are always slower are judged by their own. Without it: four times a route\'s usual 95th percentile, and at least 100 ms more.',
    }),
    errorRate: percent({ min: 0.001 }).prefault('5%').meta({ description: 'The origin counts as strained while more than this part of its answers are failures.' }),
    cpu: percent({ min: 0.01 }).optional().meta({ description: 'The origin counts as strained while it uses more than this part of its CPUs.' }),
  }).prefault({}).meta({ description: 'Beyond these the origin is not healthy.' }),
}).prefault({}).meta({ description: 'The site\'s own server, and how its health is judged.' });

const regionSchema = z.strictObject({
  name: text(
    /^[A-Za-z][A-Za-z0-9_.-]{0,31}$/,
    'expected a name that starts with a letter, of letters, digits, dots, dashes and underscores, at most 32; write it like eu-west',
  ).meta({ description: 'Name of the region, in headers, metrics and forecasts.' }),
  at: z.tuple([z.number().min(-90).max(90), z.number().min(-180).max(180)], { error: 'expected latitude and longitude; write it like [53.35, -6.26]' }).optional().meta({
    unit: 'degrees',
    description: 'Latitude and longitude, for finding the nearest shadow.',
  }),
  listen: listenAddress().meta({ unit: 'host:port', description: 'Where the region\'s edge accepts visitors. Port 0 lets the system choose one.' }),
  publicUrl: siteUrl('https://eu.shop.example').optional().meta({ unit: 'URL', description: 'What visitors and other regions reach this edge by.' }),
  tls: z.strictObject({
    cert: filePath('a PEM file').meta({ unit: 'file', description: 'Certificate chain, PEM. The file is read again on SIGHUP.' }),
    key: filePath('a PEM file').meta({ unit: 'file', description: 'Private key, PEM. The file is read again on SIGHUP.' }),
    http2: flag().prefault(true).meta({ description: 'Whether HTTP/2 is offered.' }),
    http3: flag().prefault(false).meta({ description: 'Whether HTTP/3 (QUIC, the same port over UDP) is offered.' }),
  }).optional().meta({ description: 'Makes the listener speak TLS.' }),
});

export const regionsSchema = z.array(regionSchema).min(1, { error: 'is empty; name at least one region, or leave the key out' })
  .max(maxima.regions, { error: `names more than ${maxima.regions} regions` })
  .prefault([{ name: 'local', listen: '127.0.0.1:8080' }])
  .meta({ description: 'The places Foreshadow answers in; each has its own listener.' });

const tokenName = text(/^[^\s"]{1,64}$/, 'expected a name without spaces, at most 64 characters');
export const clientRegionSchema = z.strictObject({
  header: text(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected the name of a header; write it like CF-IPCountry').optional().meta({
    unit: 'header', description: 'Header with the visitor\'s country or region, believed from `trustedProxies` alone.',
  }),
  geoip: flag().prefault(false).meta({ description: 'Whether the visitor\'s country is looked up by address in the database that comes with Foreshadow.' }),
}).prefault({}).meta({ description: 'How the region of a visitor is found; in this order, else it is the edge\'s own.' });

export const trustedProxiesSchema = z.array(text(/^[0-9A-Fa-f:.]+(?:\/\d{1,3})?$/, 'expected an address range; write it like 10.0.0.0/8 or 2001:db8::/32'))
  .max(maxima.trustedProxies, { error: `names more than ${maxima.trustedProxies} ranges` }).prefault([]).meta({
    unit: 'CIDR ranges', description: 'Who is believed about the visitor\'s address, scheme, host and region (`X-Forwarded-*`, `Forwarded`, `clientRegion.header`).',
  });

export const hostsSchema = z.array(text(/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/, 'expected a host name; write it like shop.example'))
  .max(maxima.hosts, { error: `names more than ${maxima.hosts} hosts` }).prefault([]).meta({
    unit: 'host names', description: 'Hosts the site answers to; others are refused with 421. Empty: any, all the same site.',
  });

export const adminSchema = z.strictObject({
  listen: listenAddress().prefault('127.0.0.1:8090').meta({ unit: 'host:port', description: 'Where the API, the metrics and the dashboard are. Without tokens on loopback only.' }),
  tokens: z.array(z.strictObject({
    name: tokenName.meta({ description: 'Whose token it is, for the log.' }),
    role: z.enum(['viewer', 'operator']).meta({ description: 'A `viewer` reads; an `operator` also changes.' }),
    sha256: text(/^[0-9a-fA-F]{64}$/, 'expected 64 hexadecimal digits; make them with: printf %s TOKEN | sha256sum').meta({ description: 'SHA-256 of the token, hexadecimal.' }),
  })).max(maxima.tokens, { error: `names more than ${maxima.tokens} tokens` }).prefault([]).meta({ description: 'Who may use the API. Empty: anybody who can reach the listener, which then has to be on loopback.' }),
}).prefault({}).meta({ description: 'The admin listener.' });

export const dropQuerySchema = z.array(text(/^[^\s=&?*]{1,128}\*?$/, 'expected the name of a query parameter; write it like gclid or utm_*'))
  .max(maxima.dropQuery, { error: `names more than ${maxima.dropQuery} parameters` })
  .prefault([...trackingParameters])
  .meta({ unit: 'parameter names', description: 'Query parameters that never make a difference (tracking) and are left out of every key; a `*` at the end matches any ending. The origin still receives them.' });


/**
 * How Foreshadow works: what it may cost the origin, how fresh shadows should be, how traffic moves, where things are kept,
 * and every limit and time-out. Numbers have named maxima so that a slip of the pen can't take the machine down.
 */
import { z } from 'zod';
import { maxima } from './maxima.ts';
import { count, duration, flag, percent, rate, size, text } from './quantities.ts';

const kib = 1024;
const mib = 1024 ** 2;
const gib = 1024 ** 3;
const dayMs = 86_400_000;
const folder = text(/^[^\0]+$/, 'expected the path of a folder; relative paths start at the configuration file');

export const budgetsSchema = z.strictObject({
  originRequests: rate({ min: 1 / 3600, max: 10_000 }).prefault('20/s').meta({ description: 'The most fetches Foreshadow itself makes at the origin.' }),
  originShare: percent({ min: 0.001 }).prefault('5%').meta({
    description: 'Of all requests the origin gets, the part that refreshes may be. First copies are bounded by `originRequests` alone; `100%` is no bound.',
  }),
  storage: size({ min: mib, max: 1024 ** 5 }).prefault('2GiB').meta({ description: 'The most bytes of bodies that are kept, one copy of each counted.' }),
  generateConcurrency: count(1, 256).prefault(8).meta({ description: 'The most fetches at the origin at the same time.' }),
}).prefault({}).meta({ description: 'What preparing shadows may cost.' });

export const freshnessSchema = z.strictObject({
  target: duration({ min: 1000, max: 365 * dayMs }).prefault('10m').meta({ description: 'Shadows of what will be asked for should not be older than this.' }),
  serveStaleFor: duration({ min: 1000, max: 3650 * dayMs }).prefault('24h').meta({ description: 'Shadows older than this are not served, even in an outage.' }),
}).prefault({}).meta({ description: 'How old shadows may be.' });

export const routingSchema = z.strictObject({
  mode: z.enum(['serve', 'redirect']).prefault('serve').meta({ description: 'Shadows are served by the edge that was asked (`serve`), or visitors are sent to the closest region that has one (`redirect`).' }),
  onset: z.enum(['auto']).prefault('auto').meta({ description: 'When traffic moves to shadows: `auto` follows the health of the origin.' }),
  recovery: z.strictObject({
    firstStep: percent({ min: 0.001 }).prefault('1%').meta({ description: 'The share of visitors that goes back first once the origin answers again.' }),
    fastest: duration({ min: 0, max: dayMs }).prefault('60s').meta({ description: 'The least time from the first step until everybody is back.' }),
  }).prefault({}).meta({ description: 'How traffic goes back to the origin.' }),
  rescueAfter: z.union([z.enum(['auto']), duration({ min: 1, max: 60_000 })], { error: 'expected auto or a duration; write it like auto or 150ms' }).prefault('auto').meta({
    unit: 'duration',
    description: 'How long a visitor waits for the origin before a shadow answers. `auto` learns it for each route and is at most 200 ms once that is known.',
  }),
}).prefault({}).meta({ description: 'How traffic moves to shadows and back.' });

export const predictionSchema = z.strictObject({
  holidays: z.array(z.strictObject({
    name: text(/^[^\0]{1,100}$/, 'expected a name of up to 100 characters; days of one name are expected to be alike').meta({ description: 'What the days have in common; days of one name are expected to be alike.' }),
    dates: z.array(text(/^\d{4}-\d{2}-\d{2}$/, 'expected a date; write it like 2026-12-25').refine(isDay, { error: 'is no day of the calendar' }))
      .min(1, { error: 'is empty; name at least one day' }).max(maxima.holidayDates, { error: `names more than ${maxima.holidayDates} days` })
      .meta({ unit: 'dates', description: 'Past days, from which the effect is learned, and days to come. In UTC.' }),
  })).max(maxima.holidays, { error: `has more than ${maxima.holidays} entries` }).prefault([]).meta({
    description: 'Days on which demand is unlike other days: holidays, sales. What they do is learned from the last such day in the 15 days that series are kept.',
  }),
}).prefault({}).meta({ description: 'What the forecast is told beside the demand itself.' });

/** Whether the calendar has the day, which the shape alone does not tell. */
function isDay(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`);
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(date);
}

export const storeSchema = z.strictObject({
  volumes: z.strictObject({
    paths: z.array(folder).min(1, { error: 'is empty; name at least one folder' }).max(maxima.volumes, { error: `names more than ${maxima.volumes} folders` }).optional().meta({
      unit: 'folders', description: 'Folders that bodies are kept in, best on different disks. Without it: two in `dataDir`.',
    }),
    copies: count(1, maxima.volumes).optional().meta({ description: 'On how many of them each body is kept. Without it: 2, or 1 where there is one folder.' }),
    data: count(1, 32).optional().meta({ description: 'Data shards of erasure-coded bodies.' }),
    parity: count(1, 16).optional().meta({ description: 'Parity shards of erasure-coded bodies.' }),
    replicateBelow: size({ max: gib }).optional().meta({ description: 'Smaller bodies are replicated, not erasure-coded.' }),
  }).prefault({}).meta({ description: 'Bodies on local disks.' }),
  s3: z.strictObject({
    endpoint: z.string().meta({ unit: 'URL', description: 'Address of the object store.' }),
    bucket: z.string().meta({ description: 'Name of the bucket.' }),
    region: z.string().optional().meta({ description: 'Region of the bucket.' }),
    accessKeyId: z.string().meta({ description: 'Access key; best from the environment.' }),
    secretAccessKey: z.string().meta({ description: 'Secret key; best from the environment.' }),
  }).optional().meta({ description: 'Bodies in an object store that speaks S3.' }),
}).prefault({}).meta({ description: 'Where bodies are kept for good.' });

export const busSchema = z.union(
  [
    z.enum(['inProcess']),
    z.strictObject({
      nats: z.strictObject({
        servers: z.array(z.string()).min(1).meta({ unit: 'URLs', description: 'Addresses of the NATS servers.' }),
        credentials: z.string().optional().meta({ unit: 'file', description: 'File with credentials.' }),
      }).meta({ description: 'NATS JetStream.' }),
    }),
  ],
  { error: 'expected inProcess or { nats: { servers: [...] } }' },
).prefault('inProcess').meta({ description: 'How edges and brains meet: on one machine (`inProcess`), or over NATS.' });

export const generateSchema = z.strictObject({
  userAgent: text(/^[\x21-\x7e][\x20-\x7e]{0,511}$/, 'expected a User-Agent of printable characters, at most 512').prefault('foreshadow-generate/0.1').meta({
    description: 'User-Agent of Foreshadow\'s own fetches, where no dimension decides it.',
  }),
  discover: flag().prefault(true).meta({ description: 'Whether robots.txt, sitemaps and links of fresh pages lead to pages nobody has asked for.' }),
  codings: z.array(z.enum(['br', 'zstd', 'gzip'])).max(3).prefault(['br', 'gzip']).meta({ unit: 'content codings', description: 'Prepared of every body that they make at least a tenth smaller, best first; `[]` for none.' }),
  fidelity: flag().prefault(true).meta({ description: 'Whether shadows are compared with the live pages, to tell how true they are.' }),
}).prefault({}).meta({ description: 'How shadows are made.' });

export const versionsSchema = z.strictObject({
  keepFor: duration({ min: 60_000, max: 365 * dayMs }).prefault('24h').meta({ description: 'Versions of the catalog that can be gone back to: the last 100, and one for each ten minutes up to this age.' }),
  storage: size({ min: 0, max: 1024 ** 5 }).prefault('512MiB').meta({ description: 'The most bytes of bodies that are kept for old versions alone; beyond, the oldest versions go.' }),
}).prefault({}).meta({ description: 'How far back one can go.' });

const sentence = z.string({ error: 'expected a text' }).max(1000, { error: 'is longer than 1000 characters' });
const wording = (usual: string) => z.union(
  [sentence, z.record(z.string(), sentence).refine((texts) => Object.keys(texts).length > 0, { error: 'is empty; name a text for each language' })],
  { error: 'expected a text, or one for each language; write it like { en: "…", de: "…" }' },
).prefault(usual);

export const degradedSchema = z.strictObject({
  notice: wording('').meta({
    unit: 'text, or a text for each language',
    description: 'A bar at the top of HTML pages that answer in the origin\'s stead, such as `This page is {age} old.`; `{age}` and `{time}` are filled in. A map names a text for each value of the dimension read from Accept-Language, the first for pages without one. Empty: none.',
  }),
  form: wording('This form can not be sent at the moment. Please try again later.').meta({ unit: 'text, or a text for each language', description: 'What forms say that are disabled while the origin can\'t answer.' }),
}).prefault({}).meta({ description: 'What visitors see of an outage.' });

export const timeoutsSchema = z.strictObject({
  connect: duration({ min: 10, max: 300_000 }).prefault('5s').meta({ description: 'For a TCP connection to the origin.' }),
  firstByte: duration({ min: 10, max: 3_600_000 }).prefault('30s').meta({ description: 'From the whole request to the head of the origin\'s answer.' }),
  idle: duration({ min: 1000, max: 3_600_000 }).prefault('60s').meta({ description: 'Without a byte of an answer from the origin. The runtime counts in steps of 4 s, so it may take up to 8 s more.' }),
}).prefault({}).meta({ description: 'Longest waits.' });

export const drainTimeoutSchema = duration({ min: 0, max: 3_600_000 }).prefault('30s').meta({
  description: 'After SIGTERM or SIGINT, how long requests in flight may take to finish.',
});

export const limitsSchema = z.strictObject({
  url: size({ min: 256, max: 16 * kib }).prefault('8KiB').meta({ description: 'Longest request target; beyond: 414.' }),
  headers: size({ min: kib, max: 16 * kib }).prefault('16KiB').meta({ description: 'Largest head of a request; beyond: 431. The runtime takes no more than the default.' }),
  requestBody: z.union([z.enum(['unlimited']), size({ min: 1, max: 1024 ** 5 })], { error: 'expected unlimited or a size; write it like 100MiB' }).prefault('unlimited').meta({
    unit: 'size', description: 'Largest request body; beyond: 413.',
  }),
  connections: count(1, 1_000_000).prefault(10_000).meta({ description: 'Most requests and WebSockets under way at one listener; beyond: 503 at once.' }),
  captureBody: size({ min: kib, max: 64 * mib }).prefault('1MiB').meta({ description: 'Largest body that is read whole, kept as it passes by, and rescued; larger ones stream through.' }),
  generateBody: size({ min: kib, max: gib }).prefault('8MiB').meta({ description: 'Largest body the generator keeps.' }),
  memoryCache: size({ min: mib, max: 1024 * gib }).prefault('32MiB').meta({ description: 'Bodies that an edge holds in memory, over those on disk, and what it makes of them. Above 128MiB, raise BUN_JSC_forceRAMSize in the environment too.' }),
  demandKeys: count(1000, 10_000_000).prefault(200_000).meta({ description: 'Most (resource, variation, region) keys counted in one window; what has no room is counted without its key.' }),
  variants: count(1, 64).prefault(8).meta({ description: 'Most copies of one variation that differ by headers no dimension stands for; the oldest gives way.' }),
}).prefault({}).meta({ description: 'Largest sizes and counts.' });

export const logSchema = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error']).prefault('info').meta({ description: 'The least important lines that are written.' }),
  access: text(/^[^\0]+$/, 'expected off, stdout or a file').prefault('off').meta({ unit: 'off, stdout or a file', description: 'Where one JSON line for each request goes.' }),
}).prefault({}).meta({ description: 'The log, one JSON object a line on standard error.' });

export const dataDirSchema = folder.prefault('./.foreshadow').meta({ unit: 'folder', description: 'Folder of everything Foreshadow keeps on this machine. `--data` goes before it.' });

/**
 * What the site is made of: dimensions on which pages differ, feeds and slots, and routes. First shapes only; whether a
 * route's dimensions are declared and values fit their source is checked in `cross-check.ts`.
 */
import { z } from 'zod';
import { compilePattern } from '../http/index.ts';
import { maxima } from './maxima.ts';
import { count, duration, flag, text } from './quantities.ts';

const fieldName = (what: string) => text(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, `expected the name of a ${what}`);
/** Goes into variation keys (`device=mobile,language=de`) and header values, so nothing that would need quoting. */
const dimensionName = text(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/, 'expected a name that starts with a letter, of letters, digits, dashes and underscores, at most 32');
const dimensionValue = text(
  /^[A-Za-z0-9][A-Za-z0-9._~+-]{0,63}$/,
  'expected a value of letters, digits and . _ ~ + -, at most 64; put quotes round numbers and true or false',
);

const sourceSchema = z.union(
  [
    z.enum(['userAgent', 'acceptLanguage']),
    z.strictObject({ cookie: fieldName('cookie') }),
    z.strictObject({ header: fieldName('header') }),
  ],
  { error: 'expected a source; write userAgent, acceptLanguage, { cookie: NAME } or { header: NAME }' },
);

const dimensionSchema = z.strictObject({
  from: sourceSchema.meta({
    description: 'What the value is read from: `userAgent` (the class of device), `acceptLanguage` (the best of the values for the visitor), `{ cookie: NAME }` or `{ header: NAME }`.',
  }),
  values: z.array(dimensionValue).min(1, { error: 'is empty; name the values that matter' })
    .max(maxima.dimensionValues, { error: `has more than ${maxima.dimensionValues} values; keep those that matter, the others become the default` })
    .optional().meta({ unit: 'values', description: 'The values that make a difference; any other is the default. For `userAgent`: of mobile, tablet and desktop. Required unless `match` is `similarity`.' }),
  default: dimensionValue.optional().meta({ description: 'The value of requests that have none, or another. Without it: `desktop` for `userAgent`, else the first value.' }),
  exact: flag().prefault(true).meta({ description: 'Whether only a copy of exactly this value may be served (true), or another value\'s may stand in while the origin can\'t answer (false).' }),
  match: z.enum(['value', 'similarity']).prefault('value').meta({
    description: '`value`: one of `values`. `similarity`: the source holds a profile, as `books:0.8,garden:0.2`, and a slot with several variations shows each visitor the most similar.',
  }),
  obtain: z.record(z.string(), z.record(fieldName('header'), z.string({ error: 'expected a header value; put quotes round it' }))).prefault({}).meta({
    description: 'For each value, the request headers that obtain it from the origin, where the built-in ones do not: `{ mobile: { User-Agent: ... } }`.',
  }),
});

export const dimensionsSchema = z.record(dimensionName, dimensionSchema).prefault({}).meta({
  description: 'Axes on which pages differ, by name, most important first. A route\'s declared dimensions stand in for the request headers they are read from.',
});

const address = (wanted: string) => text(/^https?:\/\/[^\s]+$/, `expected a URL; write it like ${wanted}`);
const filePath = text(/^[^\0]+$/, 'expected the path of a file; relative paths start at the configuration file');

const feedSchema = z.strictObject({
  url: address('http://127.0.0.1:3001/prices.json').optional().meta({
    unit: 'URL', description: 'Where the feed is polled; `{dimension}` stands for each value of a dimension. One of `url`, `sse` and `file` is needed.',
  }),
  sse: address('http://127.0.0.1:3001/scores').optional().meta({ unit: 'URL', description: 'Where the feed is received as server-sent events; each event\'s data is the whole document.' }),
  file: filePath.optional().meta({ unit: 'file', description: 'A file of JSON that is read again when it changes.' }),
  every: duration({ min: 100, max: 86_400_000 }).optional().meta({ description: 'Time between two polls, or two looks at the file. Without it: 30 s for `url`, 1 s for `file`.' }),
  maxAge: duration({ min: 100, max: 30 * 86_400_000 }).prefault('5m').meta({ description: 'A value that was last heard longer ago than this fills no slot: the slot\'s `fallback` takes its place.' }),
  headers: z.record(fieldName('header'), z.string({ error: 'expected a header value; put quotes round it' })).prefault({}).meta({ description: 'Header fields of requests for the feed, such as Authorization; best from the environment.' }),
  schema: z.record(z.string(), z.unknown()).optional().meta({ unit: 'JSON Schema', description: 'What every document must fit. One that does not is refused, and the last good one stays.' }),
});

export const feedsSchema = z.record(dimensionName, feedSchema).refine((feeds) => Object.keys(feeds).length <= maxima.feeds, { error: `has more than ${maxima.feeds} feeds` }).prefault({}).meta({
  description: 'Live data that fills slots, by name: JSON, polled, pushed or read from a file. It goes on while the origin is down.',
});

const liquid = z.string({ error: 'expected a Liquid template' }).max(maxima.templateCharacters, { error: `has more than ${maxima.templateCharacters} characters` });
const jsonPointer = text(/^(?:\/(?:[^~]|~[01])*)?$/, 'expected a JSON Pointer; it is empty or starts with a slash, like /prices/{id}');

const slotSchema = z.strictObject({
  name: dimensionName.meta({ description: 'Name of the slot, unlike the route\'s other slots and all dimensions.' }),
  select: z.string({ error: 'expected a CSS selector' }).min(1, { error: 'is empty; write it like #price' }).max(512, { error: 'is longer than 512 characters' }).optional().meta({
    unit: 'CSS selector', description: 'The elements whose content the slot is, for HTML. Either `select` or `pointer` is needed.',
  }),
  pointer: jsonPointer.optional().meta({ unit: 'JSON Pointer', description: 'The value that the slot is, for JSON; empty is the whole document.' }),
  feed: z.string({ error: 'expected the name of a feed' }).meta({ description: 'The feed it is filled from.' }),
  value: jsonPointer.prefault('').meta({ unit: 'JSON Pointer', description: 'Where in the feed\'s document the value is; `{name}` stands for a part of the route\'s pattern.' }),
  template: liquid.optional().meta({ unit: 'Liquid', description: 'Makes the content from `value`. Without it (and `templateFile`): the value itself.' }),
  templateFile: filePath.optional().meta({ unit: 'file', description: 'File with the template, at most 64 KiB.' }),
  variations: count(1, maxima.slotVariations).prefault(1).meta({ description: 'Above 1 the value is a list of that many fillings, each with its `profile`; each visitor gets the one most similar to theirs.' }),
  fallback: z.union([z.enum(['origin']), z.strictObject({ template: liquid.meta({ unit: 'Liquid', description: 'Content without a value.' }) })], { error: 'expected origin or { template: ... }' }).prefault('origin').meta({
    description: 'What is shown when the feed is too old: what the origin\'s page had there (`origin`), or the output of a template.',
  }),
});

const pathPattern = text(/^\/[^\s?#]*$/, 'expected a path pattern that starts with /; write it like /products/:id, /account/** or /static/*.css').refine((pattern) => compilePattern(pattern).ok, {
  error: (issue) => {
    const compiled = compilePattern(String(issue.input));
    return compiled.ok ? '' : `${compiled.problem}; write it like /products/:id, /account/** or /static/*.css`;
  },
});

const routeSchema = z.strictObject({
  match: pathPattern.meta({
    unit: 'path pattern', description: '`:name` stands for one segment, `*` for anything within one, `**` at the end for any rest. The first route that matches wins.',
  }),
  vary: z.array(z.string({ error: 'expected the name of a dimension' })).max(maxima.dimensions, { error: `names more than ${maxima.dimensions} dimensions` }).prefault([]).meta({
    unit: 'dimension names', description: 'The dimensions on which these pages differ.',
  }),
  keepQuery: z.array(text(/^[^\s=&?#]{1,128}$/, 'expected the name of a query parameter')).max(maxima.routeQueryParameters, { error: `names more than ${maxima.routeQueryParameters} parameters` }).optional().meta({
    unit: 'parameter names', description: 'The only query parameters that make a difference. Without it: all but those of `dropQuery`.',
  }),
  slots: z.array(slotSchema).max(maxima.routeSlots, { error: `has more than ${maxima.routeSlots} slots` }).prefault([]).meta({ description: 'Dynamic parts of these pages, filled from feeds.' }),
  esi: flag().prefault(false).meta({ description: 'Whether Edge Side Includes (ESI 1.0) in these pages are processed; the origin is told with Surrogate-Capability.' }),
  nonce: z.enum(['keep', 'restamp']).prefault('keep').meta({ description: 'CSP nonces in copies: left as they are (`keep`), or made anew for each answer in header and page (`restamp`).' }),
  forms: z.enum(['keep', 'disable']).prefault('keep').meta({ description: 'Forms with method POST, in pages that answer in the origin\'s stead: left as they are, or disabled.' }),
  tokens: z.array(z.strictObject({
    select: z.string({ error: 'expected a CSS selector' }).min(1).max(512).meta({ unit: 'CSS selector', description: 'Elements that carry the token.' }),
    attribute: fieldName('attribute').prefault('value').meta({ description: 'The attribute whose value it is.' }),
    cookie: fieldName('cookie').meta({ description: 'The visitor\'s cookie that holds the visitor\'s own.' }),
  })).max(maxima.routeTokens, { error: `has more than ${maxima.routeTokens} tokens` }).prefault([]).meta({ description: 'Values of one visitor inside these pages (CSRF tokens): taken from the visitor\'s cookie when a copy answers.' }),
  shadow: z.enum(['never', 'allowed', 'always']).prefault('allowed').meta({
    description: 'Whether shadows are kept: `never`, where the origin\'s headers permit it (`allowed`), or `always`, whatever its headers and the visitor\'s cookies say.',
  }),
  cache: z.enum(['standard', 'off']).prefault('standard').meta({
    description: 'While the origin is well: a shared cache by RFC 9111 (`standard`), or every request goes to the origin (`off`).',
  }),
});

export const routesSchema = z.array(routeSchema).max(maxima.routes, { error: `has more than ${maxima.routes} routes` }).prefault([]).meta({
  description: 'How kinds of pages are treated. A path that no route matches has no dimensions and the defaults.',
});

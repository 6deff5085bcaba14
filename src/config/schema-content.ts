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
    .optional().meta({ unit: 'values', description: 'The values that make a difference; any other is the default. For `userAgent`: of mobile, tablet and desktop. Required unless `match` is given.' }),
  default: dimensionValue.optional().meta({ description: 'The value of requests that have none, or another. Without it: `desktop` for `userAgent`, else the first value.' }),
  exact: flag().prefault(true).meta({ description: 'Whether only a copy of exactly this value may be served (true), or another value\'s may stand in while the origin can\'t answer (false).' }),
  match: z.enum(['similarity']).optional().meta({ description: 'How a value that is a profile is matched with prepared variations.' }),
  obtain: z.record(z.string(), z.record(fieldName('header'), z.string({ error: 'expected a header value; put quotes round it' }))).prefault({}).meta({
    description: 'For each value, the request headers that obtain it from the origin, where the built-in ones do not: `{ mobile: { User-Agent: ... } }`.',
  }),
});

export const dimensionsSchema = z.record(dimensionName, dimensionSchema).prefault({}).meta({
  description: 'Axes on which pages differ, by name, most important first. A route\'s declared dimensions stand in for the request headers they are read from.',
});

const feedSchema = z.strictObject({
  url: z.string().optional().meta({ unit: 'URL', description: 'Where the feed is polled; `{dimension}` stands for each value of a dimension.' }),
  sse: z.string().optional().meta({ unit: 'URL', description: 'Where the feed is received as server-sent events.' }),
  file: z.string().optional().meta({ unit: 'file', description: 'A file that is read when it changes.' }),
  every: duration({ min: 100 }).optional().meta({ description: 'Time between two polls.' }),
  maxAge: duration({ min: 100 }).optional().meta({ description: 'Older values are not used.' }),
});

export const feedsSchema = z.record(dimensionName, feedSchema).prefault({}).meta({ description: 'Live data that fills slots, by name.' });

const slotSchema = z.strictObject({
  name: dimensionName.meta({ description: 'Name of the slot.' }),
  select: z.string().optional().meta({ description: 'CSS selector of the element to fill.' }),
  pointer: z.string().optional().meta({ description: 'JSON pointer of the value to fill.' }),
  feed: z.string().meta({ description: 'The feed it is filled from.' }),
  value: z.string().optional().meta({ description: 'JSON pointer into the feed; `{name}` stands for a part of the route.' }),
  template: z.string().optional().meta({ description: 'Liquid template that makes the content.' }),
  templateFile: z.string().optional().meta({ unit: 'file', description: 'File with the template.' }),
  variations: count(1, 64).optional().meta({ description: 'How many different fillings are prepared.' }),
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
  slots: z.array(slotSchema).optional().meta({ description: 'Dynamic parts of these pages.' }),
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

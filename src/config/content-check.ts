/**
 * What the shapes of feeds, slots and tokens can't say: a source each, names that exist and differ, selectors the page rewriter
 * understands, schemas that are schemas, templates that can be read, and products that stay within bounds.
 */
import { messageOf } from '../kernel/index.ts';
import { z } from 'zod';
import { maxima } from './maxima.ts';
import type { Finding, Path } from './problems.ts';
import { finding, nearest } from './problems.ts';
import type { ParsedConfig } from './schema.ts';
import type { Config, RouteConfig, SlotConfig } from './types.ts';
import { paramsOf, placeholders, templatePath, type ReadText } from './slots.ts';

/**
 * What is wrong with a template, as `reason; hint`. Given by whoever renders templates, which this folder knows nothing of. `names` are parts of the route
 * and dimensions with values.
 */
export type TemplateCheck = (template: string, around: { readonly place: 'html' | 'json'; readonly names: readonly string[]; readonly fallback: boolean }) => string | undefined;

/** `resolved` is the same configuration, with what each slot depends on and templates read from their files. */
export function checkContent(config: ParsedConfig, resolved: Config, folder: string, readFile: ReadText, checkTemplate: TemplateCheck | undefined): Finding[] {
  return [
    ...Object.entries(config.dimensions).flatMap(([name, dimension]) => checkProfile(dimension, ['dimensions', name])),
    ...resolved.routes.flatMap((route, index) => route.slots.flatMap((slot, at) => checkPoints(slot, resolved, ['routes', index, 'slots', at]))),
    ...resolved.routes.flatMap((route, index) => route.slots.flatMap((slot, at) => {
      const file = config.routes[index]?.slots[at]?.template === undefined;
      return checkTemplate ? checkTemplates(slot, namesSeen(route, resolved), ['routes', index, 'slots', at], file ? 'templateFile' : 'template', checkTemplate) : [];
    })),
    ...(['notice', 'form'] as const).flatMap((key) => checkWording(config.degraded[key], config, ['degraded', key])),
    ...Object.entries(config.feeds).flatMap(([name, feed]) => checkFeed(feed, config, ['feeds', name])),
    ...config.routes.flatMap((route, index) => [
      ...route.slots.flatMap((slot, at) => checkSlot(slot, config, route, ['routes', index, 'slots', at], folder, readFile)),
      ...checkSlotNames(route, config, ['routes', index, 'slots']),
      ...route.tokens.flatMap((token, at) => checkSelector(token.select, ['routes', index, 'tokens', at, 'select'])),
    ]),
  ];
}

function checkProfile({ match, from, values }: ParsedConfig['dimensions'][string], path: Path): Finding[] {
  if (match === 'value') return [];
  if (typeof from === 'string') return [finding([...path, 'match'], 'needs a source that can hold a profile; read it from { cookie: NAME } or { header: NAME }')];
  return values === undefined ? [] : [finding([...path, 'values'], 'means nothing beside match: similarity; leave it out', true)];
}

function checkWording(said: string | Readonly<Record<string, string>>, { dimensions }: ParsedConfig, path: Path): Finding[] {
  if (typeof said === 'string') return [];
  const languages = Object.values(dimensions).find(({ from }) => from === 'acceptLanguage')?.values;
  if (!languages) return [finding(path, 'names languages, but no dimension is read from acceptLanguage; write one text, or declare the dimension')];
  return Object.keys(said).filter((name) => !languages.includes(name)).map((name) => finding([...path, name], `is not among the languages; ${suggestion(name, languages, `use ${languages.join(', ')}`)}`, true));
}

function checkPoints(slot: SlotConfig, { dimensions }: Config, path: Path): Finding[] {
  const points = slot.dimensions.reduce((product, name) => product * (dimensions.find((dimension) => dimension.name === name)?.values.length ?? 1), 1);
  return points > maxima.slotPoints ? [finding(path, `makes ${points} fillings for each page, more than ${maxima.slotPoints}; let its feed and template depend on fewer dimensions`)] : [];
}

function namesSeen(route: RouteConfig, { dimensions }: Config): string[] {
  return [...paramsOf(route.match), ...dimensions.filter(({ match }) => match === 'value').map(({ name }) => name)];
}

function checkTemplates(slot: SlotConfig, names: readonly string[], path: Path, key: string, check: TemplateCheck): Finding[] {
  const place = slot.place.kind === 'element' ? 'html' : 'json';
  const own = slot.template === undefined ? undefined : check(slot.template, { place, names, fallback: false });
  const fallback = slot.fallback.kind === 'origin' ? undefined : check(slot.fallback.template, { place, names, fallback: true });
  return [
    ...(own === undefined ? [] : [finding([...path, key], own)]),
    ...(fallback === undefined ? [] : [finding([...path, 'fallback', 'template'], fallback)]),
  ];
}

type Feed = ParsedConfig['feeds'][string];
type Route = ParsedConfig['routes'][number];
type Slot = Route['slots'][number];

function checkFeed(feed: Feed, { dimensions }: ParsedConfig, path: Path): Finding[] {
  const findings: Finding[] = [];
  const sources = (['url', 'sse', 'file'] as const).filter((key) => feed[key] !== undefined);
  if (sources.length === 0) findings.push(finding(path, 'has no source; name a url, an sse or a file'));
  if (sources.length > 1) findings.push(finding([...path, sources[1] ?? ''], `is a second source beside ${sources[0] ?? ''}; keep one`, true));
  if (feed.sse !== undefined && feed.every !== undefined) findings.push(finding([...path, 'every'], 'means nothing for server-sent events; leave it out', true));
  if (feed.every !== undefined && feed.every >= feed.maxAge) findings.push(finding([...path, 'maxAge'], 'is not longer than the time between two polls, so the slots would be empty between them; make it longer'));
  for (const key of ['url', 'sse'] as const) {
    const address = feed[key];
    if (address === undefined) continue;
    if (!URL.canParse(address.replaceAll(/\{[^}]*\}/g, 'x'))) findings.push(finding([...path, key], 'is not a URL; write it whole, like http://127.0.0.1:3001/prices.json'));
    else if (/^[^/]*\/\/[^/?#]*[{@]/.test(address)) findings.push(finding([...path, key], 'has a placeholder or a user name where the host is; name the host itself, and put credentials under headers'));
    let instances = 1;
    for (const name of placeholders(address)) {
      const dimension = dimensions[name];
      instances *= dimension?.values?.length ?? 1;
      if (dimension?.values === undefined) findings.push(finding([...path, key], `{${name}} is not a dimension with values; ${suggestion(name, Object.keys(dimensions), 'declare it under dimensions')}`));
    }
    if (instances > maxima.feedInstances) findings.push(finding([...path, key], `stands for ${instances} addresses, more than ${maxima.feedInstances}; leave out a placeholder`));
  }
  if (feed.schema !== undefined) findings.push(...checkJsonSchema(feed.schema, [...path, 'schema']));
  return findings;
}

function checkSlot(slot: Slot, config: ParsedConfig, route: Route, path: Path, folder: string, readFile: ReadText): Finding[] {
  const findings: Finding[] = [];
  if (slot.select === undefined && slot.pointer === undefined) findings.push(finding(path, 'has no place; name a select for HTML or a pointer for JSON'));
  if (slot.select !== undefined && slot.pointer !== undefined) findings.push(finding([...path, 'pointer'], 'is a second place beside select; keep one', true));
  if (slot.select !== undefined) findings.push(...checkSelector(slot.select, [...path, 'select']));
  const feed = config.feeds[slot.feed];
  if (!feed) findings.push(finding([...path, 'feed'], `${slot.feed} is not a declared feed; ${suggestion(slot.feed, Object.keys(config.feeds), 'declare it under feeds')}`));
  const known = [...paramsOf(route.match), ...Object.keys(config.dimensions).filter((name) => config.dimensions[name]?.values !== undefined)];
  for (const name of placeholders(slot.value)) {
    if (!known.includes(name)) findings.push(finding([...path, 'value'], `{${name}} is neither a part of ${route.match} nor a dimension; ${suggestion(name, known, 'leave it out')}`));
  }
  if (slot.template !== undefined && slot.templateFile !== undefined) findings.push(finding([...path, 'templateFile'], 'is a second template beside template; keep one', true));
  if (slot.templateFile !== undefined) findings.push(...checkTemplateFile(templatePath(slot.templateFile, folder), readFile, [...path, 'templateFile']));
  return findings;
}

function checkSlotNames(route: Route, { dimensions }: ParsedConfig, path: Path): Finding[] {
  const names = route.slots.map(({ name }) => name);
  return names.flatMap((name, index) => {
    if (names.indexOf(name) < index) return [finding([...path, index, 'name'], `${name} is there already; give each slot its own name`)];
    return dimensions[name] ? [finding([...path, index, 'name'], `${name} is also a dimension; give the slot another name`)] : [];
  });
}

/** The page rewriter itself is asked: it knows less than browsers do. */
function checkSelector(select: string, path: Path): Finding[] {
  try {
    new HTMLRewriter().on(select, {});
    return [];
  } catch (thrown) {
    return [finding(path, `${select} is not a selector that can be used: ${messageOf(thrown)}; use element names, #ids, .classes, [attributes], descendants and children`)];
  }
}

function checkJsonSchema(schema: Readonly<Record<string, unknown>>, path: Path): Finding[] {
  try {
    z.fromJSONSchema(schema);
    return [];
  } catch (thrown) {
    return [finding(path, `is not a JSON Schema that can be used: ${messageOf(thrown)}`)];
  }
}

function checkTemplateFile(file: string, readFile: ReadText, path: Path): Finding[] {
  try {
    const { length } = readFile(file);
    return length > maxima.templateCharacters ? [finding(path, `${file} is longer than ${maxima.templateCharacters} characters; move what is fixed into the page`)] : [];
  } catch (thrown) {
    return [finding(path, `can't be read: ${messageOf(thrown)}; name a file this user may read`)];
  }
}

function suggestion(written: string, known: readonly string[], otherwise: string): string {
  const meant = nearest(written, known);
  return meant === undefined ? otherwise : `did you mean ${meant}?`;
}

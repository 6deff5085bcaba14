/**
 * Feeds and slots, resolved: which instances of a feed there are, and what a slot's filling depends on (parts of the route,
 * dimensions), so that whoever makes fillings and whoever serves them name the same ones. Generous: a dimension that the template
 * merely mentions counts, which at worst makes equal fillings twice.
 */
import { isAbsolute, join } from 'node:path';
import type { ParsedConfig } from './schema.ts';
import type { DimensionConfig, FeedConfig, SlotConfig } from './types.ts';

const defaultPollMs = 30_000;
const defaultLookMs = 1000;
/** Filters whose output differs by language; a test of the renderer holds this list to its filters. */
const languageFilters = /\|\s*(?:money|date|number|percent|relative_time|list|plural)\b/;

type ParsedFeed = ParsedConfig['feeds'][string];
type ParsedSlot = ParsedConfig['routes'][number]['slots'][number];

/** Gives a file's text; throws when it can't be read. */
export type ReadText = (path: string) => string;

export function resolveFeed(name: string, feed: ParsedFeed, folder: string): FeedConfig {
  const url = feed.url ?? feed.sse ?? '';
  const source: FeedConfig['source'] = feed.sse !== undefined ? { kind: 'sse', url: feed.sse }
    : feed.file !== undefined ? { kind: 'file', path: fromFolder(folder, feed.file), everyMs: feed.every ?? defaultLookMs }
      : { kind: 'poll', url, everyMs: feed.every ?? defaultPollMs };
  return {
    name, source, dimensions: placeholders(url), maxAgeMs: feed.maxAge,
    headers: Object.fromEntries(Object.entries(feed.headers).map(([header, value]) => [header.toLowerCase(), value])),
    schema: feed.schema,
  };
}

export interface SlotSurroundings {
  /** The route's pattern. */
  readonly match: string;
  readonly dimensions: readonly DimensionConfig[];
  readonly feeds: readonly FeedConfig[];
  readonly folder: string;
  readonly readFile: ReadText;
}

export function resolveSlot(slot: ParsedSlot, around: SlotSurroundings): SlotConfig {
  const template = slot.template ?? (slot.templateFile === undefined ? undefined : readTemplate(slot.templateFile, around));
  const fallback: SlotConfig['fallback'] = slot.fallback === 'origin' ? { kind: 'origin' } : { kind: 'template', template: slot.fallback.template };
  const said = `${template ?? ''}\n${fallback.kind === 'template' ? fallback.template : ''}`;
  const feed = around.feeds.find(({ name }) => name === slot.feed);
  const declared = around.dimensions.filter(({ match }) => match === 'value');
  const wanted = new Set([...feed?.dimensions ?? [], ...placeholders(slot.value)]);
  const dependsOn = declared.filter(({ name, from }) => wanted.has(name) || mentions(said, name) || (from.kind === 'acceptLanguage' && languageFilters.test(said)));
  return {
    name: slot.name,
    place: slot.select === undefined ? { kind: 'json', pointer: slot.pointer ?? '' } : { kind: 'element', select: slot.select },
    feed: slot.feed, value: slot.value, template, variations: slot.variations, fallback,
    params: paramsOf(around.match).filter((name) => placeholders(slot.value).includes(name) || mentions(said, name)),
    dimensions: dependsOn.map(({ name }) => name),
    profile: slot.variations > 1 ? around.dimensions.find(({ match }) => match === 'similarity')?.name : undefined,
  };
}

/** `{name}`s in order, each once. */
export function placeholders(text: string): string[] {
  return [...new Set([...text.matchAll(/\{([A-Za-z_][A-Za-z0-9_-]*)\}/g)].flatMap(([, name]) => name ?? []))];
}

/** The names of a pattern's parts, `:id`. */
export function paramsOf(match: string): string[] {
  return match.split('/').flatMap((segment) => (segment.startsWith(':') ? segment.slice(1) : []));
}

export function templatePath(file: string, folder: string): string {
  return fromFolder(folder, file);
}

/** `item.id` is a field, not the part `id` of the route. */
function mentions(template: string, name: string): boolean {
  return new RegExp(`(?<![\\w.-])${name.replace(/[-]/g, '\\-')}(?![\\w-])`).test(template);
}

function readTemplate(file: string, { folder, readFile }: SlotSurroundings): string {
  try {
    return readFile(fromFolder(folder, file));
  } catch {
    return ''; // told by the check of templates
  }
}

function fromFolder(folder: string, path: string): string {
  return isAbsolute(path) || folder === '' ? path : join(folder, path);
}

/**
 * Reads a sitemap or sitemap index (sitemaps.org 0.9; XML, one URL a line, either may be gzip) into plain entries.
 * Never throws and never trusts: whatever else it is given (a login page, a feed, noise, a gzip bomb) comes back as a
 * reason. Bounded in bytes and entries; what lies beyond is cut off and said so.
 */
import { gunzipSync } from 'node:zlib';
import { Parser } from 'htmlparser2';

/** The protocol's own limits for one sitemap. */
export const sitemapBytesMax = 50 * 1024 * 1024;
export const sitemapUrlsMax = 50_000;

export interface SitemapEntry {
  readonly url: string;
  /** `lastmod`, or a news sitemap's `publication_date`, where it can be read as a date. */
  readonly changedMs: number | undefined;
  /** `priority`, 0 to 1; 0.5 where absent, as the protocol has it. */
  readonly priority: number;
}

export type SitemapProblem = 'empty' | 'bad-gzip' | 'too-large' | 'not-a-sitemap';

export type Sitemap =
  | { readonly kind: 'urls'; readonly entries: readonly SitemapEntry[]; readonly cut: boolean }
  | { readonly kind: 'index'; readonly sitemaps: readonly string[]; readonly cut: boolean }
  | { readonly kind: 'problem'; readonly problem: SitemapProblem };

export function readSitemap(bytes: Uint8Array, bytesMax = sitemapBytesMax, urlsMax = sitemapUrlsMax): Sitemap {
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? inflate(bytes, bytesMax) : bytes;
  if (typeof plain === 'string') return { kind: 'problem', problem: plain };
  if (plain.length > bytesMax) return { kind: 'problem', problem: 'too-large' };
  const start = new TextDecoder().decode(plain.subarray(0, 256)).trimStart();
  if (start === '') return { kind: 'problem', problem: 'empty' };
  if (/^https?:\/\/\S+/i.test(start)) return readLines(plain, urlsMax);
  return start.startsWith('<') ? readXml(plain, urlsMax) : { kind: 'problem', problem: 'not-a-sitemap' };
}

function inflate(bytes: Uint8Array, bytesMax: number): Uint8Array | SitemapProblem {
  try {
    return gunzipSync(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    return error instanceof RangeError ? 'too-large' : 'bad-gzip';
  }
}

function readLines(plain: Uint8Array, urlsMax: number): Sitemap {
  const entries: SitemapEntry[] = [];
  for (const line of new TextDecoder().decode(plain).split('\n')) {
    const url = line.trim();
    if (!/^https?:\/\//i.test(url)) continue;
    if (entries.length >= urlsMax) return { kind: 'urls', entries, cut: true };
    entries.push({ url, changedMs: undefined, priority: 0.5 });
  }
  return { kind: 'urls', entries, cut: false };
}

/** Name without its namespace prefix: `sm:urlset` is `urlset`. */
const local = (name: string): string => name.slice(name.lastIndexOf(':') + 1).toLowerCase();

const sliceBytes = 65_536;

function readXml(plain: Uint8Array, urlsMax: number): Sitemap {
  const entries: SitemapEntry[] = [];
  const sitemaps: string[] = [];
  const path: string[] = [];
  let fields: Record<string, string> = {};
  let full = false;
  const add = (): void => {
    const url = fields['loc']?.trim();
    if (!url) return;
    if (entries.length + sitemaps.length >= urlsMax) full = true;
    else if (path[0] === 'sitemapindex') sitemaps.push(url);
    else entries.push({ url, changedMs: dateOf(fields['lastmod']) ?? dateOf(fields['publication_date']), priority: priorityOf(fields['priority']) });
  };
  const parser = new Parser({
    onopentagname(name) {
      path.push(local(name));
      if (path.length === 2) fields = {};
    },
    ontext(text) {
      const field = path[2] === 'news' && path[3] === 'publication_date' ? path[3] : path[2];
      if ((path.length === 3 || field === path[3]) && field !== undefined) fields[field] = (fields[field] ?? '') + text;
    },
    onclosetag() {
      if (path.length === 2 && (path[1] === 'url' || path[1] === 'sitemap')) add();
      path.pop();
    },
  }, { xmlMode: true, decodeEntities: true });
  const decoder = new TextDecoder();
  let root: string | undefined;
  for (let at = 0; at < plain.length && !full; at += sliceBytes) {
    parser.write(decoder.decode(plain.subarray(at, at + sliceBytes), { stream: true }));
    root ??= path[0] ?? (entries.length > 0 ? 'urlset' : undefined);
    if (root !== undefined && root !== 'urlset' && root !== 'sitemapindex') break;
  }
  if (sitemaps.length > 0) return { kind: 'index', sitemaps, cut: full };
  if (entries.length > 0 || isEmptySitemap(plain)) return { kind: 'urls', entries, cut: full };
  return { kind: 'problem', problem: 'not-a-sitemap' };
}

/** A sitemap that lists nothing is a sitemap. */
function isEmptySitemap(plain: Uint8Array): boolean {
  return /<(?:\w+:)?(?:urlset|sitemapindex)[\s/>]/i.test(new TextDecoder().decode(plain.subarray(0, 4096)));
}

function dateOf(text: string | undefined): number | undefined {
  const ms = Date.parse(text?.trim() ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

function priorityOf(text: string | undefined): number {
  const value = Number.parseFloat(text ?? '');
  return value >= 0 && value <= 1 ? value : 0.5;
}

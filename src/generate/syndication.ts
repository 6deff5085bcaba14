/**
 * Reads a syndication feed (RSS 0.9x, 1.0 and 2.0, Atom) into plain entries: which pages are new, and since when. Never throws and never trusts: anything
 * else is a reason. Bounded in bytes and entries; what lies beyond is left out: feeds begin with the newest.
 */
import { Parser } from 'htmlparser2';

export const syndicationBytesMax = 4 * 1024 * 1024;
/** Entries read of one feed. */
export const syndicationEntriesMax = 500;

export interface SyndicationEntry {
  readonly url: string;
  /** When it was published, or last changed. */
  readonly changedMs: number | undefined;
}

export type Syndication = { readonly kind: 'entries'; readonly entries: readonly SyndicationEntry[] } | { readonly kind: 'problem'; readonly problem: 'too-large' | 'not-a-feed' };

const dates = ['updated', 'modified', 'pubdate', 'published', 'date', 'issued'] as const;
const fields = new Set<string>(['link', ...dates]);

/** `feedUrl` is the absolute URL it was got from: links may be relative. */
export function readSyndication(bytes: Uint8Array, feedUrl: string): Syndication {
  if (bytes.length > syndicationBytesMax) return { kind: 'problem', problem: 'too-large' };
  const entries: SyndicationEntry[] = [];
  const path: string[] = [];
  let found: Record<string, string> = {};
  let root: string | undefined;
  const isEntry = (name: string | undefined): boolean => name === 'item' || name === 'entry';
  const parser = new Parser({
    onopentag(qualified, attributes) {
      const name = local(qualified);
      root ??= name;
      path.push(name);
      if (isEntry(name)) found = {};
      const rel = attributes['rel'] ?? 'alternate';
      // Atom: the link is an attribute; other relations (comments, enclosures) are not the page.
      if (isEntry(path.at(-2)) && name === 'link' && attributes['href'] && rel === 'alternate') found['link'] ??= attributes['href'];
    },
    ontext(text) {
      const name = path.at(-1) ?? '';
      if (isEntry(path.at(-2)) && fields.has(name)) found[name] = (found[name] ?? '') + text;
    },
    onclosetag() {
      const name = path.pop();
      if (!isEntry(name) || entries.length >= syndicationEntriesMax) return;
      const url = URL.parse(found['link']?.trim() || ' ', feedUrl);
      if (found['link'] && url && /^https?:$/.test(url.protocol)) entries.push({ url: url.href, changedMs: dateOf(found) });
    },
  }, { xmlMode: true, decodeEntities: true });
  parser.end(new TextDecoder().decode(bytes));
  return root === 'rss' || root === 'feed' || root === 'rdf' ? { kind: 'entries', entries } : { kind: 'problem', problem: 'not-a-feed' };
}

/** Name without its namespace prefix. */
function local(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1).toLowerCase();
}

function dateOf(found: Readonly<Record<string, string>>): number | undefined {
  for (const name of dates) {
    const ms = Date.parse(found[name]?.trim() ?? '');
    if (!Number.isNaN(ms)) return ms;
  }
  return undefined;
}

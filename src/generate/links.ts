/**
 * What a page or style sheet refers to: the assets that belong to it (without them its shadow is a ruin), the pages it
 * links to, and where it announces new ones. One streaming pass; URLs come out absolute, fragments cut off, in document order, each once. Bounded.
 * Leaves out what a polite robot leaves out: `nofollow`, other schemes than http and https, links that act.
 */
import { Parser } from 'htmlparser2';
import { includesOf } from '../compose/esi/index.ts';

export interface References {
  readonly assets: readonly string[];
  readonly links: readonly string[];
  /** Syndication feeds (RSS, Atom) that it names. */
  readonly feeds: readonly string[];
}

/** References kept of one document. */
export const assetsMax = 300;
export const linksMax = 500;
export const feedLinksMax = 10;

/** GET links that change something when followed; no site should have them and many do. */
const acts = /\b(?:log-?out|sign-?out|log-?off|delete|remove|unsubscribe|add-?to-?(?:cart|basket)|wp-admin)\b/i;

const syndicationType = /^application\/(?:rss|atom|rdf)\+xml\b/i;
const assetRels = new Set(['stylesheet', 'icon', 'apple-touch-icon', 'manifest', 'preload', 'modulepreload', 'mask-icon']);
const assetAttributes: Readonly<Record<string, readonly string[]>> = {
  script: ['src'], img: ['src'], source: ['src'], video: ['src', 'poster'], audio: ['src'], track: ['src'], embed: ['src'],
  iframe: ['src'], object: ['data'], input: ['src'], image: ['href', 'xlink:href'], use: ['href', 'xlink:href'], body: ['background'],
};

/** `pageUrl` is the absolute URL the document was got from. */
export function referencesOfHtml(html: string, pageUrl: string): References {
  const found = new Collector(pageUrl);
  for (const fragment of includesOf(html)) found.asset(fragment);
  let style = '';
  let inStyle = false;
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === 'base' && attributes['href']) found.rebase(attributes['href']);
      else if (name === 'link') found.linkElement(attributes);
      else if ((name === 'a' || name === 'area') && attributes['href'] && !/\bnofollow\b/i.test(attributes['rel'] ?? '')) found.link(attributes['href']);
      for (const attribute of assetAttributes[name] ?? []) found.asset(attributes[attribute]);
      if (name === 'img' || name === 'source') found.sourceSet(attributes['srcset']);
      if (attributes['style']) found.css(attributes['style']);
      inStyle = name === 'style';
    },
    ontext(text) {
      if (inStyle) style += text;
    },
    onclosetag(name) {
      if (name !== 'style') return;
      found.css(style);
      style = '';
      inStyle = false;
    },
  }, { decodeEntities: true });
  parser.end(html);
  return found.references();
}

/** A style sheet has assets only: images, fonts, imported sheets. */
export function referencesOfCss(css: string, sheetUrl: string): References {
  const found = new Collector(sheetUrl);
  found.css(css);
  return found.references();
}

class Collector {
  #base: string;
  readonly #assets = new Set<string>();
  readonly #links = new Set<string>();
  readonly #feeds = new Set<string>();

  constructor(base: string) {
    this.#base = base;
  }

  references(): References {
    return { assets: [...this.#assets], links: [...this.#links], feeds: [...this.#feeds] };
  }

  rebase(href: string): void {
    this.#base = absolute(href, this.#base) ?? this.#base;
  }

  asset(href: string | undefined): void {
    if (href === undefined || this.#assets.size >= assetsMax) return;
    const url = absolute(href, this.#base);
    if (url !== undefined) this.#assets.add(url);
  }

  link(href: string): void {
    if (this.#links.size >= linksMax) return;
    const url = absolute(href, this.#base);
    if (url !== undefined && !acts.test(url)) this.#links.add(url);
  }

  linkElement(attributes: Readonly<Record<string, string>>): void {
    const rels = (attributes['rel'] ?? '').toLowerCase().split(/\s+/);
    if (rels.some((rel) => assetRels.has(rel))) {
      this.asset(attributes['href']);
      this.sourceSet(attributes['imagesrcset']);
    } else if (attributes['href'] && (rels.includes('next') || rels.includes('prev'))) this.link(attributes['href']);
    else if (attributes['href'] && rels.includes('alternate') && syndicationType.test(attributes['type'] ?? '')) this.#feed(attributes['href']);
  }

  #feed(href: string): void {
    const url = absolute(href, this.#base);
    if (url !== undefined && this.#feeds.size < feedLinksMax) this.#feeds.add(url);
  }

  /** `srcset`: candidates separated by commas that follow white space or a descriptor; a URL itself may hold commas. */
  sourceSet(value: string | undefined): void {
    for (const match of (value ?? '').matchAll(/([^\s,]\S*[^\s,]|[^\s,])(?:\s+[\d.]+[wxh])?\s*(?:,|$)/g)) this.asset(match[1]);
  }

  css(text: string): void {
    const plain = text.replace(/\/\*[\s\S]*?\*\//g, '');
    for (const match of plain.matchAll(/url\(\s*(?:"([^"]*)"|'([^']*)'|([^'")\s]+))\s*\)|@import\s+(?:"([^"]+)"|'([^']+)')/gi)) {
      this.asset(match[1] ?? match[2] ?? match[3] ?? match[4] ?? match[5]);
    }
  }
}

function absolute(href: string, base: string): string | undefined {
  const text = href.trim();
  if (text === '' || text.startsWith('#')) return undefined;
  const url = URL.parse(text, base);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  url.hash = '';
  url.username = '';
  url.password = '';
  return url.href;
}

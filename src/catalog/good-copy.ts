/**
 * Distrust of answers that are good in themselves but doubtful beside the copy they would replace. A sick origin answers
 * 200 with empty, halved or apologetic pages, and 404 in the middle of a deployment; none of those may push out a good copy.
 * Pure. Whether a doubt that keeps coming back is believed is the caller's to decide.
 */
/** A text that kept less than this part of its previous length is taken for emptied. */
const emptiedBelow = 0.2;
/** A page that kept less than this part is taken for shrunken. */
const shrunkenBelow = 0.5;
/** Copies shorter than this are not judged by their length. */
const judgedBytesMin = 512;
/** Error pages are short; longer ones are not looked at (the generator looks further, by what the page said before). */
const errorPageBytesMax = 8192;
/** And have little to say: a page with more words than this is one about errors. */
const errorPageWordsMax = 200;

export interface Offered {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** The copy that would be replaced. */
export interface PreviousCopy {
  readonly status: number;
  readonly contentType: string;
  /** Its length; where more is known of good copies of the page, what is usual. */
  readonly bodyBytes: number;
}

export type Doubt = 'gone-unconfirmed' | 'error-page' | 'emptied' | 'shrunken' | 'type-changed';

/** Data (JSON, XML) may shrink by nature: a list of open matches is short at night. */
export type ContentKind = 'html' | 'text' | 'data' | 'other';

/** What makes this answer doubtful; undefined when nothing does. */
export function doubtOf(offered: Offered, previous: PreviousCopy | undefined): Doubt | undefined {
  const { status, body } = offered;
  if (status >= 400) return previous && previous.status < 400 ? 'gone-unconfirmed' : undefined;
  const kind = contentKind(offered.contentType);
  if (kind === 'html' && looksLikeError(offered)) return 'error-page';
  const redirect = status >= 300;
  if (kind === 'html' && body.length === 0 && !redirect && status !== 204) return 'emptied';
  return previous && doubtBeside(previous, kind, redirect, body.length);
}

function doubtBeside(previous: PreviousCopy, kind: ContentKind, redirect: boolean, bytes: number): Doubt | undefined {
  const before = contentKind(previous.contentType);
  const redirected = redirect && previous.status < 300;
  if (redirected || (before === 'html' && kind !== 'html' && !redirect && previous.status < 300)) return 'type-changed';
  if (redirect) return undefined;
  if (bytes === 0 && previous.bodyBytes > 0) return 'emptied';
  if (previous.bodyBytes < judgedBytesMin || (kind !== 'html' && kind !== 'text')) return undefined;
  if (bytes < previous.bodyBytes * emptiedBelow) return 'emptied';
  return kind === 'html' && bytes < previous.bodyBytes * shrunkenBelow ? 'shrunken' : undefined;
}

export function contentKind(contentType: string): ContentKind {
  const type = contentType.toLowerCase().split(';')[0]?.trim() ?? '';
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  if (type.endsWith('json') || type.endsWith('xml') || type === 'text/csv') return 'data';
  return type.startsWith('text/') || type.endsWith('javascript') ? 'text' : 'other';
}

const errorTitle = /^(?:http\s+)?(?:(?:error\s*)?(?:403|404|429|500|502|503|504)\b|error\b\W*$|an error (?:has )?occurred|internal server error|bad gateway|service (?:temporarily )?unavailable|gateway time-?out|site (?:under )?maintenance|(?:down for|under) maintenance|we(?:'|’)ll be (?:right )?back|application error|database error|something went wrong|access denied|just a moment)/i;

/**
 * A first, simple guess: a short page whose title (or first heading where there is none) begins as error pages do.
 * The page must say so in its title; a page about errors says more and is longer.
 */
function looksLikeError({ status, body }: Offered): boolean {
  if (status >= 300 || body.length > errorPageBytesMax) return false;
  const text = new TextDecoder().decode(body);
  const title = /<title[^>]*>\s*([^<]*)/i.exec(text)?.[1] ?? /<h1[^>]*>\s*([^<]*)/i.exec(text)?.[1] ?? '';
  return errorTitle.test(title.trim()) && wordsSaid(text) <= errorPageWordsMax;
}

const unsaid = new Set(['script', 'style', 'title', 'a', '!--']);

/** Words outside tags, scripts and links, roughly. One pass, because the serving process asks. */
function wordsSaid(html: string): number {
  let words = 0;
  for (const piece of html.split('<')) {
    const name = /^(?:!--|[a-z]*)/i.exec(piece)?.[0].toLowerCase() ?? '';
    if (!unsaid.has(name)) words += piece.slice(piece.indexOf('>') + 1).match(/\S+/g)?.length ?? 0;
  }
  return words;
}

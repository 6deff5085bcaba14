/**
 * How a page's bytes are to be read, as far as that matters for finding places in it and writing into it. Pure.
 */

/**
 * `utf-8`: text may be written as it is. `ascii`: markup is ASCII, other characters are unknown or not UTF-8, so they are written as
 * references. `other`: bytes below 0x80 need not mean ASCII, so nothing can be found.
 */
export type PageCharset = 'utf-8' | 'ascii' | 'other';

/** Browsers look for a declaration in the page this far (HTML §13.2.3.2). */
const declaredWithinBytes = 1024;
/** Encodings of the WHATWG list, and two older ones, in which markup is not ASCII or ASCII bytes are not markup. */
const notAscii = /^(?:utf-?16|utf-?32|unicode|ucs-?2|iso-10646|csunicode|utf-?7|iso-2022-|csiso2022|hz-gb)/;

/** A byte order mark goes before the header field, the field before the page's own word (HTML §13.2.3.2). */
export function charsetOf(contentType: string, body: Uint8Array): PageCharset {
  const [first, second, third] = body;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)) return 'other';
  const declared = /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(contentType)?.[1];
  if (declared !== undefined) return kindOf(declared.toLowerCase());
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, declaredWithinBytes)).toString('latin1');
  const within = /<meta\s[^>]*?charset\s*=\s*["']?\s*([^\s"'/>;]+)/i.exec(head)?.[1]?.toLowerCase();
  // A page that can be read far enough to find the word is not in UTF-16, whatever the word says (HTML §13.2.3.2).
  return within === undefined || notAscii.test(within) ? 'ascii' : kindOf(within);
}

function kindOf(charset: string): PageCharset {
  if (charset === 'utf-8' || charset === 'utf8' || charset === 'unicode-1-1-utf-8') return 'utf-8';
  return notAscii.test(charset) ? 'other' : 'ascii';
}

/** Reads one ESI tag. The page is looked at as Latin-1, one character for a byte, so that places are places in the body whatever its charset. */

export interface Tag {
  /** Without `esi:`. */
  readonly name: string;
  readonly closing: boolean;
  /** `<esi:include … />` */
  readonly empty: boolean;
  readonly attributes: ReadonlyMap<string, string>;
  /** Where it ends. */
  readonly to: number;
}

/** A tag that has not ended by then is text. */
const tagBytesMax = 8_192;

const namePattern = /<(\/?)esi:([A-Za-z][A-Za-z0-9_-]{0,39})/y;
const attributePattern = /\s*([A-Za-z_][A-Za-z0-9_:.-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+?)(?=\s|\/?>)))?/y;
const endPattern = /[^>]*?(\/?)>/y;

/** The tag that begins at `at`. What is no attribute in it is passed over; of a repeated attribute the first counts. */
export function readTag(page: string, at: number): Tag | undefined {
  const text = page.slice(at, at + tagBytesMax);
  namePattern.lastIndex = 0;
  const named = namePattern.exec(text);
  if (!named) return undefined;
  const [whole, slash, name = ''] = named;
  const attributes = new Map<string, string>();
  let from = whole.length;
  for (;;) {
    attributePattern.lastIndex = from;
    const match = attributePattern.exec(text);
    if (!match) break;
    const [all, key = '', double, single, bare] = match;
    const value = double ?? single ?? bare;
    if (value !== undefined && !attributes.has(key)) attributes.set(key, decoded(value));
    from += all.length;
  }
  endPattern.lastIndex = from;
  const end = endPattern.exec(text);
  return end ? { name, closing: slash === '/', empty: end[1] === '/', attributes, to: at + from + end[0].length } : undefined;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'' };

/** UTF-8, with the entities of XML. */
function decoded(latin1: string): string {
  const text = Buffer.from(latin1, 'latin1').toString('utf8');
  if (!text.includes('&')) return text;
  return text.replace(/&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));/g, (written, name: string | undefined, decimal: string | undefined, hexadecimal: string | undefined) => {
    if (name !== undefined) return entities[name] ?? written;
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
    return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : written;
  });
}

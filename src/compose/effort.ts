/**
 * Keeps the page rewriter from being kept busy. Measured on lol-html: each stray end tag is looked for through all open elements (1.2 ns for each);
 * each element is tried against every way in which the open elements match what stands before it in a selector's descendant
 * combinators (5 ns for each; 200,000 nested elements and `div #s` take five minutes). So a page that nests too much for its size is given up. Pure.
 */

/** Product of open elements and end tags beyond which a page is given up: about 120 ms. */
const searchesMax = 100_000_000;
/** Tries of descendant combinators beyond which a page is given up: about 150 ms. */
const triesMax = 30_000_000;
/** No page of this size reaches `searchesMax`: it has three bytes for each start tag, and four for each end tag. */
const harmlessBytes = 64 * 1024;

/** Added last, so that it sees each element after the others, and its end. Throws out of the rewriter when there is too much to do. */
export function limitEffort(rewriter: HTMLRewriter, page: Buffer, selectors: readonly string[]): void {
  const ancestors = selectors.map(ancestorsIn);
  const steps = Math.max(0, ...ancestors.map((each) => each.length));
  if (steps === 0 && page.byteLength <= harmlessBytes) return;
  const depthMax = searchesMax / Math.max(1, endTags(page));
  const open: boolean[] = [];
  let matching = 0;
  let matches = false;
  let tries = 0;
  for (const selector of new Set(ancestors.flat())) rewriter.on(selector, { element: () => { matches = true; } });
  const close = (): void => {
    if (open.pop() === true) matching--;
  };
  rewriter.on('*', { element: (element) => {
    tries += waysToChoose(matching, steps);
    if (tries > triesMax || open.length > depthMax) throw new RangeError('the page nests too much for its size');
    if (element.canHaveContent) {
      open.push(matches);
      if (matches) matching++;
      element.onEndTag(close);
    }
    matches = false;
  } });
}

/** What stands before each descendant combinator: `main`, and `main ul > li`, of `main ul > li .price`. */
export function ancestorsIn(selector: string): readonly string[] {
  const found: string[] = [];
  let start = 0;
  for (const match of selector.matchAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\.|[[(](?:"[^"]*"|'[^']*'|[^\])])*[\])]|\s*[>+~,]\s*|\s+/gs)) {
    const [separator] = match;
    if (separator.trim() === ',') start = match.index + separator.length;
    else if (/^\s+$/.test(separator) && match.index > start && match.index + separator.length < selector.length) found.push(selector.slice(start, match.index).trim());
  }
  return found;
}

function waysToChoose(from: number, count: number): number {
  let ways = 1;
  for (let i = 0; i < Math.min(count, from); i++) ways *= (from - i) / (i + 1);
  return ways;
}

function endTags(page: Buffer): number {
  let count = 0;
  for (let at = page.indexOf('</'); at >= 0; at = page.indexOf('</', at + 2)) count++;
  return count;
}

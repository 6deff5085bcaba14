import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { plainText, textCharactersMax, textLinksMax, visibleText, wordsOf } from './visible-text.ts';

const read = (html: string): readonly (readonly [text: string, kind: string])[] =>
  visibleText(html).blocks.map(({ text, main, heading }) => [text, heading ? 'heading' : main ? 'main' : 'frame']);

test('text is read by blocks, frame apart from main text', () => {
  expect(read(`<!doctype html><title>Shop</title><style>p { color: red }</style><script>var a = "not read"</script>
    <header><h1>Red shoes</h1></header><nav><ul><li><a href="/">Home</a><li><a href="/sale">Sale</a></ul></nav>
    <main><p>Soft &amp; <b>warm</b>, see <a href="/care">care</a> for more.</p><div>Two<br>lines <img alt="of shoes"></div><template>later</template></main>
    <form><label>Size</label><input value="42"></form><!-- no --><footer>© 2026</footer>`)).toEqual([
    ['Red shoes', 'heading'], ['Home', 'frame'], ['Sale', 'frame'], ['Soft & warm, see care for more.', 'main'], ['Two lines of shoes', 'main'], ['Size', 'frame'], ['© 2026', 'frame'],
  ]);
});

test('title, links and counts', () => {
  const { title, links, words, mainWords } = visibleText('<head><title> Red \n shoes </title><body><svg><title>icon</title></svg><a href="/a">one two</a><a href="/a">x</a> three');
  expect({ title, links, words, mainWords }).toEqual({ title: 'Red shoes', links: ['/a'], words: 4, mainWords: 1 });
});

test('words of scripts without spaces are counted by character', () => {
  expect(wordsOf('Grüße, 42 мир!')).toEqual(['grüße', '42', 'мир']);
  expect(wordsOf('日本語')).toHaveLength(3);
});

test('what is read is bounded', () => {
  expect(visibleText('x '.repeat(textCharactersMax)).words).toBeLessThanOrEqual(textCharactersMax);
  expect(plainText('x '.repeat(textCharactersMax)).words).toBe(textCharactersMax / 2);
  expect(visibleText(Array.from({ length: textLinksMax + 9 }, (_, i) => `<a href="/${i}">x</a>`).join('')).links).toHaveLength(textLinksMax);
});

test('anything can be read', () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.constantFrom('<a>', '</a>', '<script>', '</script>', '<title>', '<nav', '</nav>', '<!--', '-->', '</p>', '<h1>', ' ', '&amp'), fc.string())), (parts) => {
    const { words, mainWords, blocks } = visibleText(parts.join(''));
    expect(mainWords).toBeLessThanOrEqual(words);
    expect(blocks.reduce((sum, block) => sum + block.words, 0)).toBe(words);
  }), { seed: 7, numRuns: 300 });
});

import { describe, expect, test } from 'bun:test';
import { textDoubt, type UsualText } from './text-doubt.ts';
import { visibleText, type VisibleText } from './visible-text.ts';

/** The constructed cases the thresholds were chosen on. The frame is longer than 8 KiB, and longer than any error message. */
const menu = Array.from({ length: 120 }, (_, i) => `<li class="menu-item menu-item-${i}"><a href="/category/${i}" data-track="nav-${i}">Category number ${i}</a></li>`).join('');
const semantic = (main: string, title = 'Red shoes - Shop'): VisibleText => visibleText(`<!doctype html><html><head><title>${title}</title><script>${'var x = 1;'.repeat(200)}</script></head>
<body><header><nav><ul>${menu}</ul></nav></header><main>${main}</main><footer>© 2026 The Shop. All prices with VAT. Free delivery above fifty.</footer></body></html>`);
const soup = (main: string, title = 'Red shoes - Shop'): VisibleText => visibleText(`<html><head><title>${title}</title></head><body>
<div class="top"><div class="menu">${menu}</div></div><div class="c">${main}</div><div class="bottom"><div>© 2026 The Shop. All prices with VAT.</div></div></body></html>`);

const sentence = (i: number): string => `These shoes number ${i} are made of soft leather by hand and keep your feet warm for ${i} winters.`;
const article = `<h1>Red shoes</h1>${Array.from({ length: 12 }, (_, i) => `<p>${sentence(i)}</p>`).join('')}`;
const short = '<h1>Red shoes</h1><p>Soft and warm, made by hand.</p><p>Price 49.00</p><p>In stock</p>';
const usualOf = ({ words, mainWords }: VisibleText): UsualText => ({ words, mainWords });

const errorMains: readonly string[] = [
  '<h1>Oops!</h1><p>Something went wrong.</p>',
  '<p>Something went wrong on our end. Please try again later.</p>',
  '<h1>Internal Server Error</h1><p>The server met an unexpected condition.</p>',
  '<h1>500</h1><p>Sorry about that.</p>',
  '<div>An unexpected error has occurred while rendering this page. Reference 0af3-77.</div>',
  '<h2>Service temporarily unavailable</h2><p>Please come back in a few minutes.</p>',
  '<p>Error establishing a database connection</p>',
  '<pre>Traceback (most recent call last): File "app.py", line 7</pre>',
  '<p><b>Fatal error: </b>Uncaught PDOException: SQLSTATE[HY000] [2002] Connection refused in /var/www/db.php</p>',
  '<p>Liquid error (line 12): cannot read the template</p>',
  '<p>We are currently experiencing technical difficulties.</p>',
  '<p>Sorry, we couldn’t load this page.</p>',
  '<h1>Es ist ein Fehler aufgetreten</h1><p>Bitte versuchen Sie es später noch einmal.</p>',
  '<p>Leider ist ein technischer Fehler aufgetreten.</p>',
  '<p>Diese Seite ist derzeit nicht erreichbar.</p>',
  '<p>Une erreur est survenue. Merci de réessayer.</p>',
  '<p>Lo sentimos, ha ocurrido un error.</p>',
  '<p>Ocorreu um erro</p>',
  '<p>システムエラーが発生しました。</p>',
];

describe('an error in the site\'s own frame, title unchanged', () => {
  test.each(errorMains)('%s', (main) => {
    for (const framed of [semantic, soup]) for (const before of [article, short]) {
      expect(textDoubt(framed(main), usualOf(framed(before)), framed(before))).toBe('error-page');
    }
    expect(textDoubt(semantic(main), undefined, undefined)).toBe('error-page');
    expect(textDoubt(semantic(main), usualOf(semantic(article)), undefined)).toBe('error-page');
  });
});

/** Pages that speak of errors, or are short for good reasons. */
const goodMains: Readonly<Record<string, string>> = {
  'an article about an error': `<h1>What "503 Service Unavailable" means</h1>${Array.from({ length: 12 }, (_, i) => `<p>The server says 503 Service Unavailable when it is overloaded, case ${i}. ${sentence(i)}</p>`).join('')}`,
  'an article whose title is the error': `<h1>Internal Server Error</h1>${Array.from({ length: 12 }, (_, i) => `<p>${sentence(i)}</p>`).join('')}`,
  'documentation with a trace': `<h1>Debugging</h1>${Array.from({ length: 12 }, (_, i) => `<p>${sentence(i)}</p>`).join('')}<pre>Traceback (most recent call last): File "app.py"</pre>`,
  'a headline': `<h1>Something went wrong at the central bank, and nobody noticed</h1>${Array.from({ length: 12 }, (_, i) => `<p>${sentence(i)}</p>`).join('')}`,
  'a short page with such a headline': '<h1>Something went wrong at the central bank</h1><p>Read more tomorrow, when the report is out.</p>',
  'an error of spelling': '<h1>Trial and error</h1><p>How we make shoes, in five hundred easy steps. Nothing is wrong with that.</p>',
  'sold out': '<h1>Red shoes</h1><p>This item is currently unavailable.</p><p>Tell me when it is back.</p>',
  'a product by the name': '<h1>Model 503</h1><p>A shoe for those who like numbers. Price 50.00</p>',
  'a price': '<h1>Shoe</h1><p>500</p><p>In stock now and forever</p>',
};

describe('a page is a page', () => {
  test.each(Object.keys(goodMains))('%s', (name) => {
    const main = goodMains[name] ?? '';
    for (const framed of [semantic, soup]) {
      const page = framed(main);
      expect(textDoubt(page, usualOf(page), page)).toBeUndefined();
      expect(textDoubt(page, undefined, undefined)).toBeUndefined();
    }
  });

  test('the article about an error may come in another\'s place', () => {
    for (const name of ['an article about an error', 'an article whose title is the error', 'documentation with a trace']) {
      expect(textDoubt(semantic(goodMains[name] ?? ''), usualOf(semantic(article)), semantic(article))).toBeUndefined();
    }
  });

  test('an error message that was always there (for browsers without scripts, say) is none', () => {
    const withMessage = `${short}<p>Something went wrong.</p>`;
    expect(textDoubt(semantic(withMessage), usualOf(semantic(withMessage)), semantic(withMessage))).toBeUndefined();
  });

  test('one part that failed in a page that is there is no error page', () => {
    expect(textDoubt(semantic(`${article}<p>Sorry, we couldn't load the reviews.</p>`), usualOf(semantic(article)), semantic(article))).toBeUndefined();
    expect(textDoubt(semantic(`${short}<p>Sorry, we couldn't load the reviews.</p>`), usualOf(semantic(short)), semantic(short))).toBeUndefined();
  });
});

test('a page that kept its frame and lost its text is doubted by its words', () => {
  for (const framed of [semantic, soup]) {
    const before = framed(article);
    expect(textDoubt(framed(''), usualOf(before), before)).toBe('emptied');
    expect(textDoubt(framed('<h1>Red shoes</h1>'), usualOf(before), before)).toBe('emptied');
    const third = `<h1>Red shoes</h1>${Array.from({ length: 4 }, (_, i) => `<p>${sentence(i)}</p>`).join('')}`;
    expect(textDoubt(framed(third), usualOf(before), before)).toBe('shrunken');
    const half = `<h1>Red shoes</h1>${Array.from({ length: 6 }, (_, i) => `<p>${sentence(i)}</p>`).join('')}`;
    expect(textDoubt(framed(half), usualOf(before), before)).toBeUndefined();
    expect(textDoubt(framed(''), usualOf(framed(short)), framed(short))).toBeUndefined(); // too little to tell by
  }
});

test('a page of links that lost them is doubted by all its words', () => {
  const list = visibleText(`<ul>${menu}</ul>`);
  expect(textDoubt(visibleText('<ul><li><a href="/">Home</a></li></ul>'), usualOf(list), list)).toBe('emptied');
});

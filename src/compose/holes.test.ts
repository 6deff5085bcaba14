import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { loadConfig } from '../config/index.ts';
import { compileDynamics, type Dynamics } from './dynamics.ts';
import { findHoles, holesMax, seedBytesMax } from './holes.ts';
import { assemble, compileSeed } from './seed.ts';

function dynamicsOf(route: string, global = ''): Dynamics {
  const text = `origin: { url: "http://127.0.0.1:3000" }\nfeeds: { f: { url: "http://127.0.0.1:3001/f.json" } }\n${global}\nroutes:\n  - match: /p/:id\n${route.replaceAll(/^/gm, '    ')}`;
  const loaded = loadConfig({ text, env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ path, reason }) => `${path} ${reason}`).join('\n'));
  const [first] = loaded.config.routes;
  if (!first) throw new Error('no route');
  return compileDynamics(first, loaded.config.feeds, loaded.config.degraded);
}

const slotsOf = (places: readonly string[]): Dynamics => dynamicsOf(`slots:\n${places.map((place, at) => `  - { name: ${'abcdefg'[at] ?? ''}, ${place}, feed: f }`).join('\n')}`);
const bytes = (latin1: string): Uint8Array => new Uint8Array(Buffer.from(latin1, 'latin1'));
const html = 'text/html; charset=utf-8';

/** The page with `[name…]` in its holes, so that tests show both the place and what was there. */
function shown(page: string, dynamics: Dynamics, { contentType = html, headers = [] as [string, string][] } = {}): string {
  const body = bytes(page);
  const { holes } = findHoles({ contentType, headers, body }, dynamics);
  const contents = holes.map((hole) => bytes(`[${hole.kind === 'slot' ? hole.slot : hole.kind}|${Buffer.from(body.subarray(hole.from, hole.to)).toString('latin1')}]`));
  return Buffer.from(assemble(compileSeed(body, holes), contents)).toString('latin1');
}

describe('slots in HTML', () => {
  const s = slotsOf(['select: "#s"']);
  test.each([
    ['<p id=s>x</p>', '<p id=s>[a|x]</p>'],
    ['<p id=s></p>', '<p id=s>[a|]</p>'],
    ['<DIV ID="x" id="y" CLASS=q iD=s><p></DIV>', '<DIV ID="x" id="y" CLASS=q iD=s><p></DIV>'],
    ['<P Id=\'s\'\r\n  data-x="a>b" y=\'"\' >x\r\n<B>y</b></P >z', '<P Id=\'s\'\r\n  data-x="a>b" y=\'"\' >[a|x\r\n<B>y</b>]</P >z'],
    ['<title id=s>a\xff\xfe\x80</title>', '<title id=s>[a|a\xff\xfe\x80]</title>'],
    ['<title>\xff\xfe</title><p id=s>\x80</p>\xff', '<title>\xff\xfe</title><p id=s>[a|\x80]</p>\xff'],
    ['<script id=s>if (a<b) "</p>"</script>', '<script id=s>[a|if (a<b) "</p>"]</script>'],
    ['<style id=s>a>b{}</style>', '<style id=s>[a|a>b{}]</style>'],
    ['<textarea id=s><p></textarea>', '<textarea id=s>[a|<p>]</textarea>'],
    ['<script>"<p id=s>x</p>"</script>', '<script>"<p id=s>x</p>"</script>'],
    ['<!-- <p id=s>x</p> --><p>y</p>', '<!-- <p id=s>x</p> --><p>y</p>'],
    ['<div id=s>a</span>b</div>', '<div id=s>[a|a</span>b]</div>'],
    ['<div id=s><div id=s>x</div>y</div>', '<div id=s>[a|<div id=s>x</div>y]</div>'],
    ['<b id=s>1</b><i id=s>2</i>', '<b id=s>[a|1]</b><i id=s>[a|2]</i>'],
    ['<svg><linearGradient id=s>x</linearGradient></svg>', '<svg><linearGradient id=s>[a|x]</linearGradient></svg>'],
    ['\x02fs00<p id=s>x\x02fs01</p>\x03', '\x02fs00<p id=s>[a|x\x02fs01]</p>\x03'],
    ['\x02fs0<p id=s>\x02fs</p>0<0\x03', '\x02fs0<p id=s>[a|\x02fs]</p>0<0\x03'],
  ])('%j', (page, expected) => {
    expect(shown(page, s)).toBe(expected);
  });

  test.each([
    ['no end tag', '<div id=s>x'],
    ['an end tag cut off', '<div id=s>x</div'],
    ['a start tag cut off', '<div id=s'],
    ['an item closed by the next and its list', '<ul><li id=s>x<li>y</li></ul>'],
    ['a cell closed by its table', '<table><tr><td id=s>x</table>'],
    ['a paragraph closed by its parent', '<div><p id=s>x</div>'],
    ['a paragraph closed by a parent whose name begins like its own', '<pre><p id=s>x</pre>'],
    ['a void element', '<img id=s><input id=s /><br id=s></br>'],
    ['foreign and self-closing', '<svg><path id=s /></svg>'],
    ['plain text to the end', '<plaintext id=s>x</plaintext>'],
    ['nothing at all', ''],
  ])('is none: %s', (_, page) => {
    expect(findHoles({ contentType: html, headers: [], body: bytes(page) }, s)).toEqual({ holes: [], missing: ['a'], utf8: true });
  });

  test('an outer slot swallows inner ones, the first declared of two in one place stays, and what is nowhere is missing', () => {
    const four = slotsOf(['select: ".in"', 'select: ".out"', 'select: "div.out"', 'select: ".nowhere"']);
    const page = '<div class=out><b class=in>1</b></div><b class=in>2</b>';
    expect(shown(page, four)).toBe('<div class=out>[b|<b class=in>1</b>]</div><b class=in>[a|2]</b>');
    expect(findHoles({ contentType: html, headers: [], body: bytes(page) }, four).missing).toEqual(['c', 'd']);
  });

  test('in a page of a mebibyte, at its very end', () => {
    const rows = '<div class="row"><a href=\'/x?y="z"\'>t\xe4xt</a></div>\r\n'.repeat(20_000);
    expect(shown(`${rows}<p id=s>x</p>`, s, { contentType: 'text/html' })).toBe(`${rows}<p id=s>[a|x]</p>`);
  });
});

describe('where a body cannot be read for certain it has no holes', () => {
  const s = slotsOf(['select: "#s"', 'pointer: /a']);
  const page = '<p id=s>x</p>';
  test.each([
    ['UTF-16', 'text/html; charset=UTF-16LE', page],
    ['a UTF-16 mark', html, `\xff\xfe${page}`],
    ['the other UTF-16 mark', html, `\xfe\xff${page}`],
    ['ISO-2022-JP', 'text/html;charset="iso-2022-jp"', page],
    ['coded', html, page],
  ])('%s', (what, contentType, text) => {
    const headers: [string, string][] = what === 'coded' ? [['content-encoding', 'gzip']] : [];
    const found = findHoles({ contentType, headers, body: bytes(text) }, s);
    expect([found.holes, found.missing]).toEqual([[], ['a']]);
  });

  const holesIn = (text: string): number => findHoles({ contentType: html, headers: [], body: bytes(text) }, s).holes.length;
  test('one place more than allowed, and there are no holes', () => {
    expect([holesIn(page.repeat(holesMax)), holesIn(page.repeat(holesMax + 1))]).toEqual([holesMax, 0]);
    const forms = dynamicsOf('forms: disable');
    const holesOf = (count: number): number => findHoles({ contentType: html, headers: [], body: bytes('<form method=post></form>'.repeat(count)) }, forms).holes.length;
    expect([holesOf(holesMax / 2), holesOf(holesMax / 2 + 1)]).toEqual([holesMax, 0]);
    expect([holesIn(`${'<p id=s>'.repeat(holesMax - 1)}${page}`), holesIn(`${'<p id=s>'.repeat(holesMax)}${page}`)]).toEqual([1, 0]);
  });

  test('a larger body than allowed has no holes', () => {
    expect([holesIn(page.padEnd(seedBytesMax)), holesIn(page.padEnd(seedBytesMax + 1))]).toEqual([1, 0]);
  });

  test('a page with all beginnings of marks has no holes', () => {
    const marks = Array.from({ length: 100 }, (_, i) => `\x02fs${i.toString(36).padStart(2, '0')}`);
    expect([holesIn(page + marks.slice(1).join('')), holesIn(page + marks.join(''))]).toEqual([1, 0]);
  });

  test('a body of another kind has none, and misses none', () => {
    for (const contentType of ['text/css', 'image/svg+xml', 'application/xhtml+xml', '']) {
      expect(findHoles({ contentType, headers: [], body: bytes(page) }, s)).toEqual({ holes: [], missing: [], utf8: true });
    }
  });

  test('pages in other encodings have holes, but no UTF-8 goes into them, and nothing into scripts', () => {
    const body = bytes('<p id=s>\xe4</p><script id=s>\xe4</script>');
    for (const [contentType, prefix] of [['text/html; charset=windows-1252', ''], ['text/html;charset=Shift_JIS', ''], ['text/html', ''], ['text/html', '<meta charset="latin1">'], ['text/html', '<meta charset=utf-16>']] as const) {
      const found = findHoles({ contentType, headers: [], body: bytes(prefix + Buffer.from(body).toString('latin1')) }, s);
      expect([found.utf8, found.holes.length]).toEqual([false, 1]);
    }
    for (const [contentType, prefix] of [['text/html; charset=UTF8', ''], ['text/html', '\xef\xbb\xbf'], ['text/html', '<meta http-equiv=Content-Type content="text/html; charset=utf-8">']] as const) {
      const found = findHoles({ contentType, headers: [], body: bytes(prefix + Buffer.from(body).toString('latin1')) }, s);
      expect([found.utf8, found.holes.length]).toEqual([true, 2]);
    }
  });
});

describe('slots in JSON', () => {
  const json = 'application/json';
  const s = slotsOf(['pointer: /a/b', 'pointer: /list/1', 'pointer: "/x~1y/~0"', 'pointer: /a', 'select: "#s"']);
  const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
  test.each([
    ['{"list":[1, 2 ,3]}', '{"list":[1, [b|2] ,3]}'],
    [utf8('{"ü😀":"ä€","x/y":{"~":"日本"}} '), utf8('{"ü😀":"ä€","x/y":{"~":[c|"日本"]}} ')],
    [utf8('\u{feff}{"ä":1,"list":[0,"é"]}'), utf8('\u{feff}{"ä":1,"list":[0,[b|"é"]]}')],
    ['{"a":{"b":1}}', '{"a":[d|{"b":1}]}'],
    ['{"list":[0,1],"list":[2,3]}', '{"list":[0,1],"list":[2,[b|3]]}'],
    ['{"list":[0,1],"list":[2]}', '{"list":[0,1],"list":[2]}'],
    ['{"a":{"b":1},"a":7}', '{"a":{"b":1},"a":[d|7]}'],
    ['{"list":[{"b":[1]},[],3],"z":{"a":{"b":1}}}', '{"list":[{"b":[1]},[b|[]],3],"z":{"a":{"b":1}}}'],
    ['{"x\\/y":{"\\u007e":null}}', '{"x\\/y":{"\\u007e":[c|null]}}'],
  ])('%j', (body, expected) => {
    expect(shown(body, s, { contentType: json })).toBe(expected);
    expect(shown(body, s, { contentType: 'application/ld+json; charset=utf-8' })).toBe(expected);
  });

  test('the whole document, but not the blanks round it', () => {
    expect(shown(' [1]\n', slotsOf(['pointer: ""']), { contentType: json })).toBe(' [a|[1]]\n');
  });

  test.each([['a comment', '{"list":[1,2]/**/}'], ['a trailing comma', '{"list":[1,2,],}'], ['not UTF-8', '{"list":["\xff",2]}'], ['cut', '{"list":[1,2'], ['two documents', '{"list":[1,2]}{}'], ['too deep', `{"list":[1,2],"d":${'['.repeat(200_000)}${']'.repeat(200_000)}}`]])('is none: %s', (_, body) => {
    const found = findHoles({ contentType: json, headers: [], body: bytes(body) }, s);
    expect([found.holes, found.missing]).toEqual([[], ['a', 'b', 'c', 'd']]);
  });

  test('what they name is what a parser gives', () => {
    const s = slotsOf(['pointer: /a/b', 'pointer: /a/0/c', 'pointer: /1']);
    const key = fc.constantFrom('a', 'b', 'c', '0', '1', 'é');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, fc.constantFrom(1, 'ä😀', null, true, ''), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(key, tie('value'), { maxKeys: 4 })),
    }));
    const at = (document: unknown, steps: readonly string[]): unknown => steps.reduce<unknown>((inner, step) => (typeof inner === 'object' && inner !== null ? new Map(Object.entries(inner)).get(step) : undefined), document);
    fc.assert(fc.property(value, fc.nat(2), (document, indent) => {
      const body = new Uint8Array(Buffer.from(JSON.stringify(document, undefined, indent)));
      const { holes, missing } = findHoles({ contentType: json, headers: [], body }, s);
      for (const [name, steps] of [['a', ['a', 'b']], ['b', ['a', '0', 'c']], ['c', ['1']]] as const) {
        const hole = holes.find((each) => each.kind === 'slot' && each.slot === name);
        const expected = at(document, steps);
        expect(missing.includes(name)).toBe(expected === undefined);
        if (hole) expect(JSON.parse(Buffer.from(body.subarray(hole.from, hole.to)).toString())).toEqual(expected);
      }
    }), { seed: 43, numRuns: 500 });
  });

  test('steps that lead nowhere', () => {
    const { missing } = findHoles({ contentType: json, headers: [], body: bytes('{"list":[0],"a":"b"}') }, slotsOf(['pointer: /list/01', 'pointer: /list/-', 'pointer: /list/length', 'pointer: /a/b', 'pointer: /__proto__', 'pointer: /a/0']));
    expect(missing).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});

describe('dressings', () => {
  test('forms that write, after their start tag and before their own end tag', () => {
    const forms = dynamicsOf('forms: disable');
    expect(shown('<form METHOD="Post" a>x</FORM><form>y</form><form method=get>z</form><form method=post>w', forms)).toBe('<form METHOD="Post" a>[form-start|]x[form-end|]</FORM><form>y</form><form method=get>z</form><form method=post>w');
    expect(shown('<div><form method=post>x</div>', forms)).toBe('<div><form method=post>x</div>');
  });

  test('a form with a slot in it, one that is a slot, and one inside a slot', () => {
    const both = dynamicsOf('forms: disable\nslots: [{ name: a, select: "#s", feed: f }]');
    expect(shown('<form method=post>x<p id=s>y</p></form>', both)).toBe('<form method=post>[form-start|]x<p id=s>[a|y]</p>[form-end|]</form>');
    expect(shown('<form method=post id=s></form>', both)).toBe('<form method=post id=s>[form-start|][a|][form-end|]</form>');
    expect(shown('<div id=s><form method=post>x</form></div>', both)).toBe('<div id=s>[a|<form method=post>x</form>]</div>');
  });

  test('the notice, right after the first body tag', () => {
    const notice = dynamicsOf('slots: []', 'degraded: { notice: "From {age} ago" }');
    expect(shown('<head><title><body></title></head><body class="a>b"><p><body>', notice)).toBe('<head><title><body></title></head><body class="a>b">[notice|]<p><body>');
    expect(shown('<p>no body tag</p>', notice)).toBe('<p>no body tag</p>');
    expect(shown('{"body":1}', notice, { contentType: 'application/json' })).toBe('{"body":1}');
  });

  test('tokens: the first attribute of the name, in any quotes', () => {
    const tokens = dynamicsOf('tokens: [{ select: "input[name=csrf]", cookie: csrf }, { select: "[name=token]", attribute: content, cookie: t }]');
    expect(shown('<input name=csrf VALUE = "a&amp;b" value=c>', tokens)).toBe('<input name=csrf VALUE = "[token|a&amp;b]" value=c>');
    expect(shown('<input value=\'x">\' name=csrf><input name=csrf value=""><meta name=token content=abc>', tokens)).toBe('<input value=\'[token|x">]\' name=csrf><input name=csrf value="[token|]"><meta name=token content=[token|abc]>');
    expect(shown('<input name=csrf><input name=csrf value><input name=csrf data-value=x>', tokens)).toBe('<input name=csrf><input name=csrf value><input name=csrf data-value=x>');
    expect(shown('<div name=token content="x">never closed', tokens)).toBe('<div name=token content="[token|x]">never closed');
    const { holes } = findHoles({ contentType: html, headers: [], body: bytes('<input name=csrf value=a><input name=csrf value="b">') }, tokens);
    expect(holes).toMatchObject([{ kind: 'token', cookie: 'csrf', quoted: false }, { kind: 'token', cookie: 'csrf', quoted: true }]);
  });

  describe('nonces', () => {
    const nonce = dynamicsOf('nonce: restamp');
    const policy = (value: string): { headers: [string, string][] } => ({ headers: [['content-security-policy', value]] });
    const long = 'q83vEjRWeJq83vE+/w==';
    test('as the policy names it, in attributes however they are written, and in what is quoted', () => {
      expect(shown(`<script nonce="${long}">n="${long}"</script><style NONCE=${long}></style><link nonce='q83vEjRWeJq83vE&#43;&#x2F;w&#61;&#61;'><p>${long}</p>`, nonce, policy(`default-src 'self'; script-src 'nonce-${long}'`)))
        .toBe(`<script nonce="[nonce|${long}]">n="[nonce|${long}]"</script><style NONCE=[nonce|${long}]></style><link nonce='[nonce|q83vEjRWeJq83vE&#43;&#x2F;w&#61;&#61;]'><p>${long}</p>`);
    });
    test.each([
      ['no policy', '<script nonce="abc">', {}],
      ['another nonce in the page', '<script nonce="abcd">', policy("script-src 'nonce-abc'")],
      ['another case', '<script nonce="ABC">', policy("script-src 'nonce-abc'")],
      ['several nonces in the policy', '<script nonce="abc">', policy("script-src 'nonce-abc'; style-src 'nonce-def'")],
      ['nowhere in an attribute', `<script>"${long}"</script>`, policy(`script-src 'nonce-${long}'`)],
    ])('are left alone: %s', (_, page, options) => {
      expect(shown(page, nonce, options)).toBe(page);
    });
    test('a short one is looked for in attributes only', () => {
      expect(shown('<script nonce="abc">"abc"</script>', nonce, policy("script-src 'nonce-abc'"))).toBe('<script nonce="[nonce|abc]">"abc"</script>');
    });
  });
});

describe('for any bytes', () => {
  const all = dynamicsOf('forms: disable\nnonce: restamp\ntokens: [{ select: "[name=t]", cookie: t }]\nslots:\n  - { name: a, select: "#s", feed: f }\n  - { name: b, select: "p", feed: f }\n  - { name: c, pointer: /a, feed: f }', 'degraded: { notice: x }');
  const pieces = ['<p>', '</p>', '<p id=s>', '<div id=s class="x">', '</div>', '<form method=post>', '</form>', '<input name=t value=q>', '<input name=t value="r">', '<body>', '<script nonce="n0">', '</script>', '<!--', '-->', '<title>', '</title>', '<svg>', '</svg>', '<select>', '<table>', '\x02fs00', '\x03', '\xff\xfe', '<', '>', '"', 'text', '<p id=s', '{"a":', '[1]', '}', '\0'];
  const headers: [string, string][] = [['content-security-policy', "script-src 'nonce-n0'"]];
  const anyBody = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((some) => bytes(some.join(''))),
    fc.json().map((text) => new Uint8Array(Buffer.from(`{"a":${text}}`))),
  );
  const anyType = fc.constantFrom(html, 'text/html', 'application/json');

  test('holes lie in order, and with nothing in them the body is what it was', () => {
    fc.assert(fc.property(anyBody, anyType, (body, contentType) => {
      const { holes } = findHoles({ contentType, headers, body }, all);
      let end = 0;
      for (const { from, to } of holes) {
        expect(from).toBeGreaterThanOrEqual(end);
        expect(to).toBeGreaterThanOrEqual(from);
        end = to;
      }
      expect(end).toBeLessThanOrEqual(body.byteLength);
      expect(Buffer.from(assemble(compileSeed(body, holes), holes.map(() => undefined))).equals(body)).toBe(true);
      const starts = holes.filter(({ kind }) => kind === 'form-start').length;
      expect(holes.filter(({ kind }) => kind === 'form-end')).toHaveLength(starts);
    }), { seed: 41, numRuns: 1500 });
  });

  test('with nothing declared there is nothing to find', () => {
    const nothing = dynamicsOf('slots: []');
    expect(nothing.any).toBe(false);
    fc.assert(fc.property(anyBody, anyType, (body, contentType) => {
      expect(findHoles({ contentType, headers, body }, nothing)).toEqual({ holes: [], missing: [], utf8: true });
    }), { seed: 42, numRuns: 100 });
    for (const route of ['nonce: restamp', 'forms: disable', 'esi: true', 'tokens: [{ select: p, cookie: c }]']) expect(dynamicsOf(route).any).toBe(true);
  });
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { evaluateEsi, pageBytesMax } from './evaluate.ts';
import { includesOf } from './includes.ts';
import { nestingMax, nodesMax, parseEsi } from './parse.ts';
import type { EsiFacts } from './variable.ts';

const headers: Readonly<Record<string, string>> = {
  'cookie': 'group=Advanced; name="<b>&"; n=10', 'accept-language': 'en-GB, de;q=0.5, fr;q=0',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0', 'referer': 'https://elsewhere.example/?a=1&b=2',
};
const facts: EsiFacts = { header: (name) => headers[name] ?? null, host: 'shop.example:8080', query: 'page=2&q=a%20b%26c&x=<i>' };

interface Told {
  readonly text: string;
  readonly asked: readonly string[];
  readonly missing: readonly string[];
  readonly personal: boolean;
}

/** Fragments: `/x` is `[x]`; what begins with `/no` can't be had; what begins with `/slow` takes as long as it may. */
async function told(page: string, nowMs = () => 0): Promise<Told> {
  const parsed = parseEsi(Buffer.from(page));
  if (!parsed) throw new Error('beyond the limits');
  const asked: string[] = [];
  const result = await evaluateEsi(parsed, { facts, nowMs, untilMs: 1_000 }, (reference, untilMs) => {
    asked.push(reference.startsWith('/slow') ? `${reference} until ${untilMs}` : reference);
    return Promise.resolve(/^\/(?:no|slow)/.test(reference) ? undefined : Buffer.from(`[${reference.slice(1)}]`));
  });
  if (!result) throw new Error('too large');
  return { text: Buffer.from(result.body).toString(), asked, missing: result.missing, personal: result.personal };
}

const textOf = async (page: string): Promise<string> => (await told(page)).text;

describe('elements', () => {
  const cases: Readonly<Record<string, readonly [page: string, becomes: string]>> = {
    'include': ['a<esi:include src="/x"/>b', 'a[x]b'],
    'include with a space before the slash, single quotes, blanks around =': ['<esi:include src = \'/x\' />', '[x]'],
    'include without quotes': ['<esi:include src=/x/>|<esi:include src=/y>', '[x]|[y]'],
    'include with an end tag': ['<esi:include src="/x"></esi:include>!', '[x]!'],
    'include with entities': ['<esi:include src="/x?a=1&amp;b=&#50;&#x33;"/>', '[x?a=1&b=23]'],
    'include with > in an attribute': ['<esi:include src="/x?a>b"/>', '[x?a>b]'],
    'include in the middle of an attribute of HTML': ['<a title="<esi:include src="/x"/>">', '<a title="[x]">'],
    'include without src': ['a<esi:include/>b<esi:include alt="/x"/>', 'ab[x]'],
    'several, in order': ['<esi:include src="/1"/>-<esi:include src="/2"/>-<esi:include src="/1"/>', '[1]-[2]-[1]'],
    'alt': ['<esi:include src="/no" alt="/x"/>', '[x]'],
    'onerror': ['a<esi:include src="/no" onerror="continue"/>b', 'ab'],
    'alt and onerror': ['a<esi:include src="/no" alt="/no2" onerror="continue"/>b', 'ab'],
    'remove': ['a<esi:remove>b<p></esi:remove>c', 'ac'],
    'remove with ESI in it': ['a<esi:remove><esi:include src="/x"/></esi:remove>c', 'ac'],
    'remove that is never closed': ['a<esi:remove>b', 'ab'],
    'comment': ['a<esi:comment text="b"/>c', 'ac'],
    'esi comment': ['a<!--esi <esi:include src="/x"/> -->b', 'a [x] b'],
    'esi comment that is never closed': ['a<!--esi <esi:include src="/x"/>', 'a<!--esi [x]'],
    'other comments': ['<!-- a --><!--esify-->-->', '<!-- a --><!--esify-->-->'],
    'vars': ['$(QUERY_STRING{page})<esi:vars> $(QUERY_STRING{page}) $(nothing) </esi:vars>', '$(QUERY_STRING{page}) 2 $(nothing) '],
    'vars with an include in it': ['<esi:vars>$(HTTP_HOST)<esi:include src="/x"/></esi:vars>', 'shop.example:8080[x]'],
    'choose': ['<esi:choose> <esi:when test="\'1\'==\'2\'">a</esi:when> x <esi:when test="1">b</esi:when><esi:when test="1">c</esi:when><esi:otherwise>d</esi:otherwise></esi:choose>', 'b'],
    'otherwise': ['<esi:choose><esi:when test="0>1">a</esi:when><esi:otherwise>d</esi:otherwise></esi:choose>', 'd'],
    'choose without otherwise': ['a<esi:choose><esi:when test="0>1">b</esi:when></esi:choose>c', 'ac'],
    'choose in choose': ['<esi:choose><esi:when test="1"><esi:choose><esi:when test="0>1">a</esi:when><esi:otherwise>b</esi:otherwise></esi:choose></esi:when></esi:choose>', 'b'],
    'when without a test, or with one that can not be read': ['<esi:choose><esi:when>a</esi:when><esi:when test="1 ==">b</esi:when><esi:otherwise>c</esi:otherwise></esi:choose>', 'c'],
    'when that is not closed': ['<esi:choose><esi:when test="0>1">a<esi:when test="1">b<esi:otherwise>c</esi:choose>d', 'bd'],
    'choose that is not closed': ['a<esi:choose><esi:when test="1">b', 'ab'],
    'when outside of choose': ['<esi:when test="1">a</esi:when><esi:otherwise>b</esi:otherwise>', 'ab'],
    'try': ['<esi:try><esi:attempt>a<esi:include src="/x"/></esi:attempt><esi:except>b</esi:except></esi:try>', 'a[x]'],
    'except': ['<esi:try> <esi:attempt>a<esi:include src="/no"/></esi:attempt> <esi:except>b<esi:include src="/x"/></esi:except> </esi:try>', 'b[x]'],
    'try in try': ['<esi:try><esi:attempt><esi:try><esi:attempt><esi:include src="/no"/></esi:attempt><esi:except><esi:include src="/no2"/></esi:except></esi:try></esi:attempt><esi:except>b</esi:except></esi:try>', 'b'],
    'an optional include in try': ['<esi:try><esi:attempt>a<esi:include src="/no" onerror="continue"/></esi:attempt><esi:except>b</esi:except></esi:try>', 'a'],
    'unknown elements': ['a<esi:inline name="/x">b</esi:inline><esi:assign name="a" value="1"/>c', 'abc'],
    'closing tags of nothing': ['a<esi:comment/></esi:choose></esi:include></esi:what>b', 'ab'],
    'a tag that does not end': ['a<esi:include src="/x"', 'a<esi:include src="/x"'],
    'an attribute twice, and others without a value': ['<esi:include disabled src="/x" src="/y" async/>', '[x]'],
    'what is no attribute': ['a<esi:include "?" src="/x"/>b', 'ab'],
    'only lower case': ['<ESI:include src="/x"/>', '<ESI:include src="/x"/>'],
  };
  for (const [what, [page, becomes]] of Object.entries(cases)) test(what, async () => { expect(await textOf(page)).toBe(becomes); });
});

describe('what can not be had', () => {
  test('is left out and told where nobody catches it', async () => {
    expect(await told('a<esi:include src="/no1"/>b<esi:include src="/no2" alt="/no3"/>c<esi:include src="/x"/>')).toMatchObject({ text: 'abc[x]', missing: ['/no1', '/no2'] });
  });

  test('is told where try has no except, and where except fails', async () => {
    expect((await told('<esi:try><esi:attempt><esi:include src="/no1"/></esi:attempt></esi:try>')).missing).toEqual(['/no1']);
    expect((await told('<esi:try><esi:attempt><esi:include src="/no1"/></esi:attempt><esi:except><esi:include src="/no2"/></esi:except></esi:try>')).missing).toEqual(['/no2']);
  });

  test('is not asked for outside of the branch that is chosen', async () => {
    const page = '<esi:choose><esi:when test="0>1"><esi:include src="/a"/></esi:when><esi:otherwise><esi:include src="/b"/></esi:otherwise></esi:choose>'
      + '<esi:try><esi:attempt><esi:include src="/c"/></esi:attempt><esi:except><esi:include src="/d"/></esi:except></esi:try><esi:include src="/e" alt="/f"/>';
    expect((await told(page)).asked).toEqual(['/b', '/c', '/e']);
  });

  test('leaves half of the time to what stands in for it, and nobody is asked when there is none left', async () => {
    expect((await told('<esi:include src="/slow" alt="/slow2"/><esi:include src="/slow3"/>')).asked).toEqual(['/slow until 500', '/slow3 until 1000', '/slow2 until 1000']);
    expect((await told('<esi:try><esi:attempt><esi:include src="/slow" alt="/slow2"/></esi:attempt><esi:except><esi:include src="/slow3"/></esi:except></esi:try>')).asked)
      .toEqual(['/slow until 250', '/slow2 until 500', '/slow3 until 1000']);
    expect(await told('<esi:include src="/x"/>', () => 1_000)).toMatchObject({ text: '', asked: [], missing: ['/x'] });
  });

  test('all fragments are asked for at the same time', async () => {
    const page = parseEsi(Buffer.from('<esi:include src="/1"/><esi:try><esi:attempt><esi:include src="/2"/></esi:attempt><esi:except/></esi:try><esi:choose><esi:when test="1"><esi:include src="/3"/></esi:when></esi:choose>'));
    const waiting: (() => void)[] = [];
    const result = page && evaluateEsi(page, { facts, nowMs: () => 0, untilMs: 1 }, (reference) => new Promise((resolve) => {
      waiting.push(() => { resolve(Buffer.from(reference)); });
      if (waiting.length === 3) for (const answer of waiting) answer();
    }));
    expect(Buffer.from((await result)?.body ?? []).toString()).toBe('/1/2/3');
  });
});

describe('variables', () => {
  const cases: Readonly<Record<string, readonly [text: string, url: string]>> = {
    '$(HTTP_COOKIE{group})': ['Advanced', 'Advanced'],
    '$(HTTP_COOKIE{name})': ['&#60;b&#62;&#38;', '%3Cb%3E%26'],
    '$(HTTP_COOKIE{none})': ['', ''],
    '$(HTTP_COOKIE{none}|new)': ['new', 'new'],
    '$(HTTP_COOKIE{none}|\'a new one\')': ['a new one', 'a%20new%20one'],
    '$(HTTP_HOST)': ['shop.example:8080', 'shop.example:8080'],
    '$(HTTP_REFERER)': ['https://elsewhere.example/?a=1&#38;b=2', 'https%3A%2F%2Felsewhere.example%2F%3Fa%3D1%26b%3D2'],
    '$(HTTP_ACCEPT_LANGUAGE{en})$(HTTP_ACCEPT_LANGUAGE{de})$(HTTP_ACCEPT_LANGUAGE{fr})$(HTTP_ACCEPT_LANGUAGE{e})': ['truetruefalsefalse', 'truetruefalsefalse'],
    '$(HTTP_USER_AGENT{browser})$(HTTP_USER_AGENT{os})$(HTTP_USER_AGENT{version})': ['MOZILLAUNIX5.0', 'MOZILLAUNIX5.0'],
    '$(QUERY_STRING{q})': ['a b&#38;c', 'a%20b%26c'],
    '$(QUERY_STRING)': ['page=2&#38;q=a%20b%26c&#38;x=&#60;i&#62;', 'page=2&q=a%20b%26c&x=%3Ci%3E'],
    '$(SERVER_NAME)$(SERVER_NAME|x)': ['x', 'x'],
  };
  for (const [variable, [text, url]] of Object.entries(cases)) {
    test(`${variable} in text and in a URL`, async () => {
      expect(await textOf(`<esi:vars>${variable}</esi:vars>`)).toBe(text);
      expect((await told(`<esi:include src="/x/${variable}"/>`)).asked).toEqual([`/x/${url}`]);
    });
  }

  test('what tells visitors apart makes a page personal; host and query don\'t', async () => {
    for (const name of ['HTTP_COOKIE{a}', 'HTTP_REFERER', 'HTTP_USER_AGENT{os}', 'HTTP_ACCEPT_LANGUAGE{en}']) {
      expect((await told(`<esi:vars>$(${name})</esi:vars>`)).personal).toBe(true);
      expect((await told(`<esi:include src="/x?$(${name})"/>`)).personal).toBe(true);
      expect((await told(`<esi:choose><esi:when test="1 | $(${name})==1">a</esi:when></esi:choose>`)).personal).toBe(true);
    }
    expect((await told('<esi:vars>$(HTTP_HOST)$(QUERY_STRING{a})</esi:vars>$(HTTP_COOKIE{a})')).personal).toBe(false);
  });

  test('no value can begin an element, end an attribute, or add a parameter, a step or a host to a URL', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (value) => {
      const page = parseEsi(Buffer.from('<esi:vars>$(HTTP_REFERER)</esi:vars>\n<esi:include src="$(HTTP_REFERER)"/>'));
      let asked = '';
      const result = page && await evaluateEsi(page, { facts: { ...facts, header: () => value }, nowMs: () => 0, untilMs: 1 }, (reference) => {
        asked = reference;
        return Promise.resolve(Buffer.from(''));
      });
      expect(Buffer.from(result?.body ?? []).toString()).not.toMatch(/[<>"']/);
      expect(asked).toMatch(/^[A-Za-z0-9%_.!~*'()-]*$/);
    }), { numRuns: 300, seed: 11 });
  });

  test('other browsers, in the specification\'s words', async () => {
    const about = async (agent: string): Promise<string> => {
      const page = parseEsi(Buffer.from('<esi:vars>$(HTTP_USER_AGENT{browser}) $(HTTP_USER_AGENT{version}) $(HTTP_USER_AGENT{os})</esi:vars>'));
      const result = page && await evaluateEsi(page, { facts: { ...facts, header: () => agent }, nowMs: () => 0, untilMs: 1 }, () => Promise.resolve(undefined));
      return Buffer.from(result?.body ?? []).toString();
    };
    expect(await about('Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)')).toBe('MSIE 6.0 WIN');
    expect(await about('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)')).toBe('MOZILLA 5.0 MAC');
    expect(await about('curl/8.5.0')).toBe('OTHER  OTHER');
  });
});

describe('bounds', () => {
  test('a page with too many nodes, or too deep, is not processed', () => {
    const many = (count: number): Buffer => Buffer.from('<esi:include src="/x"/>'.repeat(count));
    expect(parseEsi(many(nodesMax / 2))).toBeDefined();
    expect(parseEsi(many(nodesMax / 2 + 1))).toBeUndefined();
    const deep = (levels: number): Buffer => Buffer.from('<esi:vars>'.repeat(levels));
    expect(parseEsi(deep(nestingMax))).toBeDefined();
    expect(parseEsi(deep(nestingMax + 1))).toBeUndefined();
    expect(parseEsi(Buffer.from('<!--esi -->'.repeat(nodesMax + 1)))).toBeUndefined();
  });

  test('a fragment that no longer fits is not to be had, and what is too large without it is no page', async () => {
    const page = parseEsi(Buffer.from('a<esi:include src="/x" alt="/small"/>'));
    const large = new Uint8Array(pageBytesMax);
    const get = (reference: string): Promise<Uint8Array> => Promise.resolve(reference === '/x' ? large : Buffer.from('b'));
    const result = page && await evaluateEsi(page, { facts, nowMs: () => 0, untilMs: 1 }, get);
    expect(Buffer.from(result?.body ?? []).toString()).toBe('ab');
    const cookie = 'x'.repeat(60_000);
    const varied = parseEsi(Buffer.from(`<esi:vars>${'$(HTTP_COOKIE)'.repeat(500)}</esi:vars>`));
    expect(varied && await evaluateEsi(varied, { facts: { ...facts, header: () => cookie }, nowMs: () => 0, untilMs: 1 }, get)).toBeUndefined();
  });

  test('a tag that has not ended within 8 KiB is text', async () => {
    const tag = (bytes: number): string => `<esi:include src="/x" title="${' '.repeat(bytes - 32)}"/>`;
    expect([tag(8_192).length, await textOf(tag(8_192)), await textOf(tag(8_193))]).toEqual([8_192, '[x]', tag(8_193)]);
  });

  test('openings without an end cost one pass', () => {
    const hostile = Buffer.from('<!--esi <esi:remove> $(A{ '.repeat(40_000));
    expect(parseEsi(hostile)).toBeUndefined();
  });
});

describe('any bytes', () => {
  const markup = fc.constantFrom(
    '<esi:', '</esi:', 'include', ' src="/x"', ' src=\'', ' alt="/no"', '/>', '>', '<!--esi ', '-->', '<esi:vars>', '</esi:vars>', '$(HTTP_HOST)', '$(', '<esi:choose>', '</esi:choose>',
    '<esi:when test="1">', '<esi:when test="$(HTTP_COOKIE{n})>9">', '</esi:when>', '<esi:otherwise>', '<esi:try>', '</esi:try>', '<esi:attempt>', '<esi:except>', '<esi:remove>', '</esi:remove>', '<esi:include src="/x"/>', '<esi:include src="/no"/>', ' text ',
  );

  test('never throw, whatever stands where', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.oneof(markup, fc.string({ maxLength: 5 })), { maxLength: 40 }), async (parts) => {
      const { text } = await told(parts.join(''));
      expect(text.length).toBeLessThan(4_000);
    }), { numRuns: 1_000, seed: 7 });
  });

  test('without markup come out as they are, the very same', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (body) => {
      const page = parseEsi(body);
      const result = page && await evaluateEsi(page, { facts, nowMs: () => 0, untilMs: 1 }, () => Promise.resolve(undefined));
      expect(Buffer.from(result?.body ?? []).equals(Buffer.from(body))).toBe(true);
    }), { numRuns: 300, seed: 8 });
  });

  test('around markup come out as they are, whatever their charset', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), async (before, after) => {
      const page = parseEsi(Buffer.concat([before, Buffer.from('<esi:include src="/x"/>'), after]));
      const result = page && await evaluateEsi(page, { facts, nowMs: () => 0, untilMs: 1 }, () => Promise.resolve(Buffer.from('é')));
      expect(Buffer.from(result?.body ?? []).equals(Buffer.concat([before, Buffer.from('é'), after]))).toBe(true);
    }), { numRuns: 300, seed: 9 });
  });
});

test('what a page may include: all branches, each once, without what depends on the visitor', () => {
  const page = '<esi:include src="/a?x=1&amp;y=2" alt="/b"/><!--esi <esi:include src="/c"/> --><esi:remove><esi:include src="/no"/></esi:remove><esi:include src="/u/$(HTTP_COOKIE{id})" alt="/d"/>'
    + '<esi:choose><esi:when test="0>1"><esi:include src="/e"/></esi:when><esi:otherwise><esi:include src="/a?x=1&y=2"/></esi:otherwise></esi:choose>'
    + '<esi:try><esi:attempt><esi:include src="/f"/></esi:attempt><esi:except><esi:include src="/g"/></esi:except></esi:try>';
  expect(includesOf(page)).toEqual(['/a?x=1&y=2', '/b', '/c', '/d', '/e', '/f', '/g']);
  expect(includesOf('<p>esi:include')).toEqual([]);
});

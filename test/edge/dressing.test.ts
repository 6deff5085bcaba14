/** What copies get for one answer: a nonce, a visitor's own token; and for an outage: a notice, and forms that don't pretend to work. */
import { afterEach, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../bench/machine/program.ts';
import { stage, strike, type Stage } from './stage.ts';
import { ask, cached, origin, reply, value, verdict, type Answer, type Asked, type Origin } from './wire.ts';

afterEach(strike);

const html = 'Content-Type: text/html; charset=utf-8';
const text = (answer: Answer): string => answer.body.toString();

async function switchable(config: string, answer: (asked: Asked) => Uint8Array): Promise<Stage & { readonly site: Origin; readonly fails: () => void }> {
  let well = true;
  const site = await origin((asked, socket) => { socket.write(well ? answer(asked) : reply('sorry', [], '503 X')); });
  return { ...(await stage(site.url, config)), site, fails: () => { well = false; } };
}

describe('nonce: restamp', () => {
  const old = 'AAAAAAAAAAAAAAAAAAAAAA==';
  const body = `<html><script nonce="${old}">let a = 1;</script><p>${old.slice(0, 10)}</p><style nonce='${old}'></style></html>`;
  const config = 'routes: [ { match: "/**", nonce: restamp } ]';
  const policy = `Content-Security-Policy: script-src 'nonce-${old}' 'strict-dynamic'; style-src 'nonce-${old}'`;
  const nonceOf = (answer: Answer): string => /'nonce-([^']+)'/.exec(value(answer, 'content-security-policy') ?? '')?.[1] ?? '';

  test('makes one for each answer, in the policy and wherever the page has it', async () => {
    const { url, kept } = await switchable(config, () => reply(body, [html, cached, policy, 'ETag: "x"', 'Accept-Ranges: bytes']));
    expect(text(await ask(url, 'GET /'))).toBe(body);
    await kept(1);
    const nonces = new Set<string>();
    for (let n = 0; n < 20; n++) {
      const answer = await ask(url, 'GET /', n % 2 === 0 ? ['If-None-Match: "x"', 'Range: bytes=0-3'] : ['If-None-Match: *']);
      const nonce = nonceOf(answer);
      expect([answer.status, verdict(answer)]).toEqual([200, 'shadow fresh']);
      expect(text(answer)).toBe(body.replaceAll(old, nonce));
      expect(value(answer, 'content-security-policy')).toBe(policy.slice('Content-Security-Policy: '.length).replaceAll(old, nonce));
      expect([value(answer, 'etag'), value(answer, 'accept-ranges')]).toEqual([undefined, undefined]);
      expect(Buffer.from(nonce, 'base64').length).toBe(16);
      nonces.add(nonce);
    }
    expect(nonces.size).toBe(20);
    expect(nonces.has(old)).toBe(false);
  });

  test('leaves pages without a policy as they are', async () => {
    const { url, kept } = await switchable(config, () => reply(body, [html, cached, 'ETag: "x"']));
    await ask(url, 'GET /');
    await kept(1);
    const copied = await ask(url, 'GET /');
    expect([text(copied), value(copied, 'etag')]).toEqual([body, '"x"']);
    expect((await ask(url, 'GET /', ['If-None-Match: "x"'])).status).toBe(304);
  });
});

describe('tokens', () => {
  const config = 'routes: [ { match: "/**", tokens: [ { select: "input[name=csrf]", cookie: csrf } ] } ]';
  const page = (token: string): string => `<html><form><input name="csrf" value="${token}"><input name=csrf value=${token || '""'}></form></html>`;
  const cookieOf = (asked: Asked): string => /csrf=([^;]*)/.exec(value(asked, 'cookie') ?? '')?.[1] ?? '';

  test('each visitor gets their own, and nobody anybody else\'s, in memory, on disk and under concurrency', async () => {
    const { url, kept, dataDir, edge, site } = await switchable(config, (asked) => reply(page(cookieOf(asked)), [html, cached, 'Vary: Cookie', 'ETag: "x"']));
    expect(text(await ask(url, 'GET /', ['Cookie: csrf=first-visitor-secret']))).toBe(page('first-visitor-secret'));
    await kept(1);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(url, 'GET /', [`Cookie: csrf=visitor-number-${n}`])));
    for (const [n, answer] of answers.entries()) {
      expect(verdict(answer)).toBe('shadow fresh');
      expect(text(answer)).toBe(`<html><form><input name="csrf" value="visitor-number-${n}"><input name=csrf value="visitor-number-${n}"></form></html>`);
      expect([value(answer, 'cache-control'), value(answer, 'etag')]).toEqual(['private, no-store', undefined]);
    }
    expect(text(await ask(url, 'GET /'))).toBe(page('').replaceAll('value=""""', 'value=""'));
    expect(site.asked).toHaveLength(1);
    await edge.close();
    const files = readdirSync(join(dataDir, 'edge'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const file of files) expect(readFileSync(join(file.parentPath, file.name)).includes('first-visitor-secret')).toBe(false);
    expect(files.length).toBeGreaterThan(0);
  });

  test('a token is text, whatever the cookie holds', async () => {
    const { url, kept } = await switchable(config, () => reply(page(''), [html, cached]));
    await ask(url, 'GET /');
    await kept(1);
    const answer = text(await ask(url, 'GET /', [`Cookie: csrf=x"><script>alert('1')</script>&amp`]));
    expect(answer).toContain('value="x&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp"');
    expect(answer).not.toContain('<script>');
  });

  test('a page that has the token elsewhere too is kept for nobody', async () => {
    const { url, edge } = await switchable(config, (asked) => reply(`${page(cookieOf(asked))}<script>let t = "${cookieOf(asked)}"</script>`, [html, cached]));
    await ask(url, 'GET /', ['Cookie: csrf=first-visitor-secret']);
    await until('the refusal', () => (edge.figures().captures['cookie'] ?? 0) === 1);
    expect(verdict(await ask(url, 'GET /', ['Cookie: csrf=second-visitor-secret']))).toBe('origin no-shadow');
  });

  test('who asks with a condition gets their own answer of the origin', async () => {
    const { url, kept } = await switchable(config, (asked) => reply(page(cookieOf(asked)), [html, 'Cache-Control: max-age=0', 'ETag: "x"']));
    await ask(url, 'GET /', ['Cookie: csrf=first-visitor-secret']);
    await kept(1);
    const conditional = await ask(url, 'GET /', ['Cookie: csrf=second-visitor-secret', 'If-None-Match: "other"']);
    expect([verdict(conditional), text(conditional)]).toEqual(['origin origin-well', page('second-visitor-secret')]);
  });
});

describe('in an outage', () => {
  const body = '<html><body class="a"><h1>x</h1><form method="post" action="/cart"><button>buy</button></form><form action="/search"></form></body></html>';
  const config = 'degraded: { notice: "This page is {age} old <b>" }\nroutes: [ { match: "/shop/**", forms: disable } ]';
  const fields = [html, 'Cache-Control: max-age=60', 'ETag: "x"'];

  test('pages say how old they are, forms that write are disabled; while the origin is well neither', async () => {
    const { url, kept, fails } = await switchable(config, () => reply(body, [...fields, 'Age: 30']));
    await ask(url, 'GET /shop/1');
    await ask(url, 'GET /other');
    await kept(2);
    const hit = await ask(url, 'GET /shop/1');
    expect([verdict(hit), text(hit), value(hit, 'etag')]).toEqual(['shadow fresh', body, '"x"']);
    fails();
    const noticed = await ask(url, 'GET /other', ['Cache-Control: no-cache']);
    const age = Number(value(noticed, 'age'));
    expect(age).toBeGreaterThanOrEqual(30);
    expect(verdict(noticed)).toBe('rescue error-status');
    expect(text(noticed)).toMatch(new RegExp(`<body class="a"><div role="status"[^>]*>This page is (?:${age}|${age + 1}) s old &lt;b&gt;</div><h1>`));
    expect(text(noticed)).not.toContain('fieldset');
    const shop = await ask(url, 'GET /shop/1', ['Cache-Control: no-cache']);
    expect(text(shop)).toMatch(/<form method="post" action="\/cart"><fieldset disabled[^>]*><p role="note">[^<]+<\/p><button>buy<\/button><\/fieldset><\/form><form action="\/search"><\/form>/);
    expect(value(shop, 'etag')).not.toBe('"x"');
    expect(value(shop, 'content-length')).toBe(String(shop.body.length));
  });

  test('a reload takes the notice away', async () => {
    const { url, kept, fails, edge, config: running } = await switchable(config, () => reply(body, fields));
    await ask(url, 'GET /other');
    await kept(1);
    fails();
    expect(text(await ask(url, 'GET /other', ['Cache-Control: no-cache']))).toContain('role="status"');
    await edge.reload({ ...running, degraded: { ...running.degraded, notice: undefined } });
    expect(text(await ask(url, 'GET /other', ['Cache-Control: no-cache']))).toBe(body);
  });

  test('what is no page stays what it is', async () => {
    const { url, kept, fails } = await switchable(config, () => reply(body, ['Content-Type: text/plain', 'Cache-Control: max-age=60']));
    await ask(url, 'GET /shop/1');
    await kept(1);
    fails();
    expect(text(await ask(url, 'GET /shop/1', ['Cache-Control: no-cache']))).toBe(body);
  });
});

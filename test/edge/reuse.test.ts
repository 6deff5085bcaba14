/** Copies as a shared cache uses them: validation, preconditions, ranges, coalescing, invalidation. */
import { afterEach, describe, expect, test } from 'bun:test';
import { until } from '../../bench/machine/program.ts';
import { stage, strike, type Stage } from './stage.ts';
import { ask, cached, origin, reply, value, values, verdict, type Answer, type Origin } from './wire.ts';

afterEach(strike);

const modified = 'Last-Modified: Mon, 02 Nov 2026 08:00:00 GMT';
const digits = '0123456789'.repeat(100);

/** A page of digits that is fresh for `maxAgeS`, asked for once. */
async function primed(maxAgeS: number, fields: readonly string[] = ['ETag: "v1"', modified]): Promise<Stage & { readonly site: Origin; readonly get: (...lines: string[]) => Promise<Answer> }> {
  const site = await origin((asked, socket) => {
    const known = values(asked, 'if-none-match').includes('"v1"');
    socket.write(known ? `HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=${maxAgeS}\r\nETag: "v1"\r\nX-Renewed: yes\r\n\r\n` : reply(digits, [`Cache-Control: max-age=${maxAgeS}`, 'Accept-Ranges: bytes', ...fields]));
  });
  const staged = await stage(site.url);
  await ask(staged.url, 'GET /page');
  await staged.kept(1);
  return { ...staged, site, get: (...lines) => ask(staged.url, 'GET /page', lines) };
}

describe('preconditions against a copy', () => {
  test('If-None-Match that names it gets 304 with its validators and no body, others the whole', async () => {
    const { get } = await primed(60);
    const same = await get('If-None-Match: "v0", W/"v1"');
    expect([same.status, same.body.length, value(same, 'etag'), value(same, 'cache-control'), verdict(same)]).toEqual([304, 0, '"v1"', 'max-age=60', 'shadow fresh']);
    expect([values(same, 'transfer-encoding'), values(same, 'age').length]).toEqual([[], 1]);
    expect((await get('If-None-Match: "v0"')).status).toBe(200);
  });

  test('If-Modified-Since counts by Last-Modified, and only without If-None-Match', async () => {
    const { get } = await primed(60);
    expect((await get('If-Modified-Since: Mon, 02 Nov 2026 08:00:00 GMT')).status).toBe(304);
    expect((await get('If-Modified-Since: Mon, 02 Nov 2026 07:59:59 GMT')).status).toBe(200);
    expect((await get('If-Modified-Since: Mon, 02 Nov 2026 08:00:00 GMT', 'If-None-Match: "v0"')).status).toBe(200);
  });

  test('If-Match and If-Unmodified-Since that fail get 412 without a body', async () => {
    const { get, site } = await primed(60);
    for (const line of ['If-Match: "v0"', 'If-Match: W/"v1"', 'If-Unmodified-Since: Sun, 01 Nov 2026 08:00:00 GMT']) {
      const answer = await get(line);
      expect([line, answer.status, answer.body.length]).toEqual([line, 412, 0]);
    }
    expect((await get('If-Match: "v1"')).status).toBe(200);
    expect(site.asked.length).toBe(1);
  });
});

describe('ranges out of a copy', () => {
  test('a part, a suffix and an open end are 206 with their Content-Length', async () => {
    const { get } = await primed(60);
    for (const [range, first, last] of [['5-14', 5, 14], ['-3', 997, 999], ['990-', 990, 999], ['990-5000', 990, 999]] as const) {
      const answer = await get(`Range: bytes=${range}`);
      expect([range, answer.status, value(answer, 'content-range'), answer.framing, answer.body.toString()])
        .toEqual([range, 206, `bytes ${first}-${last}/1000`, 'length', digits.slice(first, last + 1)]);
    }
  });

  test('one that can not be satisfied is 416; several, malformed ones and other units get the whole', async () => {
    const { get } = await primed(60);
    const answer = await get('Range: bytes=1000-');
    expect([answer.status, value(answer, 'content-range')]).toEqual([416, 'bytes */1000']);
    for (const range of ['bytes=0-1,5-6', 'bytes=5-1', 'lines=0-1', 'bytes=a-b']) expect([range, (await get(`Range: ${range}`)).status]).toEqual([range, 200]);
  });

  test('If-Range holds by a strong tag or the exact date; otherwise the whole comes', async () => {
    const { get } = await primed(60);
    for (const [ifRange, status] of [['"v1"', 206], ['W/"v1"', 200], ['"v0"', 200], ['Mon, 02 Nov 2026 08:00:00 GMT', 206], ['Mon, 02 Nov 2026 08:00:01 GMT', 200]] as const) {
      expect([ifRange, (await get('Range: bytes=0-1', `If-Range: ${ifRange}`)).status]).toEqual([ifRange, status]);
    }
  });

  test('HEAD with Range describes the whole', async () => {
    const { url } = await primed(60);
    const answer = await ask(url, 'HEAD /page', ['Range: bytes=0-1']);
    expect([answer.status, value(answer, 'content-length')]).toEqual([200, '1000']);
  });
});

test('Range, If-Range and preconditions pass to the origin where there is no copy, and its part is not kept', async () => {
  const site = await origin((_, socket) => { socket.write(reply('23', [cached, 'Content-Range: bytes 2-3/10'], '206 Partial Content')); });
  const { url, edge } = await stage(site.url);
  const answer = await ask(url, 'GET /page', ['Range: bytes=2-3', 'If-Range: "v1"', 'If-Match: "v1"']);
  expect([answer.status, answer.framing, answer.body.toString(), value(answer, 'content-range')]).toEqual([206, 'length', '23', 'bytes 2-3/10']);
  const [asked] = site.asked;
  expect(asked && [value(asked, 'range'), value(asked, 'if-range'), value(asked, 'if-match')]).toEqual(['bytes=2-3', '"v1"', '"v1"']);
  expect(edge.figures().captures).toEqual({ partial: 1 });
});

describe('a stale copy', () => {
  test('is validated, and a 304 renews it', async () => {
    const { get, site } = await primed(0);
    const answer = await get();
    expect([answer.status, verdict(answer), answer.body.toString(), value(answer, 'x-renewed')]).toEqual([200, 'shadow revalidated', digits, 'yes']);
    expect(site.asked[1] && [value(site.asked[1], 'if-none-match'), value(site.asked[1], 'if-modified-since')]).toEqual(['"v1"', 'Mon, 02 Nov 2026 08:00:00 GMT']);
  });

  test('is replaced by a 200', async () => {
    let version = 1;
    const site = await origin((_, socket) => { socket.write(reply(`version ${version}`, ['Cache-Control: max-age=0', `ETag: "v${version}"`])); });
    const { url, kept } = await stage(site.url);
    await ask(url, 'GET /page');
    await kept(1);
    version = 2;
    const answer = await ask(url, 'GET /page');
    expect([answer.body.toString(), verdict(answer), value(answer, 'etag')]).toEqual(['version 2', 'origin origin-well', '"v2"']);
  });

  test('answers the visitor\'s own precondition after the origin has confirmed it or sent a new one', async () => {
    const { get, site } = await primed(0);
    expect([(await get('If-None-Match: "v1"')).status, (await get('If-None-Match: "v0"')).status]).toEqual([304, 200]);
    const part = await get('Range: bytes=0-4');
    expect([part.status, part.body.toString()]).toEqual([206, '01234']);
    expect(site.asked.slice(1).map((asked) => [values(asked, 'if-none-match'), values(asked, 'range')])).toEqual([[['"v1"'], []], [['"v1"'], []], [['"v1"'], []]]);
  });

  test('is brought up to date by HEAD', async () => {
    const site = await origin(({ method }, socket) => {
      socket.write(method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nCache-Control: max-age=60\r\nETag: "v1"\r\n\r\n' : reply('page', ['Cache-Control: max-age=0', 'ETag: "v1"']));
    });
    const { url, kept } = await stage(site.url);
    await ask(url, 'GET /page');
    await kept(1);
    await ask(url, 'HEAD /page');
    expect(verdict(await ask(url, 'GET /page'))).toBe('shadow fresh');
  });

  test('within stale-while-revalidate answers at once and is refreshed once', async () => {
    let version = 1;
    const site = await origin((_, socket) => { socket.write(reply(`version ${version}`, [`Cache-Control: max-age=${version === 1 ? 0 : 60}, stale-while-revalidate=60`])); });
    const { url, kept } = await stage(site.url);
    await ask(url, 'GET /page');
    await kept(1);
    version = 2;
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(url, 'GET /page')));
    expect(answers.filter((answer) => answer.body.toString() === 'version 1').length).toBeGreaterThan(0);
    await until('the new version', async () => verdict(await ask(url, 'GET /page')) === 'shadow fresh');
    expect([(await ask(url, 'GET /page')).body.toString(), site.asked.length]).toEqual(['version 2', 2]);
  });
});

describe('coalescing', () => {
  /** An origin that keeps its answers back until told. */
  async function held(fields: readonly string[]): Promise<{ readonly site: Origin; readonly release: () => void; readonly staged: Stage }> {
    const waiting: (() => void)[] = [];
    let open = false;
    const site = await origin((_, socket) => {
      const answer = (): void => { socket.write(reply('page', fields)); };
      if (open) answer();
      else waiting.push(answer);
    });
    return { site, staged: await stage(site.url), release: () => { open = true; for (const answer of waiting.splice(0)) answer(); } };
  }

  test('50 equal misses are one request at the origin', async () => {
    const { site, staged, release } = await held([cached]);
    const answers = Array.from({ length: 50 }, () => ask(staged.url, 'GET /page'));
    await until('all to be under way', () => staged.edge.figures().connections === 50);
    release();
    const verdicts = (await Promise.all(answers)).map((answer) => `${answer.body.toString()} ${verdict(answer)}`);
    expect([site.asked.length, verdicts.filter((one) => one === 'page shadow coalesced').length]).toEqual([1, 49]);
  });

  test('requests with cookies or Authorization are not coalesced', async () => {
    for (const line of ['Cookie: sid=1', 'Authorization: Basic eDp5', 'Cache-Control: no-store']) {
      const { site, staged, release } = await held([cached]);
      const answers = Array.from({ length: 5 }, () => ask(staged.url, 'GET /page', [line]));
      await until('all to be at the origin', () => site.asked.length === 5);
      release();
      await Promise.all(answers);
    }
  });

  test('pages that can not be shared wait for one another once at most', async () => {
    const { site, staged, release } = await held(['Cache-Control: private']);
    const first = Array.from({ length: 10 }, () => ask(staged.url, 'GET /page'));
    await until('all to be under way', () => staged.edge.figures().connections === 10);
    expect(site.asked.length).toBe(1);
    release();
    for (const answer of await Promise.all(first)) expect([answer.body.toString(), verdict(answer)]).toEqual(['page', 'origin no-shadow']);
    expect(site.asked.length).toBe(10);
  });

  test('what is known not to be shareable is not held back at all', async () => {
    const waiting: (() => void)[] = [];
    const site = await origin(({ target }, socket) => {
      const answer = (): void => { socket.write(reply(target, ['Cache-Control: no-store'])); };
      if (site.asked.length === 1) answer();
      else waiting.push(answer);
    });
    const { url } = await stage(site.url);
    await ask(url, 'GET /page');
    const next = Array.from({ length: 10 }, () => ask(url, 'GET /page'));
    await until('all to be at the origin', () => site.asked.length === 11);
    for (const answer of waiting) answer();
    await Promise.all(next);
  });

  test('a leader that leaves does not take the others\' request with it', async () => {
    const { site, staged, release } = await held([cached]);
    const leave = new AbortController();
    const leader = fetch(`${staged.url}/page`, { signal: leave.signal }).then(() => 'answered', () => 'left');
    await until('the leader to be at the origin', () => site.asked.length === 1);
    const follower = ask(staged.url, 'GET /page');
    await until('both to be under way', () => staged.edge.figures().connections === 2);
    leave.abort();
    expect(await leader).toBe('left');
    await until('the leader to be gone', () => staged.edge.figures().connections === 1);
    release();
    expect((await follower).body.toString()).toBe('page');
    expect(site.asked.length).toBe(1);
  });
});

describe('a request that changes things', () => {
  const changing = async (method: string, fields: readonly string[], status = '200 OK'): Promise<{ readonly asked: string[]; readonly staged: Stage; readonly site: Origin }> => {
    let own = '';
    const site = await origin((asked, socket) => {
      if (asked.method === 'GET') socket.write(reply(`page ${asked.target}`, [cached]));
      else socket.write(reply('', fields.map((field) => field.replace('ORIGIN', own)), status));
    });
    own = site.url;
    const staged = await stage(site.url);
    for (const path of ['/a', '/b', '/c']) await ask(staged.url, `GET ${path}`);
    await staged.kept(3);
    await ask(staged.url, `${method} /a`, [], 'x');
    const verdicts: string[] = [];
    for (const path of ['/a', '/b', '/c']) verdicts.push(verdict(await ask(staged.url, `GET ${path}`)));
    return { asked: verdicts, staged, site };
  };

  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'PROPPATCH']) {
    test(`${method} makes the copy of its target stale`, async () => {
      const { asked, staged } = await changing(method, []);
      expect(asked).toEqual(['origin origin-well', 'shadow fresh', 'shadow fresh']);
      expect(staged.outbox.invalidated).toEqual(['/a'] as unknown as typeof staged.outbox.invalidated); // keys are plain paths here
    });
  }

  test('and those of Location and Content-Location, written as ours, as the origin\'s own or relative', async () => {
    expect((await changing('POST', ['Location: /b', 'Content-Location: c'])).asked).toEqual(['origin origin-well', 'origin origin-well', 'origin origin-well']);
    expect((await changing('POST', ['Location: ORIGIN/b'], '201 Created')).asked).toEqual(['origin origin-well', 'origin origin-well', 'shadow fresh']);
    expect((await changing('POST', ['Location: http://elsewhere.example/b'])).asked).toEqual(['origin origin-well', 'shadow fresh', 'shadow fresh']);
  });

  test('but not one that failed, nor a safe one', async () => {
    expect((await changing('POST', [], '403 Forbidden')).asked).toEqual(['shadow fresh', 'shadow fresh', 'shadow fresh']);
    expect((await changing('OPTIONS', [])).asked).toEqual(['shadow fresh', 'shadow fresh', 'shadow fresh']);
  });

  test('the stale copy is still there for an outage', async () => {
    const { staged, site } = await changing('DELETE', []);
    await ask(staged.url, 'POST /b', [], 'x');
    site.stop();
    const rescued = await ask(staged.url, 'GET /b');
    expect([rescued.status, rescued.body.toString(), verdict(rescued).split(' ')[0]]).toEqual([200, 'page /b', 'rescue']);
  });
});

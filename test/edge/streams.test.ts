/** Bodies that come and go in pieces: at once, with back-pressure, and to their visible end. */
import { afterEach, describe, expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import type { Socket as BareSocket } from 'bun';
import { residentBytes, until } from '../../bench/machine/program.ts';
import { onStrike, stage, strike } from './stage.ts';
import { ask, cached, origin, reply, Session, value, values, verdict } from './wire.ts';

afterEach(strike);

const mib = 1024 ** 2;
const unprobed = 'origin: { probe: { interval: 1h, timeout: 10ms } }';
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

/** An origin whose sockets can be made to stand still, which the runtime's node:net can't. Probes are dropped. */
async function bareOrigin(does: { readonly request?: (socket: BareSocket) => void; readonly data?: (socket: BareSocket, data: Buffer) => void; readonly drain?: (socket: BareSocket) => void }): Promise<string> {
  const server = Bun.listen({
    hostname: '127.0.0.1', port: 0,
    socket: {
      data: (socket, data) => {
        if (data.includes('oreshadow-purpose: probe')) socket.end();
        else if (does.data) does.data(socket, data);
        else does.request?.(socket);
      },
      drain: (socket) => does.drain?.(socket),
    },
  });
  onStrike(() => { server.stop(true); });
  return `http://127.0.0.1:${server.port}`;
}

/** Writes `total` bytes as fast as they are taken. */
function pump(total: number): { readonly sent: number; start(socket: BareSocket): void; more(socket: BareSocket): void } {
  const piece = Buffer.alloc(mib / 4, 'z');
  let sent = -1;
  const more = (socket: BareSocket): void => {
    while (sent >= 0 && sent < total) {
      const taken = socket.write(piece.subarray(0, Math.min(piece.length, total - sent)));
      sent += Math.max(0, taken);
      if (taken < piece.length) return;
    }
  };
  return { get sent() { return Math.max(0, sent); }, start: (socket) => { sent = 0; more(socket); }, more };
}

/** Resolves when a count that had begun has not moved for a while. */
async function standsStill(what: string, count: () => number): Promise<void> {
  let before = -1;
  await until(`${what} to stand still`, () => {
    const now = count();
    const still = now > 0 && now === before;
    before = now;
    return still;
  }, 10_000, 200);
}

describe('answers', () => {
  test('a chunked body that comes slowly reaches the client chunk by chunk', async () => {
    let socketOfOrigin: Socket | undefined;
    const site = await origin((_, socket) => {
      socketOfOrigin = socket;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('one')}`);
    });
    const { url } = await stage(site.url);
    const session = await Session.open(url);
    session.send('GET /');
    for (const [piece, next] of [['one', 'two'], ['two', 'three'], ['three', '']] as const) {
      await until(`"${piece}"`, () => session.received.includes(piece));
      if (next !== '') expect(session.received.includes(next)).toBe(false);
      socketOfOrigin?.write(next === '' ? '0\r\n\r\n' : chunk(next));
    }
    const answer = await session.answer();
    expect([answer.framing, answer.whole, answer.body.toString()]).toEqual(['chunked', true, 'onetwothree']);
  });

  test('server-sent events pass at once, and are not kept', async () => {
    const sockets: Socket[] = [];
    const site = await origin((_, socket) => {
      sockets.push(socket);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('data: 1\n\n')}`);
    });
    const { url } = await stage(site.url);
    const session = await Session.open(url);
    session.send('GET /events', ['Accept: text/event-stream']);
    await until('the first event', () => session.received.includes('data: 1'));
    sockets[0]?.write(chunk('data: 2\n\n'));
    await until('the second event', () => session.received.includes('data: 2'));
    const other = await Session.open(url);
    other.send('GET /events', ['Accept: text/event-stream']);
    await until('another listener\'s own stream', () => other.received.includes('data: 1') && sockets.length === 2);
  });

  test('the head of an event stream is there before its first event', async () => {
    const site = await origin((_, socket) => { socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'); });
    const { url } = await stage(site.url);
    const session = await Session.open(url);
    session.send('GET /events');
    await until('the head', () => session.received.includes('text/event-stream'));
  });

  test('a large body through a slow client is held back at the origin, not in memory', async () => {
    const total = 64 * mib;
    const source = pump(total);
    const site = await bareOrigin({
      request: (socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
        source.start(socket);
      },
      drain: (socket) => { source.more(socket); },
    });
    const { url } = await stage(site, unprobed);
    let received = 0;
    let ended = false;
    // What earlier tests have left counts on neither side.
    Bun.gc(true);
    const before = residentBytes([process.pid]).own;
    const client = await Bun.connect({
      hostname: '127.0.0.1', port: Number(new URL(url).port),
      socket: {
        data: (socket, data) => {
          if (received === 0) socket.pause();
          received += data.length;
          ended = data.subarray(-5).toString('latin1') === '0\r\n\r\n';
        },
      },
    });
    onStrike(() => { client.terminate(); });
    client.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the first bytes', () => received > 0);
    await standsStill('what the origin has sent', () => source.sent);
    expect(source.sent).toBeLessThan(total / 2);
    Bun.gc(true);
    expect(residentBytes([process.pid]).own - before).toBeLessThan(total);
    client.resume();
    await until('the whole body', () => received >= total && ended, 20_000);
  }, 30_000);
});

describe('uploads', () => {
  test('keep their Content-Length', async () => {
    const site = await origin(({ body }, socket) => { socket.write(reply(String(body.length))); });
    const { url } = await stage(site.url);
    for (const [method, bytes] of [['POST', 0], ['POST', 5], ['PUT', 3 * mib], ['DELETE', 7]] as const) {
      const answer = await ask(url, `${method} /form`, [], Buffer.alloc(bytes, 'u'));
      const asked = site.asked.at(-1);
      expect([method, answer.body.toString(), asked && values(asked, 'content-length'), asked && values(asked, 'transfer-encoding')]).toEqual([method, String(bytes), [String(bytes)], []]);
    }
  });

  test('stay chunked where they are', async () => {
    const site = await origin(({ body }, socket) => { socket.write(reply(body.toString())); });
    const { url } = await stage(site.url);
    const answer = await ask(url, 'POST /form', ['Transfer-Encoding: chunked'], `${chunk('one')}${chunk('two')}0\r\n\r\n`);
    const [asked] = site.asked;
    expect([answer.body.toString(), asked && values(asked, 'content-length'), asked && values(asked, 'transfer-encoding')]).toEqual(['onetwo', [], ['chunked']]);
  });

  test('reach the origin while they are still coming', async () => {
    let received = '';
    const site = await bareOrigin({
      data: (socket, data) => {
        received += data.toString('latin1');
        if (received.endsWith('last')) socket.write(reply('thanks'));
      },
    });
    const { url } = await stage(site, unprobed);
    const session = await Session.open(url);
    session.send('POST /form', ['Content-Length: 9']);
    session.socket.write('first');
    await until('the first part to be at the origin', () => received.includes('first'));
    session.socket.write('last');
    expect((await session.answer()).body.toString()).toBe('thanks');
  });

  test('of 64 MiB are held back at the client while the origin does not read, not in memory', async () => {
    const total = 64 * mib;
    let received = 0;
    let reading: BareSocket | undefined;
    const site = await bareOrigin({
      data: (socket, data) => {
        if (received === 0) {
          reading = socket;
          socket.pause();
        }
        received += data.length;
        if (received >= total) socket.end(reply('thanks', ['Connection: close']));
      },
    });
    const { url } = await stage(site, unprobed);
    const before = residentBytes([process.pid]).own;
    const source = pump(total);
    let answer = '';
    const client = await Bun.connect({
      hostname: '127.0.0.1', port: Number(new URL(url).port),
      socket: { data: (_, data) => { answer += data.toString('latin1'); }, drain: (socket) => { source.more(socket); } },
    });
    onStrike(() => { client.terminate(); });
    client.write(`POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`);
    source.start(client);
    await until('the origin to get something', () => received > 0);
    await standsStill('what the client has sent', () => source.sent);
    expect(source.sent).toBeLessThan(total / 2);
    expect(residentBytes([process.pid]).own - before).toBeLessThan(32 * mib);
    reading?.resume();
    await until('the answer', () => answer.endsWith('thanks'), 20_000);
    expect(received).toBeGreaterThan(total);
  }, 30_000);
});

describe('an end before the end', () => {
  test('a client that leaves takes its waiting request with it', async () => {
    const site = await origin(() => undefined);
    const { url } = await stage(site.url);
    for (const [request, body] of [['GET /page', undefined], ['POST /form', 'x']] as const) {
      const session = await Session.open(url);
      const before = site.asked.length;
      session.send(request, [], body);
      await until('the request to be at the origin', () => site.asked.length > before && site.sockets.size > 0);
      session.socket.destroy();
      await until('the origin\'s connection to be closed', () => site.sockets.size === 0);
    }
  });

  for (const [what, head] of [['of known length', `Content-Length: ${8 * mib}`], ['of unknown length', 'Transfer-Encoding: chunked']] as const) {
    test(`a client that leaves in the middle of a large body ${what} ends it at the origin`, async () => {
      const piece = 'x'.repeat(mib);
      const site = await origin((_, socket) => { socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${head.startsWith('C') ? piece + piece : chunk(piece) + chunk(piece)}`); });
      const { url } = await stage(site.url);
      const session = await Session.open(url);
      session.send('GET /large');
      await until('a part', () => session.received.length > mib);
      session.socket.destroy();
      await until('the origin\'s connection to be closed', () => site.sockets.size === 0);
    });

    test(`an origin that dies in the middle of a large body ${what} ends the client's connection visibly`, async () => {
      const piece = 'x'.repeat(mib);
      const site = await origin((_, socket) => { socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${head.startsWith('C') ? piece + piece : chunk(piece) + chunk(piece)}`); });
      const { url } = await stage(site.url);
      const answer = await ask(url, 'GET /large');
      expect([answer.status, answer.whole]).toEqual([200, false]);
    });
  }

  for (const [what, cut] of [
    ['of known length', `HTTP/1.1 200 OK\r\n${cached}\r\nContent-Length: 100\r\n\r\nhalf`],
    ['of unknown length', `HTTP/1.1 200 OK\r\n${cached}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('half')}`],
    ['that never gets a head', ''],
    ['whose head is cut', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['that is no HTTP', 'hello\r\n\r\n'],
  ] as const) {
    test(`a small answer ${what} is rescued whole from a copy, and is 502 without one`, async () => {
      let dies = false;
      const site = await origin((_, socket) => {
        if (dies) socket.end(cut);
        else socket.write(reply('whole page', ['Cache-Control: max-age=0']));
      });
      const { url, kept, edge } = await stage(site.url);
      await ask(url, 'GET /page');
      await kept(1);
      dies = true;
      const rescued = await ask(url, 'GET /page');
      expect([rescued.status, rescued.body.toString(), verdict(rescued)]).toEqual([200, 'whole page', 'rescue cut']);
      expect(value(rescued, 'proxy-status')).toContain('foreshadow; error=');
      const lost = await ask(url, 'GET /other');
      expect([lost.status, verdict(lost)]).toEqual([502, 'none cut']);
      expect(edge.figures().captures).toEqual({ kept: 1 });
    });
  }

  test('a POST is sent once even where the origin drops the connection it comes on', async () => {
    const site = await origin(({ method }, socket) => {
      if (method === 'POST') socket.destroy();
      else socket.write(reply('page'));
    });
    const { url } = await stage(site.url);
    await ask(url, 'GET /page');
    const answer = await ask(url, 'POST /buy', [], 'one');
    expect([answer.status, verdict(answer)]).toEqual([502, 'none cut']);
    expect(site.asked.filter(({ method }) => method === 'POST').length).toBe(1);
  });
});

describe('an origin that does not answer', () => {
  test('is given the rescue delay where there is a copy, and the time-out where there is none', async () => {
    let answers = true;
    const site = await origin((_, socket) => { if (answers) socket.write(reply('page', ['Cache-Control: max-age=0'])); });
    const { url, kept } = await stage(site.url, 'routing: { rescueAfter: 50ms }\ntimeouts: { firstByte: 300ms }');
    await ask(url, 'GET /page');
    await kept(1);
    answers = false;
    const rescued = await ask(url, 'GET /page');
    expect([rescued.body.toString(), verdict(rescued)]).toEqual(['page', 'rescue late']);
    const lost = await ask(url, 'GET /other');
    expect([lost.status, verdict(lost)]).toEqual([504, 'none timeout']);
    expect(value(lost, 'proxy-status')).toContain('error=http_response_timeout');
  });

  test('is seen at once where it refuses connections', async () => {
    const site = await origin((_, socket) => { socket.write(reply('page', ['Cache-Control: max-age=0'])); });
    const { url, kept } = await stage(site.url);
    await ask(url, 'GET /page');
    await kept(1);
    site.stop();
    const rescued = await ask(url, 'GET /page');
    expect([rescued.body.toString(), verdict(rescued).split(' ')[0]]).toEqual(['page', 'rescue']);
    const lost = await ask(url, 'GET /other', ['Accept: application/json']);
    expect([lost.status, value(lost, 'content-type'), values(lost, 'retry-after').length]).toEqual([503, 'application/problem+json', 1]);
    expect((await ask(url, 'POST /form', [], 'x')).status).toBe(503);
  });
});

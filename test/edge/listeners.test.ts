/** Listeners: several regions in one process, TLS with both HTTP versions, new certificates without a dropped connection, and the end. */
import { afterEach, describe, expect, test } from 'bun:test';
import { copyFileSync } from 'node:fs';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { until } from '../../bench/machine/program.ts';
import { configOf, onStrike, stage, strike, temporaryFolder, type Stage } from './stage.ts';
import { ask, cached, origin, reply, Session, value, values, verdict, type Origin } from './wire.ts';

afterEach(strike);

const mib = 1024 ** 2;

/** A self-signed certificate for localhost; its serial number tells it from others. */
async function certificate(folder: string, serial: number): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = [join(folder, `${serial}.pem`), join(folder, `${serial}.key`)];
  const made = Bun.spawn(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-set_serial', String(serial),
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert], { stdout: 'ignore', stderr: 'pipe' });
  if (await made.exited !== 0) throw new Error(await new Response(made.stderr).text());
  return { cert, key };
}

interface Secure extends Stage {
  readonly site: Origin;
  readonly port: number;
  readonly folder: string;
  readonly text: string;
}

async function secure(handle: Parameters<typeof origin>[0] = (_, socket) => { socket.write(reply('page', [cached, 'Set-Cookie: a=1', 'Set-Cookie: b=2'])); }): Promise<Secure> {
  const folder = temporaryFolder();
  const { cert, key } = await certificate(folder, 1);
  const [liveCert, liveKey] = [join(folder, 'live.pem'), join(folder, 'live.key')];
  copyFileSync(cert, liveCert);
  copyFileSync(key, liveKey);
  const text = `regions: [{ name: eu, listen: "127.0.0.1:0", tls: { cert: ${liveCert}, key: ${liveKey} } }]`;
  const site = await origin(handle);
  const staged = await stage(site.url, text);
  return { ...staged, site, folder, text, port: staged.ports[0] ?? 0 };
}

async function tls(port: number, protocols: readonly string[]): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false, ALPNProtocols: [...protocols] });
  onStrike(() => { socket.destroy(); });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

async function http2(port: number): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://localhost:${port}`, { createConnection: () => connectTls({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false, ALPNProtocols: ['h2'] }) });
  onStrike(() => { session.destroy(); });
  await new Promise<void>((resolve, reject) => {
    session.once('connect', () => { resolve(); });
    session.once('error', reject);
  });
  return session;
}

interface Http2Answer {
  readonly status: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function ask2(session: ClientHttp2Session, headers: Record<string, string | string[]>, body?: string | Uint8Array): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers);
    let answered: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    stream.on('response', (received) => { answered = received; });
    stream.on('data', (chunk: Buffer) => { chunks.push(chunk); });
    stream.on('error', reject);
    stream.on('end', () => { resolve({ status: answered[':status'], headers: answered, body: Buffer.concat(chunks).toString() }); });
    stream.end(body);
  });
}

const serialOf = (socket: TLSSocket): number => Number.parseInt(socket.getPeerCertificate().serialNumber, 16);

test('several regions listen in one process and share copies', async () => {
  const site = await origin((_, socket) => { socket.write(reply('page', [cached])); });
  const { ports, edge } = await stage(site.url, 'regions: [{ name: eu, listen: "127.0.0.1:0" }, { name: us, listen: "127.0.0.1:0" }, { name: asia, listen: "127.0.0.1:0" }]');
  const told: string[] = [];
  for (const port of ports) {
    const answer = await ask(`http://127.0.0.1:${port}`, 'GET /page');
    told.push(`${/region=([a-z]+)/.exec(value(answer, 'foreshadow') ?? '')?.[1] ?? ''} ${verdict(answer)}`);
  }
  expect(told).toEqual(['eu origin no-shadow', 'us shadow fresh', 'asia shadow fresh']);
  expect(edge.figures().regions.map(({ region, answers }) => [region, answers])).toEqual([['eu', { 'origin no-shadow': 1 }], ['us', { 'shadow fresh': 1 }], ['asia', { 'shadow fresh': 1 }]]);
});

test('a page that varies on the scheme is kept for each, whatever a visitor claims', async () => {
  const folder = temporaryFolder();
  const { cert, key } = await certificate(folder, 1);
  const site = await origin((asked, socket) => { socket.write(reply(value(asked, 'x-forwarded-proto') ?? '', [cached, 'Vary: X-Forwarded-Proto'])); });
  const { ports, kept } = await stage(site.url, `regions: [{ name: plain, listen: "127.0.0.1:0" }, { name: secure, listen: "127.0.0.1:0", tls: { cert: ${cert}, key: ${key} } }]`);
  const plain = (): Promise<string> => ask(`http://127.0.0.1:${ports[0] ?? 0}`, 'GET /', ['X-Forwarded-Proto: https']).then((answer) => `${answer.body.toString()} ${verdict(answer)}`);
  const session = await http2(ports[1] ?? 0);
  expect([await plain(), (await ask2(session, { ':path': '/' })).body]).toEqual(['http origin no-shadow', 'https']);
  await kept(2);
  expect([await plain(), (await ask2(session, { ':path': '/' })).body, site.asked.length]).toEqual(['http shadow fresh', 'https', 2]);
});

describe('TLS', () => {
  test('serves HTTP/1.1, and tells the origin that it was https', async () => {
    const { port, site } = await secure();
    const socket = await tls(port, ['http/1.1']);
    let received = '';
    socket.on('data', (data: Buffer) => { received += data.toString('latin1'); });
    socket.write('GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('the answer', () => received.endsWith('page'));
    const [asked] = site.asked;
    expect([received.startsWith('HTTP/1.1 200'), socket.alpnProtocol, asked && value(asked, 'x-forwarded-proto')]).toEqual([true, 'http/1.1', 'https']);
  });

  test('serves HTTP/2: pages, several cookies, uploads, ranges and refusals', async () => {
    const { port, site, kept } = await secure(({ method, body }, socket) => {
      socket.write(method === 'POST' ? reply(String(body.length)) : reply('0123456789', [cached, 'Set-Cookie: a=1', 'Set-Cookie: b=2'].slice(0, site.asked.length > 1 ? 1 : 3)));
    });
    const session = await http2(port);
    const page = await ask2(session, { ':path': '/first' });
    expect([page.status, page.body, page.headers['set-cookie'], page.headers['connection'], page.headers['transfer-encoding']]).toEqual([200, '0123456789', ['a=1', 'b=2'], undefined, undefined]);
    await ask2(session, { ':path': '/second', 'cookie': 'x=1', 'te': 'trailers' });
    const [, asked] = site.asked;
    expect(asked && [value(asked, 'host'), value(asked, 'x-forwarded-host'), value(asked, 'cookie'), values(asked, 'te'), asked.start]).toEqual([new URL(site.url).host, `localhost:${port}`, 'x=1', [], 'GET /second HTTP/1.1']);
    await ask2(session, { ':path': '/third' });
    await kept(1);
    const part = await ask2(session, { ':path': '/third', 'range': 'bytes=2-4' });
    expect([part.status, part.body]).toEqual([206, '234']);
    expect((await ask2(session, { ':path': '/form', ':method': 'POST' }, Buffer.alloc(2 * mib, 'u'))).body).toBe(String(2 * mib));
    expect((await ask2(session, { ':path': '/x', 'cdn-loop': 'foreshadow' })).status).toBe(508);
  });

  test('joins cookies that HTTP/2 clients send apart as cookies are joined', async () => {
    const { port, site } = await secure();
    await ask2(await http2(port), { ':path': '/', 'cookie': ['a=1', 'b=2', 'c=3'] });
    expect(site.asked.map((asked) => values(asked, 'cookie'))).toEqual([['a=1; b=2; c=3']]);
  });

  test('serves 100 streams of one HTTP/2 connection at once', async () => {
    const { port } = await secure(({ target }, socket) => { socket.write(reply(`${target} ${'x'.repeat(20_000)}`)); });
    const session = await http2(port);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask2(session, { ':path': `/page-${i}` })));
    expect(answers.map(({ body }, i) => body.startsWith(`/page-${i} `) && body.length > 20_000)).toEqual(answers.map(() => true));
  });

  test('a stream that a client resets is ended at the origin, and the connection lives', async () => {
    const { port, site } = await secure(({ target }, socket) => { if (target !== '/never') socket.write(reply('page')); });
    const session = await http2(port);
    const stream = session.request({ ':path': '/never' });
    stream.on('error', () => undefined);
    await until('the request to be at the origin', () => site.asked.length === 1);
    stream.close(8);
    await until('the origin\'s connection to be closed', () => site.sockets.size === 0);
    expect((await ask2(session, { ':path': '/page' })).body).toBe('page');
  });

  const renew = async ({ folder }: Secure, serial: number): Promise<void> => {
    const next = await certificate(folder, serial);
    copyFileSync(next.cert, join(folder, 'live.pem'));
    copyFileSync(next.key, join(folder, 'live.key'));
  };

  test('a new certificate is in force after a reload, while requests under way finish on the old one', async () => {
    const staged = await secure(({ target }, socket) => { if (!target.startsWith('/slow')) socket.write(reply('page')); });
    const { edge, port, text, site, dataDir } = staged;
    const before = await tls(port, ['http/1.1']);
    let received = '';
    before.on('data', (data: Buffer) => { received += data.toString('latin1'); });
    before.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const slow = ask2(await http2(port), { ':path': '/slow2' });
    await until('both to be at the origin', () => site.asked.length === 2);
    for (const serial of [2, 3]) {
      await renew(staged, serial);
      await edge.reload(configOf(text, site.url, dataDir));
      for (let i = 0; i < 10; i++) expect(serialOf(await tls(port, ['http/1.1']))).toBe(serial);
    }
    expect(edge.figures().connections).toBe(2);
    for (const socket of site.sockets) socket.write(reply('slow page'));
    await until('the answer on the old connection', () => received.endsWith('slow page'));
    expect((await slow).body).toBe('slow page');
    expect((await ask2(await http2(port), { ':path': '/page' })).body).toBe('page');
  });

  test('a reload with the same certificate touches no connection', async () => {
    const { edge, port, text, site, dataDir } = await secure();
    const session = await http2(port);
    await ask2(session, { ':path': '/page' });
    await edge.reload(configOf(text, site.url, dataDir));
    expect([(await ask2(session, { ':path': '/page' })).body, session.closed]).toEqual(['page', false]);
  });

  for (const [what, spoil] of [
    ['can not be read', (folder: string) => { copyFileSync(join(folder, '1.key'), join(folder, 'live.pem')); }],
    ['does not fit its key', (folder: string) => { copyFileSync(join(folder, '2.pem'), join(folder, 'live.pem')); }],
  ] as const) {
    test(`a certificate that ${what} leaves the old one and the old configuration in force`, async () => {
      const { edge, port, folder, text, site, dataDir } = await secure();
      await certificate(folder, 2);
      spoil(folder);
      let problem = '';
      await edge.reload(configOf(`${text}\nhosts: [shop.example]`, site.url, dataDir)).catch((error: unknown) => { problem = String(error); });
      expect(problem).toContain('live.pem');
      expect(serialOf(await tls(port, ['http/1.1']))).toBe(1);
      expect((await ask2(await http2(port), { ':path': '/page' })).status).toBe(200);
    });
  }

  test('a port that somebody holds is refused, though it can be shared', async () => {
    const { text, port, site } = await secure();
    const second = await stage(site.url, text.replace('127.0.0.1:0', `127.0.0.1:${port}`)).then(() => 'listens', String);
    expect(second).toContain('can not listen');
  });
});

describe('the end', () => {
  test('a request under way finishes, new connections are refused', async () => {
    let finish = (): void => undefined;
    const site = await origin((_, socket) => { finish = () => { socket.write(reply('finished')); }; });
    const { edge, url } = await stage(site.url, 'drainTimeout: 20s');
    const session = await Session.open(url);
    session.send('GET /slow');
    await until('the request to be at the origin', () => site.asked.length === 1);
    const closed = edge.close();
    await until('new connections to be refused', () => Session.open(url).then((late) => { late.socket.destroy(); return false; }, () => true));
    finish();
    expect((await session.answer()).body.toString()).toBe('finished');
    await closed;
  });

  test('idle connections do not hold it up', async () => {
    const site = await origin((_, socket) => { socket.write(reply('page')); });
    const { edge, url } = await stage(site.url, 'drainTimeout: 1h');
    const session = await Session.open(url);
    await session.ask('GET /page');
    await edge.close();
    await until('the idle connection to be closed', () => session.closed);
  });

  test('a body that is still streaming finishes', async () => {
    const piece = 'x'.repeat(mib);
    let finish = (): void => undefined;
    const site = await origin((_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${3 * mib}\r\n\r\n${piece}`);
      finish = () => { socket.write(piece + piece); };
    });
    const { edge, url } = await stage(site.url, 'drainTimeout: 20s');
    const session = await Session.open(url);
    session.send('GET /large');
    await until('a part', () => session.received.length > 1000);
    const closed = edge.close();
    finish();
    const answer = await session.answer();
    expect([answer.whole, answer.body.length]).toEqual([true, 3 * mib]);
    await closed;
  });
});

test('a reload puts a new configuration in force without a dropped request', async () => {
  const site = await origin(({ target }, socket) => { if (target !== '/slow') socket.write(reply('page', [cached])); });
  const { edge, url, dataDir } = await stage(site.url);
  const slow = await Session.open(url);
  slow.send('GET /slow');
  await until('the request to be at the origin', () => site.asked.length === 1);
  await edge.reload(configOf('hosts: [shop.example]', site.url, dataDir));
  expect([(await ask(url, 'GET /page')).status, (await ask(url, 'GET /page', ['Host: shop.example'])).status]).toEqual([421, 200]);
  for (const socket of site.sockets) socket.write(reply('slow page'));
  expect((await slow.answer()).body.toString()).toBe('slow page');
});

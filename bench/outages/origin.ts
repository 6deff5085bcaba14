/**
 * The origin of the outage benchmark, a process of its own: `origin.ts PORT CONTROL_PORT PAGES`. It answers each page after
 * 15 ms and can be made to fail in every way of the list through its control port. Raw sockets, because it must
 * also not answer, cut bodies and close its listener. It counts what it saw by kind, and how many it served at once.
 */
import { bodyFor, sitemap, visitOf } from './site.ts';
import { capacity, modes, noCounts } from './origin-counts.ts';
import type { Mode, MutableOriginCounts, OriginCounts, RequestKind } from './origin-counts.ts';

const serviceMs = 15;
const slowMs = 3000;
const flapMs = 2000;


interface Connection { pending: string; closed: boolean; unsent: Buffer | undefined; serving: boolean }
type Socket = Bun.Socket<Connection>;

class Origin {
  readonly #port: number;
  readonly #pages: number;
  #mode: Mode = 'ok';
  #listener: Bun.TCPSocketListener<Connection> | undefined;
  #counts: MutableOriginCounts = noCounts();
  #inFlight = 0;
  #serial = 0;
  #flapper: ReturnType<typeof setInterval> | undefined;
  readonly #sockets = new Set<Socket>();

  constructor(port: number, pages: number) {
    this.#port = port;
    this.#pages = pages;
    this.#listen();
  }

  /** Changes what it does; returns what it saw since the last change. */
  setMode(mode: Mode): OriginCounts {
    const seen = this.#counts;
    this.#counts = noCounts();
    this.#counts.inFlightMax = this.#inFlight;
    const hung = this.#mode === 'hang';
    this.#mode = mode;
    clearInterval(this.#flapper);
    if (mode === 'refused') this.#refuse();
    else this.#listen();
    // What hung does not come back to life by itself: somebody restarted it.
    if (hung) this.#dropConnections();
    if (mode === 'flap') {
      this.#refuse();
      this.#flapper = setInterval(() => { if (this.#listener) this.#refuse(); else this.#listen(); }, flapMs);
    }
    return seen;
  }

  #refuse(): void {
    this.#listener?.stop(true);
    this.#listener = undefined;
    this.#dropConnections();
  }

  #dropConnections(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  #listen(): void {
    this.#listener ??= Bun.listen<Connection>({
      hostname: '127.0.0.1',
      port: this.#port,
      socket: {
        open: (socket) => {
          socket.data = { pending: '', closed: false, unsent: undefined, serving: false };
          this.#sockets.add(socket);
          this.#counts.connections++;
        },
        data: (socket, bytes) => {
          socket.data.pending += bytes.toString('latin1');
          this.#next(socket);
        },
        drain: (socket) => { if (socket.data.unsent) send(socket, socket.data.unsent); },
        close: (socket) => {
          this.#sockets.delete(socket);
          socket.data.closed = true;
          if (socket.data.serving) { socket.data.serving = false; this.#inFlight--; }
        },
      },
    });
  }

  /** Takes the next whole request of this connection; one at a time. */
  #next(socket: Socket): void {
    const connection = socket.data;
    const end = connection.pending.indexOf('\r\n\r\n');
    if (end < 0 || connection.serving) return;
    const head = connection.pending.slice(0, end);
    connection.pending = connection.pending.slice(end + 4);
    const target = head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/'));
    const field = (name: string): string => new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'i').exec(head)?.[1] ?? '';
    const path = target.split('?')[0] ?? target;
    this.#counts.requests[kindOf(path, field('foreshadow-purpose'))]++;
    if (this.#mode === 'hang') return;
    if (this.#mode === 'capacity' && this.#inFlight >= capacity) {
      this.#counts.turnedAway++;
      respond(socket, 503, Buffer.from('full\n'));
      this.#next(socket);
      return;
    }
    connection.serving = true;
    this.#inFlight++;
    this.#counts.inFlightMax = Math.max(this.#counts.inFlightMax, this.#inFlight);
    const mode = this.#mode;
    setTimeout(() => {
      if (connection.closed) return;
      connection.serving = false;
      this.#inFlight--;
      this.#answer(socket, mode, path, field);
      if (/^close$/i.test(field('connection'))) socket.end();
      else this.#next(socket);
    }, mode === 'slow' ? slowMs : serviceMs);
  }

  #answer(socket: Socket, mode: Mode, path: string, field: (name: string) => string): void {
    if (mode === 'errors') { respond(socket, 500, Buffer.from('broken\n')); return; }
    if (path === '/robots.txt') { respond(socket, 200, Buffer.from(`User-agent: *\nAllow: /\nSitemap: http://${field('host')}/sitemap.xml\n`), 'text/plain'); return; }
    if (path === '/sitemap.xml') { respond(socket, 200, Buffer.from(sitemap(`http://${field('host')}`, this.#pages)), 'application/xml'); return; }
    if (path === '/healthz') { respond(socket, 200, Buffer.from('ok\n'), 'text/plain'); return; }
    const visit = visitOf(path, field('user-agent'), field('cookie'));
    if (visit === undefined) { respond(socket, 404, Buffer.from('no such page\n')); return; }
    const body = bodyFor(visit, this.#serial++);
    const head = answerHead(200, body.length, 'text/html; charset=utf-8', 'Cache-Control: public, max-age=5\r\nVary: User-Agent, Cookie\r\n');
    if (mode !== 'cut') { send(socket, Buffer.concat([head, body])); return; }
    send(socket, Buffer.concat([head, body.subarray(0, body.length >> 1)]));
    socket.end();
  }
}

function kindOf(path: string, purpose: string): RequestKind {
  if (path === '/robots.txt' || path === '/sitemap.xml') return 'discovery';
  if (purpose === 'generate') return 'generate';
  return path === '/healthz' ? 'probe' : 'user';
}

function answerHead(status: number, length: number, type: string, extra: string): Buffer {
  return Buffer.from(`HTTP/1.1 ${status} ${status === 200 ? 'OK' : 'Error'}\r\nDate: ${new Date().toUTCString()}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n${extra}\r\n`, 'latin1');
}

function respond(socket: Socket, status: number, body: Buffer, type = 'text/plain'): void {
  send(socket, Buffer.concat([answerHead(status, body.length, type, status === 200 ? 'Cache-Control: max-age=60\r\n' : ''), body]));
}

function send(socket: Socket, bytes: Buffer): void {
  const sent = socket.write(bytes);
  socket.data.unsent = sent >= 0 && sent < bytes.length ? bytes.subarray(sent) : undefined;
}

if (import.meta.main) {
  const origin = new Origin(Number(process.argv[2]), Number(process.argv[4]));
  Bun.serve({
    hostname: '127.0.0.1',
    port: Number(process.argv[3]),
    fetch(request) {
      const wanted = new URL(request.url).searchParams.get('mode');
      const mode = modes.find((known) => known === wanted);
      return mode ? Response.json(origin.setMode(mode)) : new Response('unknown mode\n', { status: 400 });
    },
  });
}

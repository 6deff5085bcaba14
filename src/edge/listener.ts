/**
 * One region's listener: sockets, TLS, HTTP versions and connection limits, by the runtime's server. It knows nothing of
 * what is answered.
 *
 * The runtime can't change a server's certificate (oven-sh/bun#43815). So a new server takes over the port, and the old one
 * finishes what is under way; its idle connections are closed as HTTP provides for (GOAWAY, FIN between two answers).
 */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Server } from 'bun';
import type { Config, RegionConfig } from '../config/index.ts';
import { ForeshadowError, messageOf, type Log } from '../kernel/index.ts';
import type { Entrance } from './visit.ts';
import { visitorSide, type Bridge } from './websocket-bridge.ts';

export type Handler = (request: Request, entrance: Entrance, server: Server<Bridge>) => Response | undefined | Promise<Response | undefined>;

/** The runtime's idle time-out is a byte of seconds. */
const idleSecondsMax = 255;

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export class Listener implements Entrance {
  readonly region: Entrance['region'];
  readonly proto: 'http' | 'https';
  readonly #config: RegionConfig;
  readonly #options: { readonly timeouts: Config['timeouts']; readonly limits: Config['limits'] };
  readonly #log: Log;
  readonly #handler: Handler;
  /** Servers that finish what is under way since a new certificate took their place. */
  readonly #retiring = new Set<Server<Bridge>>();
  #certificate: Certificate | undefined;
  #server: Server<Bridge>;

  constructor(config: RegionConfig, options: Pick<Config, 'timeouts' | 'limits'>, handler: Handler, log: Log) {
    this.#config = config;
    this.#options = options;
    this.#log = log;
    this.region = config.name;
    this.proto = config.tls ? 'https' : 'http';
    this.#handler = handler;
    this.#certificate = this.readCertificate();
    this.#server = this.#listen();
  }

  /** The address that was bound; differs from the configured one where that had port 0. */
  get address(): string {
    return `${this.#server.hostname ?? this.#config.listen.hostname}:${this.#server.port ?? this.#config.listen.port}`;
  }

  get open(): number {
    let open = 0;
    for (const server of [this.#server, ...this.#retiring]) open += server.pendingRequests + server.pendingWebSockets;
    return open;
  }

  peerOf(request: Request): string | undefined {
    const address = this.#server.requestIP(request)?.address;
    if (address !== undefined || this.#retiring.size === 0) return address;
    for (const server of this.#retiring) {
      const there = server.requestIP(request)?.address;
      if (there !== undefined) return there;
    }
    return undefined;
  }

  /** What is in the files now; undefined without TLS. Throws where they can't be read or don't belong together. */
  readCertificate(): Certificate | undefined {
    const { tls } = this.#config;
    if (!tls) return undefined;
    try {
      const certificate = { cert: readFileSync(tls.cert, 'utf8'), key: readFileSync(tls.key, 'utf8') };
      createSecureContext(certificate);
      return certificate;
    } catch (cause) {
      throw new ForeshadowError('listen-failed', {
        source: 'config', message: `region ${this.region} can not use ${tls.cert} with ${tls.key}: ${messageOf(cause)}`,
        hint: 'put the certificate chain and its own private key there, both PEM', cause,
      });
    }
  }

  /** Has connections from now on made with this certificate. */
  useCertificate(certificate: Certificate | undefined): void {
    const before = this.#certificate;
    if (!certificate || (certificate.cert === before?.cert && certificate.key === before.key)) return;
    this.#certificate = certificate;
    const old = this.#server;
    this.#server = this.#serve(old.port ?? this.#config.listen.port);
    this.#retiring.add(old);
    void old.stop().then(() => this.#retiring.delete(old));
  }

  /** Stops taking connections and waits for what is under way, at most `withinMs`. */
  async drain(withinMs: number): Promise<void> {
    const servers = [this.#server, ...this.#retiring];
    const stopped = Promise.all(servers.map((server) => server.stop()));
    await Promise.race([stopped, Bun.sleep(withinMs)]);
    await Promise.all(servers.map((server) => server.stop(true)));
  }

  #listen(): Server<Bridge> {
    const { hostname, port } = this.#config.listen;
    try {
      return this.#serve(this.#config.tls ? freePort(bare(hostname), port) : port);
    } catch (cause) {
      throw new ForeshadowError('listen-failed', {
        source: 'config', message: `region ${this.region} can not listen on ${hostname}:${port}: ${messageOf(cause)}`,
        hint: 'choose a free address (--listen, regions[].listen), or stop what holds it', cause,
      });
    }
  }

  /** With TLS the port can be shared, so that a server with a new certificate can take over. */
  #serve(port: number): Server<Bridge> {
    return Bun.serve({ ...this.#serveOptions(), hostname: bare(this.#config.listen.hostname), port, reusePort: this.#config.tls !== undefined });
  }

  #serveOptions() {
    const { timeouts, limits } = this.#options;
    const { tls } = this.#config;
    return {
      idleTimeout: Math.min(idleSecondsMax, Math.ceil((timeouts.firstByteMs + timeouts.idleMs) / 1000)),
      maxRequestBodySize: limits.requestBodyBytes > 0 ? limits.requestBodyBytes : Number.MAX_SAFE_INTEGER,
      ...(tls && this.#certificate && { tls: this.#certificate, http2: tls.http2, http3: tls.http3 }),
      fetch: (request: Request, server: Server<Bridge>) => {
        if (server.pendingRequests > limits.connections) return new Response('too many requests at once\n', { status: 503, headers: { 'retry-after': '1', 'cache-control': 'no-store' } });
        return this.#handler(request, this, server);
      },
      error: (error: Error) => {
        this.#log.error('request-failed', { problem: messageOf(error) });
        return new Response('internal error\n', { status: 500, headers: { 'cache-control': 'no-store' } });
      },
      websocket: visitorSide,
    };
  }
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** The port, once nobody else holds it: a port that can be shared would be shared with another program without a word. Throws where it is taken. */
function freePort(hostname: string, port: number): number {
  const alone = Bun.serve({ hostname, port, fetch: () => new Response() });
  void alone.stop(true);
  return alone.port ?? port;
}

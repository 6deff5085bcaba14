/**
 * One region's listener: sockets, TLS, HTTP versions and connection limits, by the runtime's server. It knows nothing of
 * what is answered. Certificates are read again on reload without dropping a connection.
 */
import { readFileSync } from 'node:fs';
import type { Server } from 'bun';
import type { Config, RegionConfig } from '../config/index.ts';
import { ForeshadowError, messageOf, type Log } from '../kernel/index.ts';
import type { Entrance } from './visit.ts';
import { visitorSide, type Bridge } from './websocket-bridge.ts';

export type Handler = (request: Request, entrance: Entrance, server: Server<Bridge>) => Response | undefined | Promise<Response | undefined>;

/** The runtime's idle time-out is a byte of seconds. */
const idleSecondsMax = 255;

export class Listener implements Entrance {
  readonly region: Entrance['region'];
  readonly proto: 'http' | 'https';
  readonly #config: RegionConfig;
  readonly #options: { readonly timeouts: Config['timeouts']; readonly limits: Config['limits'] };
  readonly #log: Log;
  readonly #handler: Handler;
  #server: Server<Bridge>;

  constructor(config: RegionConfig, options: Pick<Config, 'timeouts' | 'limits'>, handler: Handler, log: Log) {
    this.#config = config;
    this.#options = options;
    this.#log = log;
    this.region = config.name;
    this.proto = config.tls ? 'https' : 'http';
    this.#handler = handler;
    this.#server = this.#listen();
  }

  /** The address that was bound; differs from the configured one where that had port 0. */
  get address(): string {
    return `${this.#server.hostname ?? this.#config.listen.hostname}:${this.#server.port ?? this.#config.listen.port}`;
  }

  get open(): number {
    return this.#server.pendingRequests + this.#server.pendingWebSockets;
  }

  peerOf(request: Request): string | undefined {
    return this.#server.requestIP(request)?.address;
  }

  /** Reads certificate and key again. Connections go on; new ones get the new certificate. Throws where they can't be read. */
  reloadCertificates(): void {
    if (this.#config.tls) this.#server.reload(this.#serveOptions());
  }

  /** Stops taking connections and waits for what is under way, at most `withinMs`. */
  async drain(withinMs: number): Promise<void> {
    const stopped = this.#server.stop();
    await Promise.race([stopped, Bun.sleep(withinMs)]);
    await this.#server.stop(true);
  }

  #listen(): Server<Bridge> {
    const { hostname, port } = this.#config.listen;
    try {
      return Bun.serve({ ...this.#serveOptions(), hostname: hostname.replace(/^\[|\]$/g, ''), port });
    } catch (cause) {
      throw new ForeshadowError('listen-failed', {
        source: 'config', message: `region ${this.region} can not listen on ${hostname}:${port}: ${messageOf(cause)}`,
        hint: 'choose a free address (--listen, regions[].listen), or stop what holds it', cause,
      });
    }
  }

  #serveOptions() {
    const { timeouts, limits } = this.#options;
    const { tls } = this.#config;
    return {
      idleTimeout: Math.min(idleSecondsMax, Math.ceil((timeouts.firstByteMs + timeouts.idleMs) / 1000)),
      maxRequestBodySize: limits.requestBodyBytes > 0 ? limits.requestBodyBytes : Number.MAX_SAFE_INTEGER,
      ...(tls && { tls: { cert: readFileSync(tls.cert, 'utf8'), key: readFileSync(tls.key, 'utf8') }, http2: tls.http2, http3: tls.http3 }),
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

/**
 * Starts the real program (`foreshadow up` as a child process, on free ports, with its data in a temporary folder), and a
 * small site as its origin that can be stopped and started on the same port. Waits are on conditions with deadlines.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Program, accepts, freePort, processTree, until } from '../../bench/machine/program.ts';

const mainFile = resolve(import.meta.dir, '../../src/main.ts');

export interface SeenStatus {
  readonly catalog: { readonly version: number; readonly records: number; readonly corrupt: number };
  readonly origin?: { readonly view: { readonly state: string; readonly share: number } };
  readonly edge?: { readonly local: { readonly records: number; readonly appliedVersion: number } };
}

export class RunningForeshadow implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly adminPort: number;
  readonly #arguments: readonly string[];
  #program: Program;

  private constructor(folder: string, ports: readonly [number, number], args: readonly string[], program: Program) {
    this.folder = folder;
    [this.port, this.adminPort] = ports;
    this.#arguments = args;
    this.#program = program;
  }

  /** `config` is added to a configuration of one region; without it, `up --origin` alone. */
  static async start(options: { readonly originUrl: string; readonly config?: string; readonly prepare?: (dataFolder: string) => void }): Promise<RunningForeshadow> {
    const folder = mkdtempSync(join(tmpdir(), 'foreshadow-e2e-'));
    const ports = [await freePort(), await freePort()] as const;
    mkdirSync(join(folder, 'data'));
    options.prepare?.(join(folder, 'data'));
    const args = ['up', '--origin', options.originUrl, '--listen', `127.0.0.1:${ports[0]}`, '--admin', `127.0.0.1:${ports[1]}`, '--data', join(folder, 'data')];
    if (options.config !== undefined) {
      writeFileSync(join(folder, 'foreshadow.yaml'), options.config);
      args.push('--config', join(folder, 'foreshadow.yaml'));
    }
    const running = new RunningForeshadow(folder, ports, args, launch(args, folder));
    try {
      await running.#listening();
    } catch (error) {
      await running[Symbol.asyncDispose]();
      throw error;
    }
    return running;
  }

  get url(): string { return `http://127.0.0.1:${this.port}`; }
  get dataFolder(): string { return join(this.folder, 'data'); }
  get pid(): number { return this.#program.pid; }
  get running(): boolean { return this.#program.running; }
  get exited(): Promise<number> { return this.#program.exited; }
  /** The brain and whatever else the serving process has started. */
  get children(): number[] { return processTree(this.pid).filter((pid) => pid !== this.pid); }

  get log(): string {
    const file = join(this.folder, 'output.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Starts it again on the same ports and data, after `kill` or `stop`. */
  async startAgain(): Promise<void> {
    this.#program = launch(this.#arguments, this.folder);
    await this.#listening();
  }

  async kill(): Promise<void> { await this.#program.kill(); }
  async stop(): Promise<void> { await this.#program.stop(); }

  async status(): Promise<SeenStatus | undefined> {
    try {
      // The shape is the API's own; tests look at what they need of it.
      return await (await fetch(`http://127.0.0.1:${this.adminPort}/api/v1/status`, { signal: AbortSignal.timeout(2000) })).json() as SeenStatus;
    } catch {
      return undefined;
    }
  }

  /** Resolves when at least this many shadows are published and the edge has them. */
  async published(records: number, deadlineMs = 20_000): Promise<void> {
    let last: SeenStatus | undefined;
    await until(`${records} published shadows`, async () => {
      last = await this.status();
      return last !== undefined && last.catalog.records >= records && (last.edge?.local.appliedVersion ?? 0) >= last.catalog.version;
    }, deadlineMs, 100).catch((error: unknown) => {
      throw new Error(`${String(error)}; status ${JSON.stringify(last)}; log:\n${this.#program.logTail()}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #listening(): Promise<void> {
    await until('foreshadow up to listen', async () => {
      if (!this.running) throw new Error(`foreshadow up ended:\n${this.#program.logTail()}`);
      return accepts(this.port);
    }, 20_000, 5);
  }
}

function launch(args: readonly string[], folder: string): Program {
  return Program.start({ command: [process.execPath, mainFile, ...args], logFile: join(folder, 'output.log'), cwd: folder });
}

/** A site of numbered pages with a style sheet, a sitemap and nothing special, in the test's own process. */
export class PlainSite implements AsyncDisposable {
  readonly port: number;
  /** What it was asked, and by which Host; with a body, only once that has come whole. */
  readonly asked: { readonly method: string; readonly target: string; readonly host: string }[] = [];
  #server: Bun.Server<undefined> | undefined;
  readonly #pages: number;

  private constructor(port: number, pages: number) {
    this.port = port;
    this.#pages = pages;
    this.start();
  }

  static async create(pages: number): Promise<PlainSite> {
    return new PlainSite(await freePort(), pages);
  }

  get url(): string { return `http://127.0.0.1:${this.port}`; }
  /** Everything a visitor or the sitemap can lead to. */
  get paths(): string[] { return ['/style.css', ...Array.from({ length: this.#pages }, (_, page) => `/pages/${page}`)]; }

  start(): void {
    this.#server ??= Bun.serve({ hostname: '127.0.0.1', port: this.port, fetch: (request) => this.#answer(request) });
  }

  async stop(): Promise<void> {
    await this.#server?.stop(true);
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> { await this.stop(); }

  /** What a page says, whoever asks. */
  static body(path: string): string {
    return path === '/style.css' ? 'body { color: #222 }\n' : `<!doctype html><title>${path}</title><link rel="stylesheet" href="/style.css"><p>This is ${path}.</p>\n`.padEnd(2000, ' ');
  }

  async #answer(request: Request): Promise<Response> {
    const target = request.url.replace(/^https?:\/\/[^/]+/, '');
    const path = target.split('?')[0] ?? '';
    if (request.body !== null) await request.arrayBuffer();
    this.asked.push({ method: request.method, target, host: request.headers.get('host') ?? '' });
    if (request.method !== 'GET' && request.method !== 'HEAD') return new Response(`${request.method} ${target}\n`);
    if (path === '/robots.txt') return new Response(`Sitemap: ${this.url}/sitemap.xml\n`);
    if (path === '/sitemap.xml') {
      const urls = this.paths.filter((each) => each.startsWith('/pages/')).map((each) => `<url><loc>${this.url}${each}</loc></url>`);
      return new Response(`<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${urls.join('')}</urlset>`, { headers: { 'content-type': 'application/xml' } });
    }
    if (!this.paths.includes(path)) return new Response(`nothing at ${target}\n`, { status: 404 });
    return new Response(PlainSite.body(path), { headers: { 'content-type': path.endsWith('.css') ? 'text/css' : 'text/html', 'cache-control': 'public, max-age=60', etag: `"${path.length}-${path.replaceAll('/', '-')}"` } });
  }
}

/** Sends bytes as they are and collects the answer until the server closes, or is quiet for as long as an answer may take. */
export async function exchangeRaw(port: number, bytes: string | Buffer, deadlineMs = 3000): Promise<{ readonly text: string; readonly closed: boolean }> {
  return new Promise((done) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port }, () => { socket.write(bytes); });
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      done({ text, closed });
    };
    const timer = setTimeout(() => { finish(false); }, deadlineMs);
    socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
    socket.once('close', () => { finish(true); });
    // A reset is a way of closing; what had come before it counts.
    socket.on('error', () => undefined);
  });
}

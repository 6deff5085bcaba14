/**
 * The demo's origin: the example shop and its feeds, each a process of its own, and the ways to break the shop. Killing
 * and hanging are real (SIGKILL, SIGSTOP); slowness and errors are the shop's own doing, asked for over its input.
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

export type ShopState = 'up' | 'killed' | 'hanging' | 'slow' | 'failing';

type Child = Bun.Subprocess<'pipe', number, number>;

export interface ShopOptions {
  /** `examples/shop`. */
  readonly folder: string;
  readonly port: number;
  readonly feedsPort: number;
  readonly logFile: string;
}

export class DemoShop {
  readonly #options: ShopOptions;
  #shop: Child;
  readonly #feeds: Child;
  #state: ShopState = 'up';

  constructor(options: ShopOptions) {
    this.#options = options;
    this.#shop = this.#spawn('server.ts', options.port);
    this.#feeds = this.#spawn('feeds.ts', options.feedsPort);
  }

  get state(): ShopState { return this.#state; }
  get url(): string { return `http://127.0.0.1:${this.#options.port}`; }

  async kill(): Promise<void> {
    this.#shop.kill('SIGKILL');
    await this.#shop.exited;
    this.#state = 'killed';
  }

  hang(): void {
    if (this.#state === 'killed') return;
    this.#shop.kill('SIGSTOP');
    this.#state = 'hanging';
  }

  /** Three seconds for every answer, or 500 for every request. */
  async trouble(kind: 'slow' | 'failing'): Promise<void> {
    if (this.#state === 'killed' || this.#state === 'hanging') await this.restore();
    this.#tell(kind === 'slow' ? 'slow' : 'errors');
    this.#state = kind;
  }

  /** Back to normal: started anew if it was killed or hung, as somebody on call would. */
  async restore(): Promise<void> {
    if (this.#state === 'killed' || this.#state === 'hanging') {
      await this.kill();
      this.#shop = this.#spawn('server.ts', this.#options.port);
    } else {
      this.#tell('ok');
    }
    this.#state = 'up';
  }

  async stop(): Promise<void> {
    this.#feeds.kill('SIGKILL');
    await Promise.all([this.kill(), this.#feeds.exited]);
  }

  #tell(word: string): void {
    void this.#shop.stdin.write(`${word}\n`);
    void this.#shop.stdin.flush();
  }

  #spawn(program: string, port: number): Child {
    const log = openSync(this.#options.logFile, 'a');
    try {
      // `--tied`: it ends when its input does, so that nothing is left behind even if the demo itself is killed.
      return Bun.spawn([process.execPath, join(this.#options.folder, program), String(port), '--tied'], { stdin: 'pipe', stdout: log, stderr: log });
    } finally {
      closeSync(log);
    }
  }
}

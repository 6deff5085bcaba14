/**
 * The demo's origin: the example shop and its feeds, each a process of its own, and the ways to break them. Killing
 * and hanging are real (SIGKILL, SIGSTOP), whoever does it; slowness and errors are the shop's own doing, asked for over its input.
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
  #feeds: Child;
  #state: ShopState = 'up';

  constructor(options: ShopOptions) {
    this.#options = options;
    this.#shop = this.#open();
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
      this.#shop = this.#open();
    } else {
      this.#tell('ok');
    }
    this.#state = 'up';
  }

  /** Takes the live data away, or brings it back. */
  async toggleFeeds(): Promise<void> {
    if (this.#feeds.exitCode === null && this.#feeds.signalCode === null) {
      this.#feeds.kill('SIGKILL');
      await this.#feeds.exited;
    } else {
      this.#feeds = this.#spawn('feeds.ts', this.#options.feedsPort);
    }
  }

  async stop(): Promise<void> {
    this.#feeds.kill('SIGKILL');
    await Promise.all([this.kill(), this.#feeds.exited]);
  }

  #open(): Child {
    const shop = this.#spawn('server.ts', this.#options.port);
    // Somebody else may kill it, too.
    void shop.exited.then(() => { if (this.#shop === shop) this.#state = 'killed'; });
    return shop;
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

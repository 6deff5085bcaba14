/**
 * `npm test`: runs `bun test` over the repository one file after the other, prints a line for each file and everything a
 * failing test says, and ends with `N passed, N failed, N skipped`. Arguments go to `bun test`: paths, `-t NAME`; `--verbose` shows its own
 * output. With `CI=true` a skipped test fails the run, because there everything tests need is installed.
 * The counts are those of the JUnit report; a run that dies before it wrote one, or with an error outside any test, has failed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './sources.ts';

const testTimeoutMs = 30_000;
const runTimeoutMs = 20 * 60_000;
const folders = ['src', 'test', 'tools', 'bench', 'examples'];

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The root element's attributes of a JUnit report. */
export function countsOf(junit: string): Counts | undefined {
  const head = /<testsuites\b[^>]*>/.exec(junit)?.[0];
  const attribute = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head ?? '')?.[1] ?? Number.NaN);
  const [tests, failures, skipped] = [attribute('tests'), attribute('failures'), attribute('skipped')];
  if (![tests, failures, skipped].every(Number.isInteger)) return undefined;
  return { passed: tests - failures - skipped, failed: failures, skipped };
}

/**
 * Shortens what `bun test` prints to a line for each file. Lines before a pass (what the test printed, the rest of the name of
 * the pass before it) are dropped; those before a failure or a skip, and errors outside tests, are passed on.
 */
export class Condenser {
  readonly #write: (line: string) => void;
  readonly #nowMs: () => number;
  #file = '';
  #passed = 0;
  #failed = 0;
  #held: string[] = [];
  #startMs: number;
  /** Whether what comes is the list of failures that ends the output. */
  #ended = false;

  constructor(write: (line: string) => void, nowMs: () => number) {
    this.#write = write;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
  }

  line(line: string): void {
    const file = /^(\S+\.test\.tsx?):$/.exec(line)?.[1];
    if (/^\d+ tests? failed:$/.test(line)) {
      this.end();
      this.#ended = true;
    }
    if (this.#ended) {
      if (/^\d+ tests? failed:$|^\(fail\)/.test(line)) this.#write(line);
    } else if (file !== undefined) {
      this.end();
      this.#file = file;
    } else if (line.startsWith('(pass)')) {
      this.#passed++;
      this.#held = [];
    } else if (/^\((?:fail|skip|todo)\)/.test(line)) {
      if (line.startsWith('(fail)')) this.#failed++;
      this.#release();
      this.#write(line);
    } else if (line.trim() !== '') {
      this.#held.push(line);
    }
  }

  /** Ends the current file. */
  end(): void {
    if (this.#held.some((line) => /error/i.test(line))) this.#release();
    this.#held = [];
    if (this.#file !== '') {
      const seconds = ((this.#nowMs() - this.#startMs) / 1000).toFixed(1);
      this.#write(`${this.#failed > 0 ? 'FAIL' : 'ok  '} ${this.#file} (${this.#passed} passed${this.#failed > 0 ? `, ${this.#failed} failed` : ''}, ${seconds} s)`);
    }
    this.#file = '';
    this.#passed = 0;
    this.#failed = 0;
    this.#startMs = this.#nowMs();
  }

  #release(): void {
    for (const line of this.#held) this.#write(line);
    this.#held = [];
  }
}

async function run(args: readonly string[]): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'foreshadow-test-'));
  const reportPath = join(work, 'junit.xml');
  const verbose = args.includes('--verbose');
  const passed = args.filter((arg) => arg !== '--verbose');
  const paths = passed.length > 0 ? [] : folders.filter((folder) => existsSync(join(root, folder))).map((folder) => `./${folder}/`);
  const child = Bun.spawn([process.execPath, 'test', `--timeout=${testTimeoutMs}`, '--reporter=junit', `--reporter-outfile=${reportPath}`, ...paths, ...passed], {
    cwd: root, stdin: 'ignore', stdout: 'inherit', stderr: verbose ? 'inherit' : 'pipe',
    env: { ...process.env, NO_COLOR: '1', NODE_ENV: 'test' },
  });
  const deadline = setTimeout(() => {
    console.error(`the tests took longer than ${runTimeoutMs / 60_000} minutes and were ended`);
    child.kill();
  }, runTimeoutMs);
  if (child.stderr) await condense(child.stderr);
  const code = await child.exited;
  clearTimeout(deadline);

  const counts = existsSync(reportPath) ? countsOf(readFileSync(reportPath, 'utf8')) : undefined;
  rmSync(work, { recursive: true });
  return conclude(counts, code);
}

async function condense(stream: ReadableStream<Uint8Array>): Promise<void> {
  const condenser = new Condenser((line) => { console.log(line); }, () => performance.now());
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) condenser.line(line);
  }
  condenser.line(rest);
  condenser.end();
}

function conclude(counts: Counts | undefined, code: number): number {
  if (!counts) console.error(`the test run ended with exit code ${code} before it could report`);
  const outside = code !== 0 && (counts?.failed ?? 0) === 0 ? 1 : 0; // an error outside any test
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  const refused = process.env['CI'] === 'true' && skipped > 0;
  if (refused) console.error('skipped tests are failures here: everything they need should be installed');
  console.log(`${passed} passed, ${failed + outside} failed, ${skipped} skipped`);
  return failed + outside > 0 || refused || !counts ? 1 : 0;
}

if (import.meta.main) process.exitCode = await run(process.argv.slice(2));

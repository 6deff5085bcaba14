/**
 * Starts other programs and measures them from outside: CPU time and memory of the whole process tree, from /proc.
 * Ends only what it started, by process id.
 */
import { openSync, readFileSync, readdirSync, closeSync } from 'node:fs';
import { createServer, connect } from 'node:net';

export interface ProgramOptions {
  readonly command: readonly string[];
  /** Pins it (and its children) to these cores, as `taskset -c` takes them. */
  readonly cores?: string;
  readonly logFile: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class Program {
  readonly #child: Bun.Subprocess<'pipe', number, number>;
  readonly #options: ProgramOptions;

  private constructor(child: Bun.Subprocess<'pipe', number, number>, options: ProgramOptions) {
    this.#child = child;
    this.#options = options;
  }

  static start(options: ProgramOptions): Program {
    const log = openSync(options.logFile, 'a');
    const command = options.cores === undefined ? options.command : ['taskset', '-c', options.cores, ...options.command];
    const child = Bun.spawn([...command], {
      stdin: 'pipe', stdout: log, stderr: log,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    });
    closeSync(log);
    return new Program(child, options);
  }

  get pid(): number { return this.#child.pid; }
  get running(): boolean { return this.#child.exitCode === null && this.#child.signalCode === null; }
  get exited(): Promise<number> { return this.#child.exited; }

  /** What it has printed, to explain a failure. */
  logTail(): string {
    return readFileSync(this.#options.logFile, 'utf8').split('\n').slice(-15).join('\n');
  }

  endInput(): void {
    void this.#child.stdin.end();
  }

  /** Asks it to end, and ends it and its children if it has not after `graceMs`. */
  async stop(graceMs = 5000): Promise<void> {
    const tree = processTree(this.pid);
    this.#child.kill('SIGTERM');
    await Promise.race([this.#child.exited, new Promise((resolve) => { setTimeout(resolve, graceMs); })]);
    this.#killAll(tree);
    await this.#child.exited;
  }

  /** Ends it and all its children at once, as a power cut would. */
  async kill(): Promise<void> {
    this.#killAll(processTree(this.pid));
    await this.#child.exited;
  }

  #killAll(tree: readonly number[]): void {
    for (const pid of tree) {
      try { process.kill(pid, 'SIGKILL'); } catch { /* it has ended by itself */ }
    }
  }
}

/** The process and all its descendants. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))?.[1] ?? Number.NaN);
    if (!Number.isNaN(parent)) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree: number[] = [];
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    tree.push(pid);
    open.push(...(children.get(pid) ?? []));
  }
  return tree;
}

/** Fields of /proc/PID/stat from the state on (field 3 of proc(5) is index 0). */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** User and system time of these processes so far, ms. Clock ticks are 1/100 s on Linux. */
export function cpuTimeMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = statFields(pid);
    if (fields) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10;
}

/**
 * Resident memory of these processes. `all` (VmRSS) counts file pages that are mapped, such as a database's, which the
 * system takes back when it needs them; `own` (RssAnon) is what only these processes can free.
 */
export function residentBytes(pids: readonly number[]): { readonly all: number; readonly own: number } {
  const kib = { VmRSS: 0, RssAnon: 0 };
  for (const pid of pids) {
    try {
      const text = readFileSync(`/proc/${pid}/status`, 'latin1');
      for (const name of ['VmRSS', 'RssAnon'] as const) kib[name] += Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
    } catch { /* it ended between the listing and the reading */ }
  }
  return { all: kib.VmRSS * 1024, own: kib.RssAnon * 1024 };
}

/** A port nothing listens on right now. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => { resolve(port); });
    });
  });
}

/** Resolves when the condition holds; fails with what was awaited at the deadline. */
export async function until(what: string, condition: () => Promise<boolean> | boolean, deadlineMs = 10_000, everyMs = 25): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, everyMs); });
  }
}

export async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => { resolve(false); });
  });
}

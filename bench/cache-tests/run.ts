/**
 * One run of the public cache tests: the suite's own origin server, `foreshadow up` before it, and the suite's own client,
 * each in its own process. Foreshadow runs as a cache and nothing else: tests make the origin fail on purpose, and count
 * every request that reaches it, so that diverting traffic, rescue by time and fetches of our own would be measured instead.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Program, accepts, freePort, until } from '../machine/program.ts';
import { parseResults, type Results } from './checkout.ts';

const home = resolve(import.meta.dir, '../..');

export interface RunOptions {
  readonly checkout: string;
  /** An empty folder for configuration, data and logs. */
  readonly folder: string;
  /** One test by id, for looking into it; all when left out. */
  readonly only: string | undefined;
}

export interface CacheTestRun {
  readonly results: Results;
  /** What the client printed, for a run of one test. */
  readonly output: string;
}

export async function runCacheTests(options: RunOptions): Promise<CacheTestRun> {
  const origin = await startOrigin(options);
  try {
    const port = await freePort();
    const edge = await startForeshadow(options.folder, origin.port, port);
    try {
      return await runClient(options, port);
    } finally {
      await edge.stop();
    }
  } finally {
    await origin.program.stop();
  }
}

async function startOrigin({ checkout, folder }: RunOptions): Promise<{ readonly program: Program; readonly port: number }> {
  const port = await freePort();
  const program = Program.start({
    command: ['node', '--no-warnings', 'test-engine/server/server.mjs'], cwd: checkout, logFile: join(folder, 'origin.log'),
    env: { npm_config_protocol: 'http', npm_config_port: String(port), npm_config_pidfile: join(folder, 'origin.pid') },
  });
  await until('the suite\'s origin to listen', async () => {
    if (!program.running) throw new Error(`the suite's origin ended:\n${program.logTail()}`);
    return accepts(port);
  });
  return { program, port };
}

async function startForeshadow(folder: string, originPort: number, port: number): Promise<Program> {
  const file = join(folder, 'foreshadow.yaml');
  writeFileSync(file, `site: cache-tests
origin:
  url: http://127.0.0.1:${originPort}
  probe: { path: /README.md, interval: 1h, timeout: 10s }
  limits: { latencyP95: 60s, errorRate: 99% }
regions: [ { name: local, listen: 127.0.0.1:${port} } ]
routing: { rescueAfter: 29s }
generate: { discover: false }
budgets: { originRequests: 1/h }
admin: { listen: 127.0.0.1:${await freePort()} }
`);
  const program = Program.start({
    command: [process.execPath, join(home, 'src/main.ts'), 'up', '--config', file, '--data', join(folder, 'data')],
    logFile: join(folder, 'foreshadow.log'), cwd: folder,
  });
  await until('Foreshadow to listen', async () => {
    if (!program.running) throw new Error(`foreshadow up ended:\n${program.logTail()}`);
    return accepts(port);
  }, 30_000);
  return program;
}

/** The client prints its results as one JSON object; the suite's longest chain of pauses takes about two minutes in all. */
async function runClient({ checkout, folder, only }: RunOptions, port: number): Promise<CacheTestRun> {
  const logFile = join(folder, 'client.log');
  const client = Bun.spawn(['node', '--no-warnings', 'test-engine/cli.mjs'], {
    cwd: checkout, stdin: 'ignore', stdout: 'pipe', stderr: Bun.file(logFile),
    env: { ...process.env, npm_config_base: `http://127.0.0.1:${port}`, npm_config_id: only ?? '', npm_package_config_id: '' },
  });
  const output = await new Response(client.stdout).text();
  if ((await client.exited) !== 0) throw new Error(`the suite's client failed:\n${readFileSync(logFile, 'utf8')}`);
  return { results: only === undefined ? parseResults(output.slice(output.indexOf('{'))) : {}, output };
}

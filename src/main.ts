/**
 * Composition root. The only place that reads argv and the environment, listens to signals and ends the process. Each command
 * lives in `cli/`; it is imported when it is asked for, so that `--help` and a brain do not pay for each other.
 */
import { createInterface } from 'node:readline/promises';
import { ForeshadowError, messageOf, systemClock } from './kernel/index.ts';
import type { CliIo } from './cli/io.ts';
import type { UpIo } from './cli/up.ts';
import packageFile from '../package.json';

const help = `Foreshadow keeps a website answering while its origin is slow, failing or gone.

  foreshadow up --origin URL           protect a site on this machine (--config F for more)
  foreshadow demo                      the example: a shop, three regions, visitors, and keys that break it
  foreshadow check --config F          all problems of a configuration at once; --print shows it resolved
  foreshadow explain METHOD URL        what would be decided for a request, and why, without sending it
  foreshadow status                    what a running Foreshadow says of itself
  foreshadow shadows ls                the copies there are; show, versions, diff, rollback, purge
  foreshadow forecast                  what people are expected to ask for; URL, accuracy, emerging
  foreshadow backtest --trace F…       what share of a past log's requests would have been answered in outages

  foreshadow COMMAND --help tells a command's options.
`;

/** Commands of the contract whose stage has not come. */
const notYet: ReadonlySet<string> = new Set(['edge', 'drill', 'store']);

async function usageOf(command: string | undefined): Promise<string | undefined> {
  switch (command) {
    case 'up': return (await import('./cli/up.ts')).usage;
    case 'check': return (await import('./cli/check.ts')).usage;
    case 'explain': return (await import('./cli/explain.ts')).usage;
    case 'status': return (await import('./cli/status.ts')).usage;
    case 'shadows': return (await import('./cli/shadows.ts')).usage;
    case 'forecast': return (await import('./cli/forecast.ts')).usage;
    case 'backtest': return (await import('./cli/backtest-options.ts')).usage;
    default: return undefined;
  }
}

async function run(command: string | undefined, args: readonly string[], io: UpIo): Promise<number> {
  const usage = args.includes('--help') ? await usageOf(command) : undefined;
  if (usage !== undefined) {
    io.out(`${usage}\n`);
    return 0;
  }
  switch (command) {
    case 'up': return (await import('./cli/up.ts')).runUp(args, io);
    case 'demo': return (await import('./cli/demo.ts')).runDemo(args, { ...io, clock: systemClock, onKey }, async (all) => (await import('./cli/up.ts')).runUp(all, io));
    case 'brain': return brain(args, io);
    case 'check': return (await import('./cli/check.ts')).runCheck(args, io);
    case 'explain': return (await import('./cli/explain.ts')).runExplain(args, io);
    case 'status': return (await import('./cli/status.ts')).runStatus(args, io);
    case 'shadows': return (await import('./cli/shadows.ts')).runShadows(args, { ...io, confirm });
    case 'forecast': return (await import('./cli/forecast.ts')).runForecast(args, io);
    case 'backtest': return (await import('./cli/backtest.ts')).runBacktest(args, io);
    case '--version': case 'version': {
      io.out(`${packageFile.version}\n`);
      return 0;
    }
    case undefined: case 'help': case '--help': case '-h': {
      io.out(help);
      return 0;
    }
    default: {
      const why = notYet.has(command) ? 'is not available yet' : 'is not a command';
      io.err(`foreshadow: ${command} ${why}; see foreshadow --help\n`);
      return 2;
    }
  }
}

async function brain(args: readonly string[], io: UpIo): Promise<number> {
  const { runBrain } = await import('./cli/brain-process.ts');
  const stop = new AbortController();
  io.onStop(() => { stop.abort(); });
  return runBrain(args, io, { port: process, stop: stop.signal, version: packageFile.version });
}

function listen(signals: readonly NodeJS.Signals[], run: () => void): () => void {
  for (const signal of signals) process.on(signal, run);
  return () => {
    for (const signal of signals) process.off(signal, run);
  };
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

function onKey(press: (key: string) => void): () => void {
  if (!process.stdin.isTTY) return () => undefined;
  const read = (data: Buffer): void => { for (const key of data.toString('latin1')) press(key); };
  process.stdin.setRawMode(true).resume().on('data', read);
  return () => {
    process.stdin.off('data', read).setRawMode(false).pause();
  };
}

const plain: CliIo = {
  out: (text) => { process.stdout.write(text); },
  err: (text) => { process.stderr.write(text); },
  isTty: process.stdout.isTTY,
  env: process.env,
};

const io: UpIo = {
  ...plain,
  onStop: (stop) => listen(['SIGTERM', 'SIGINT'], stop),
  onReload: (reload) => listen(['SIGHUP'], reload),
  self: [process.execPath, import.meta.path],
};

try {
  process.exitCode = await run(process.argv[2], process.argv.slice(3), io);
} catch (thrown) {
  plain.err(`foreshadow: ${messageOf(thrown)}\n`);
  process.exitCode = thrown instanceof ForeshadowError && thrown.code === 'usage' ? 2 : 1;
}
// Sockets of finished work may linger; what had to be written has been.
process.exit();

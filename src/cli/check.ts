/**
 * `foreshadow check --config F [--print]`: all problems of a configuration at once, on standard error, each with place, reason and
 * hint. Exit 0 when there are none, 1 when there are, 2 for a command line that is not understood. Binds and asks nothing.
 */
import { parseArgs } from 'node:util';
import { formatProblems, printConfig } from '../config/index.ts';
import { messageOf } from '../kernel/index.ts';
import { loadConfigFile } from './config-file.ts';
import type { CliIo } from './io.ts';

export const usage = 'usage: foreshadow check --config F [--origin URL] [--print]';

export function runCheck(args: readonly string[], io: CliIo): number {
  let options;
  try {
    options = parseArgs({
      args: [...args],
      options: { config: { type: 'string' }, origin: { type: 'string' }, print: { type: 'boolean', default: false } },
    }).values;
  } catch (thrown) {
    io.err(`foreshadow check: ${messageOf(thrown)}; ${usage}\n`);
    return 2;
  }
  const { config: file, origin, print } = options;
  if (file === undefined && origin === undefined) {
    io.err(`foreshadow check: nothing to check; ${usage}\n`);
    return 2;
  }
  const result = loadConfigFile({ file, overrides: { origin }, env: io.env });
  if (!result.ok) {
    const { problems } = result;
    io.err(`${formatProblems(problems, file)}\n`);
    io.err(`${problems.length === 1 ? '1 problem' : `${problems.length} problems`}\n`);
    return 1;
  }
  io.out(print ? printConfig(result.config) : `${file ?? origin ?? ''}: no problems\n`);
  return 0;
}

/**
 * Closed-loop load by wrk, which costs little beside the server: for CPU time per request and the most a server can do,
 * never for latency under a given load (that is `open-loop.ts`).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { browserFields } from './browser.ts';

export interface WrkRun { readonly requests: number; readonly seconds: number; readonly errors: number }

export async function runWrk(options: { readonly port: number; readonly paths: readonly string[]; readonly seconds: number; readonly connections: number; readonly cores: string; readonly folder: string }): Promise<WrkRun> {
  const script = join(options.folder, 'wrk.lua');
  const host = `127.0.0.1:${options.port}`;
  const headers = browserFields(host).map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`);
  writeFileSync(script, `${headers.join('\n')}
local paths = { ${options.paths.map((path) => JSON.stringify(path)).join(', ')} }
local requests = {}
local at = 0
function init() for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end end
function request() at = at % #requests + 1; return requests[at] end
function done(summary)
  local e = summary.errors
  io.write(string.format("\\nRESULT %d %d %d\\n", summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout))
end
`);
  const child = Bun.spawn(['taskset', '-c', options.cores, 'wrk', '-t1', `-c${options.connections}`, `-d${options.seconds}s`, '-s', script, `http://${host}`], { stdout: 'pipe', stderr: 'inherit' });
  const output = await new Response(child.stdout).text();
  const found = /RESULT (\d+) (\d+) (\d+)/.exec(output);
  if (found === null) throw new Error(`wrk gave no result:\n${output}`);
  return { requests: Number(found[1]), seconds: Number(found[2]) / 1e6, errors: Number(found[3]) };
}

/**
 * Foreshadow itself, as `foreshadow up` with a written configuration: the same dimensions the peers have in their keys,
 * and the budget of 100 fetches a second that the outage benchmark grants; where pages have no variations, the default budget.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Program, accepts, freePort, until } from '../machine/program.ts';
import type { Peer, PeerSetup } from './peer.ts';

const home = resolve(import.meta.dir, '../..');

const variations = `
dimensions:
  device: { from: userAgent, values: [mobile, desktop], default: desktop }
  segment: { from: { cookie: segment }, values: [new, loyal, vip], default: new }
routes:
  - { match: "/**", vary: [device, segment] }
`;

function configuration(setup: PeerSetup, adminPort: number): string {
  return `site: bench
origin:
  url: http://127.0.0.1:${setup.originPort}
  probe: { path: /healthz, interval: 1s, timeout: 1s }
regions:
  - { name: local, listen: 127.0.0.1:${setup.port} }
${setup.variations ? variations : ''}
budgets: { ${setup.variations ? 'originRequests: 100/s, originShare: 100%, ' : ''}storage: 8GiB }
admin: { listen: 127.0.0.1:${adminPort} }
`;
}

export const foreshadow: Peer = {
  name: 'foreshadow',
  version() {
    const parsed: unknown = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? `foreshadow ${String(parsed.version)}, Bun ${Bun.version}` : undefined;
  },
  async start(setup) {
    mkdirSync(setup.folder, { recursive: true });
    const file = join(setup.folder, 'foreshadow.yaml');
    writeFileSync(file, configuration(setup, await freePort()));
    const program = Program.start({
      command: [join(home, 'bin/foreshadow'), 'up', '--config', file, '--data', join(setup.folder, 'data')],
      logFile: join(setup.folder, 'output.log'),
      cwd: setup.folder,
      ...(setup.cores === undefined ? {} : { cores: setup.cores }),
    });
    await until('Foreshadow to listen', async () => {
      if (!program.running) throw new Error(`foreshadow up ended:\n${program.logTail()}`);
      return accepts(setup.port);
    }, 30_000);
    return program;
  },
  async published(setup, copies, deadlineMs) {
    const admin = /admin: \{ listen: ([\d.:]+)/.exec(readFileSync(join(setup.folder, 'foreshadow.yaml'), 'utf8'))?.[1] ?? '';
    let last = '';
    await until(`${copies} published shadows at the edge`, async () => {
      const answer = await fetch(`http://${admin}/api/v1/status`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
      // The brain starts after the edge, and may be starting again.
      if (!answer?.ok) return false;
      last = await answer.text();
      // The shape is the API's own.
      const { catalog, edge } = JSON.parse(last) as { readonly catalog: { readonly version: number; readonly records: number }; readonly edge?: { readonly local: { readonly appliedVersion: number } } };
      return catalog.records >= copies && (edge?.local.appliedVersion ?? 0) >= catalog.version;
    }, deadlineMs, 200).catch((error: unknown) => { throw new Error(`${String(error)}; its status: ${last}`); });
  },
};

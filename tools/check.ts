/**
 * `npm run check`: everything that can be known about the repository without running it, at the same time where that is possible, one line each
 * and what is wrong below it. Exit 1 when anything is. `npm run check -- types lint` runs only these.
 */
import { catalogueProblems } from './catalogues.ts';
import { checkLayers, sourceModules } from './layers.ts';
import { report as lengthReport } from './lengths.ts';
import { root } from './sources.ts';

interface Verdict {
  readonly ok: boolean;
  /** For the one line. */
  readonly summary: string;
  /** Below it, where something is wrong. */
  readonly details: string;
}

async function program(...command: string[]): Promise<Verdict> {
  const child = Bun.spawn(command, { cwd: root, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', env: { ...process.env, NO_COLOR: '1' } });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { ok: code === 0, summary: '', details: `${out}${err}`.trim() };
}

function problems(found: readonly string[], summary: string): Verdict {
  return { ok: found.length === 0, summary, details: found.join('\n') };
}

const checks: Readonly<Record<string, () => Verdict | Promise<Verdict>>> = {
  types: () => program('node_modules/.bin/tsc', '-p', '.', '--pretty', 'false'),
  lint: () => program('node_modules/.bin/oxlint', '--format=unix'),
  layers: () => {
    const modules = sourceModules();
    return problems(checkLayers(modules).map(({ path, line, what }) => `${path}:${line}: ${what}`), `${modules.length} modules read`);
  },
  'dead code': () => program('node_modules/.bin/knip', '--no-progress', '--no-config-hints'),
  catalogues: () => problems(catalogueProblems(), 'documents and schemas against the code'),
  lengths: () => {
    const { line, problems: found } = lengthReport();
    return problems(found, line);
  },
};

async function main(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.filter((name) => !(name in checks));
  if (unknown.length > 0) {
    console.error(`no such check: ${unknown.join(', ')}; there are: ${Object.keys(checks).join(', ')}`);
    return 2;
  }
  const running = Object.entries(checks).filter(([name]) => wanted.length === 0 || wanted.includes(name)).map(async ([name, run]) => {
    const startMs = performance.now();
    const verdict = await run();
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    console.log(`${verdict.ok ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${seconds} s${verdict.summary === '' ? '' : `  ${verdict.summary}`}`);
    if (!verdict.ok) console.log(verdict.details.replace(/^/gm, '     '));
    return verdict.ok;
  });
  return (await Promise.all(running)).every(Boolean) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));

/**
 * `npm run bench [names…] [--quick]`: runs the suites one after the other (never two at once: they measure), prints their
 * tables and writes `bench/results/NAME.json`. Exit 1 when a requirement was missed, 2 for wrong usage.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bursts } from './bursts/index.ts';
import { cacheTests } from './cache-tests/index.ts';
import { compose } from './compose/index.ts';
import { cpu } from './cpu/index.ts';
import { demandScale } from './demand-scale/index.ts';
import { footprint } from './footprint/index.ts';
import { live } from './live/index.ts';
import { outages } from './outages/index.ts';
import { foreshadow } from './peers/foreshadow.ts';
import { nginx } from './peers/nginx.ts';
import { varnish } from './peers/varnish.ts';
import { politeness } from './politeness/index.ts';
import { prediction } from './prediction/index.ts';
import { replay } from './replay/index.ts';
import { schedule } from './schedule/index.ts';
import { trees } from './trees/index.ts';
import { formatTable, machineFacts, writeResult } from './report.ts';
import type { Suite } from './suite.ts';

const suites: readonly Suite[] = [outages, cpu, footprint, replay, cacheTests, compose, live, schedule, politeness, trees, demandScale, bursts, prediction];
const allPeers = [nginx, varnish, foreshadow] as const;
const knownOptions = ['peers', 'faults', 'log', 'speed', 'hours', 'out', 'suite', 'test', 'trace'];

interface Arguments { readonly names: readonly string[]; readonly quick: boolean; readonly keep: boolean; readonly options: Readonly<Record<string, string>> }

function parse(args: readonly string[]): Arguments | string {
  const names: string[] = [];
  const options: Record<string, string> = {};
  let quick = false;
  let keep = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--quick') quick = true;
    else if (word === '--keep') keep = true;
    else if (word.startsWith('--')) {
      const value = args[++at];
      if (!knownOptions.includes(word.slice(2)) || value === undefined) return `${word}: unknown option, or without a value`;
      options[word.slice(2)] = value;
    } else if (suites.some((suite) => suite.name === word)) names.push(word);
    else return `${word}: no such suite`;
  }
  return { names, quick, keep, options };
}

function usage(problem: string): number {
  console.error([problem, 'usage: npm run bench -- [names…] [--quick] [--peers nginx,varnish,foreshadow] [--keep]',
    ...suites.map((suite) => `  ${suite.name.padEnd(11)} ${suite.about}`)].join('\n'));
  return 2;
}

async function main(args: readonly string[]): Promise<number> {
  const parsed = parse(args);
  if (typeof parsed === 'string') return usage(parsed);
  const peers = allPeers.filter((peer) => parsed.options['peers']?.split(',').includes(peer.name) ?? true);
  for (const peer of peers) if (peer.version() === undefined) console.error(`${peer.name} is not installed (apt-get install ${peer.name}); measured without it`);
  const installed = peers.filter((peer) => peer.version() !== undefined);
  const results = parsed.options['out'] ?? join(import.meta.dir, 'results');
  let missedAny = false;
  for (const suite of suites.filter((each) => parsed.names.length === 0 || parsed.names.includes(each.name))) {
    const folder = mkdtempSync(join(tmpdir(), `foreshadow-bench-${suite.name}-`));
    const startedAt = new Date().toISOString();
    try {
      const report = await suite.run({ quick: parsed.quick, folder, peers: installed, options: parsed.options, say: (line) => { console.error(line); } });
      if (report === undefined) continue;
      for (const table of report.tables) console.log(`\n${formatTable(table)}`);
      for (const line of report.missed) console.log(`missed: ${line}`);
      missedAny ||= report.missed.length > 0;
      const file = writeResult(results, suite.name, {
        suite: suite.name, startedAt, finishedAt: new Date().toISOString(), quick: parsed.quick,
        machine: machineFacts(installed), missed: report.missed, numbers: report.numbers,
      });
      console.log(`written: ${file}`);
    } finally {
      if (parsed.keep) console.error(`kept: ${folder}`);
      else rmSync(folder, { recursive: true, force: true });
    }
  }
  return missedAny ? 1 : 0;
}

process.exit(await main(process.argv.slice(2)));

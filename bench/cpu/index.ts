/**
 * CPU time of the server per request, keep-alive, in alternating rounds so that a noisy neighbour hits all alike: cache
 * or shadow hits (keyed by path, device class and segment cookie) and plain proxying, then p99 at half of nginx's
 * highest load. Server on core 0; load and origin on core 1. Required: hits ≤ nginx, proxying ≤ 2.2 × nginx, p99 ≤ nginx.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { browserFields } from '../load/browser.ts';
import { median } from '../load/samples.ts';
import { runWrk } from '../load/wrk.ts';
import { Program, cpuTimeMs, freePort, processTree } from '../machine/program.ts';
import { startFastOrigin } from '../peers/nginx.ts';
import type { Peer } from '../peers/peer.ts';
import { ms } from '../report.ts';
import type { Table } from '../report.ts';
import type { Suite, SuiteContext, SuiteReport } from '../suite.ts';

const serverCore = '0';
const loadCore = '1';
const connections = 32;
const sizes = [1024, 16_384] as const;
/** What the open-loop generator holds on one core without being late itself. */
const steadyRateMax = 16_000;
/** Several URLs, so that no server answers from its last lookup. */
const urls = 64;

interface Case { readonly name: string; readonly hit: boolean; readonly paths: readonly string[]; readonly atMostOfNginx: number }
interface Measured { readonly peer: string; readonly case: string; readonly microsecondsPerRequest: readonly number[]; readonly requestsPerSecond: readonly number[]; readonly errors: number }
interface Steady { readonly peer: string; readonly case: string; readonly ratePerSecond: number; readonly requests: number; readonly failed: number; readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number; readonly generatorLateP99Ms: number }
interface Server { readonly peer: Peer; readonly program: Program; readonly port: number }

const cases: readonly Case[] = (['hit', 'proxy'] as const).flatMap((kind) => sizes.map((bytes) => ({
  name: `${kind} ${bytes / 1024} KiB`,
  hit: kind === 'hit',
  paths: Array.from({ length: urls }, (_, at) => `/${kind === 'hit' ? 'cached' : 'uncached'}/${bytes}?page=${at}`),
  atMostOfNginx: kind === 'hit' ? 1 : 2.2,
})));

export const cpu: Suite = {
  name: 'cpu',
  about: 'CPU time of the server per request (hits, proxying) and p99 at half load, beside nginx and Varnish',
  async run(context) {
    const originPort = await freePort();
    const origin = await startFastOrigin({ folder: join(context.folder, 'origin'), port: originPort, cores: loadCore }, sizes);
    const servers: Server[] = [];
    try {
      for (const peer of context.peers) {
        const port = await freePort();
        servers.push({ peer, port, program: await peer.start({ folder: join(context.folder, peer.name), port, originPort, variations: true, cores: serverCore }) });
      }
      const measured: Measured[] = [];
      for (const each of cases) measured.push(...await measureCase(context, servers, each));
      const steady: Steady[] = [];
      for (const each of cases) steady.push(...await measureHalfLoad(context, servers, each, measured));
      return report(measured, steady);
    } finally {
      for (const { program } of servers) await program.stop();
      await origin.stop();
    }
  },
};

async function measureCase(context: SuiteContext, servers: readonly Server[], each: Case): Promise<Measured[]> {
  const rounds = context.quick ? 3 : 7;
  const seconds = context.quick ? 2 : 4;
  const load = { paths: each.paths, connections, cores: loadCore, folder: context.folder };
  const results = servers.map(({ peer }) => ({ peer: peer.name, case: each.name, microsecondsPerRequest: [] as number[], requestsPerSecond: [] as number[], errors: 0 }));
  for (const { port } of servers) {
    await prime(port, each);
    await runWrk({ ...load, port, seconds: context.quick ? 2 : 4 });
  }
  for (let round = 0; round < rounds; round++) {
    for (const [at, { program, port }] of servers.entries()) {
      const tree = processTree(program.pid);
      const beforeMs = cpuTimeMs(tree);
      const run = await runWrk({ ...load, port, seconds });
      const usedMs = cpuTimeMs(tree) - beforeMs;
      const result = results[at];
      if (result === undefined) continue;
      result.microsecondsPerRequest.push((usedMs * 1000) / run.requests);
      result.requestsPerSecond.push(run.requests / run.seconds);
      result.errors += run.errors;
    }
  }
  context.say(`cpu: ${each.name}: ${results.map((result) => `${result.peer} ${median(result.microsecondsPerRequest).toFixed(1)} µs`).join(', ')}`);
  return results;
}

/**
 * A first visitor for every URL, without cookies of its own: Foreshadow keeps no answer to a visitor's session cookie that
 * varies on cookies, though it gives what it has to such visitors. Then nothing of a hit case may come from the origin.
 */
async function prime(port: number, each: Case): Promise<void> {
  const [, userAgent = ''] = browserFields('').find(([name]) => name === 'User-Agent') ?? [];
  for (const path of each.paths) await (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'user-agent': userAgent, cookie: 'segment=vip' } })).arrayBuffer();
  if (!each.hit) return;
  const missed: string[] = [];
  for (const path of each.paths) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: Object.fromEntries(browserFields(`127.0.0.1:${port}`)) });
    await answer.arrayBuffer();
    if (/source=origin/.test(answer.headers.get('foreshadow') ?? '')) missed.push(path);
  }
  if (missed.length > 0) throw new Error(`${each.name}: ${missed.length} of ${each.paths.length} URLs still come from the origin, ${missed[0]} for one`);
}

/** Half of the most nginx did, as far as the generator goes; every server gets that rate. */
async function measureHalfLoad(context: SuiteContext, servers: readonly Server[], each: Case, measured: readonly Measured[]): Promise<Steady[]> {
  const reference = measured.find((one) => one.case === each.name && one.peer === 'nginx');
  if (reference === undefined) return [];
  const ratePerSecond = Math.min(steadyRateMax, Math.round(median(reference.requestsPerSecond) / 2));
  const results: Steady[] = [];
  for (const { peer, port } of servers) {
    const out = join(context.folder, `steady-${peer.name}.json`);
    const load = Program.start({
      command: [process.execPath, join(import.meta.dir, 'steady.ts'), String(port), String(ratePerSecond), context.quick ? '4' : '10', out, ...each.paths],
      cores: loadCore, logFile: join(context.folder, 'steady.log'),
    });
    if (await load.exited !== 0) throw new Error(`the load generator failed:\n${load.logTail()}`);
    // Written by our own steady.ts, just now.
    results.push({ peer: peer.name, case: each.name, ratePerSecond, ...JSON.parse(readFileSync(out, 'utf8')) as Omit<Steady, 'peer' | 'case' | 'ratePerSecond'> });
  }
  context.say(`cpu: ${each.name} at ${ratePerSecond}/s: ${results.map((one) => `${one.peer} p99 ${ms(one.p99Ms)}`).join(', ')}`);
  return results;
}

function report(measured: readonly Measured[], steady: readonly Steady[]): SuiteReport {
  const missed: string[] = [];
  const rows = cases.flatMap((each) => {
    const ofCase = measured.filter((one) => one.case === each.name);
    const nginxMicroseconds = median(ofCase.find((one) => one.peer === 'nginx')?.microsecondsPerRequest ?? []);
    const nginxP99Ms = steady.find((one) => one.case === each.name && one.peer === 'nginx')?.p99Ms ?? 0;
    return ofCase.map((one) => {
      const microseconds = median(one.microsecondsPerRequest);
      const ratio = microseconds / nginxMicroseconds;
      const half = steady.find((other) => other.case === each.name && other.peer === one.peer);
      if (one.peer === 'foreshadow' && ratio > each.atMostOfNginx) missed.push(`${each.name}: ${ratio.toFixed(2)} × nginx's CPU time (at most ${each.atMostOfNginx})`);
      if (one.peer === 'foreshadow' && half && half.p99Ms > nginxP99Ms) missed.push(`${each.name}: p99 ${ms(half.p99Ms)} at half load (nginx ${ms(nginxP99Ms)})`);
      return [`${each.name}, ${one.peer}`, microseconds.toFixed(1), ratio.toFixed(2), median(one.requestsPerSecond).toFixed(0), String(one.errors),
        half ? String(half.ratePerSecond) : '-', half ? ms(half.p50Ms) : '-', half ? ms(half.p99Ms) : '-', half ? String(half.failed) : '-'];
    });
  });
  const table: Table = {
    title: `CPU time of the server per request (median of rounds), and latency at a steady load: half of nginx's highest, at most ${steadyRateMax}/s`,
    columns: ['case, server', 'µs/request', '× nginx', 'requests/s', 'errors', 'steady/s', 'p50', 'p99', 'failed'],
    rows,
  };
  return { numbers: { measured, steady }, tables: [table], missed };
}

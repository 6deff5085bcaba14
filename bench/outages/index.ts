/**
 * Outages: 300 requests a second, open loop, over 400 pages × 2 devices × 3 segments; every fault from a fresh warm state,
 * then an origin that can serve only 12 requests at a time. Required of Foreshadow: nothing failed, nothing wrong,
 * p99 at most 250 ms in every phase, only probes and trials while the origin is known to be down, never more than 12 at once on return.
 */
import { join } from 'node:path';
import { ms, percent } from '../report.ts';
import type { Table } from '../report.ts';
import type { Suite, SuiteContext, SuiteReport } from '../suite.ts';
import { capacity } from './origin-counts.ts';
import type { Mode } from './origin-counts.ts';
import { failedOf, runOutage, wrongVariationsOf } from './run.ts';
import type { OutagePhase, OutageRun } from './run.ts';
import { pagesMax } from './site.ts';

const faults: readonly Mode[] = ['refused', 'hang', 'slow', 'errors', 'cut', 'flap'];

export const outages: Suite = {
  name: 'outages',
  about: 'six kinds of outage and the return of a weak origin, at 300 requests/s (--faults refused,hang,slow,errors,cut,flap)',
  async run(context) {
    const wanted = context.options['faults']?.split(',');
    const runs: OutageRun[] = [];
    for (const fault of faults.filter((name) => wanted?.includes(name) ?? true)) {
      for (const peer of context.peers) {
        context.say(`outages: ${fault}, ${peer.name}`);
        const run = await runOutage({
          peer, fault, ratePerSecond: 300, seed: 20_14, pages: pagesMax,
          times: context.quick ? { warmUpMs: 30_000, faultMs: 6000, returnMs: 6000 } : { warmUpMs: 40_000, faultMs: 15_000, returnMs: 15_000 },
          folder: join(context.folder, `${fault}-${peer.name}`),
        });
        runs.push(run);
        context.say(`  ${oneLine('fault', run.outage)}; ${oneLine('return', run.recovery)}`);
      }
    }
    return report(context, runs);
  },
};

function oneLine(name: string, phase: OutagePhase): string {
  const { visitors } = phase;
  return `${name}: ${percent(failedOf(visitors), visitors.requests)} failed, ${wrongVariationsOf(visitors)} wrong, p99 ${ms(visitors.p99Ms)}`;
}

function report(context: SuiteContext, runs: readonly OutageRun[]): SuiteReport {
  const row = (run: OutageRun): string[] => {
    const { warmUp, outage, recovery } = run;
    const asked = outage.origin.requests;
    return [
      `${run.fault} ${run.peer}`,
      percent(failedOf(warmUp.visitors), warmUp.visitors.requests),
      percent(failedOf(outage.visitors), outage.visitors.requests),
      percent(failedOf(recovery.visitors), recovery.visitors.requests),
      String(wrongVariationsOf(warmUp.visitors) + wrongVariationsOf(outage.visitors) + wrongVariationsOf(recovery.visitors)),
      ms(outage.visitors.p50Ms), ms(outage.visitors.p99Ms), ms(outage.visitors.maxMs), ms(recovery.visitors.p99Ms),
      `${asked.user} / ${asked.probe} / ${asked.generate + asked.discovery}`,
      String(recovery.origin.inFlightMax), String(recovery.origin.turnedAway),
    ];
  };
  const table: Table = {
    title: `Outages, 300 requests/s${context.quick ? ' (quick: shorter phases, not comparable)' : ''}`,
    columns: ['fault, server', 'failed warm', 'failed outage', 'on return', 'wrong', 'p50', 'p99', 'max', 'p99 return', 'origin saw user/probe/generate', 'most at once', 'turned away'],
    rows: runs.map(row),
  };
  return { numbers: runs, tables: [table], missed: runs.filter((run) => run.peer === 'foreshadow').flatMap(missedBy) };
}

function missedBy(run: OutageRun): string[] {
  const missed: string[] = [];
  const phases = { 'warm-up': run.warmUp, outage: run.outage, return: run.recovery };
  for (const [name, { visitors }] of Object.entries(phases)) {
    if (failedOf(visitors) > 0) missed.push(`${run.fault}, ${name}: ${failedOf(visitors)} requests failed (${JSON.stringify(visitors.outcomes)})`);
    if (wrongVariationsOf(visitors) > 0) missed.push(`${run.fault}, ${name}: ${wrongVariationsOf(visitors)} wrong variations`);
    if (visitors.p99Ms > 250) missed.push(`${run.fault}, ${name}: p99 ${ms(visitors.p99Ms)} (at most 250 ms)`);
  }
  if (run.recovery.origin.turnedAway > 0) missed.push(`${run.fault}: the returning origin was pushed over its ${capacity} (${run.recovery.origin.turnedAway} turned away)`);
  return missed;
}

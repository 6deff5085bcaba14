/** What a backtest found, as plain data: the JSON output, and what the printed table and the HTML report are made from. Pure. */
import type { TraceFindings } from '../demand/trace/index.ts';
import { traceFaults, traceOddities } from '../demand/trace/index.ts';
import { policyNames } from '../predict/backtest/index.ts';
import type { PlayResult, PolicyName, ReliabilityRow, TraceTotals } from '../predict/backtest/index.ts';
import type { BacktestOptions } from './backtest-options.ts';

export const policyTitles: Readonly<Record<PolicyName, string>> = {
  passive: 'passing requests only (plain caching)',
  popular: 'popular in the last 30 min',
  ewma: 'weighted rate of 1 h',
  foreshadow: 'Foreshadow',
  semiClairvoyant: 'knows the rates around the outage',
  clairvoyant: 'clairvoyant (knows every request)',
};

export interface PolicySummary {
  readonly policy: PolicyName;
  /** Share of requests in outages whose copy was young enough. */
  readonly coverage: number;
  /** Share whose copy a refresh had made; the rest of `coverage` was captured in passing. */
  readonly coverageByRefresh: number;
  /** Share for which there was a copy of any age. */
  readonly answered: number;
  /** Ages of the copies that would have answered, minutes. */
  readonly ageMin: { readonly median: number; readonly p90: number };
  /** (policy − passive) / (clairvoyant − passive); undefined where these two are equal. */
  readonly gapClosed: number | undefined;
}

export interface BacktestSummary {
  readonly traces: readonly string[];
  readonly settings: { readonly warmup: string; readonly warmupMs: number; readonly outageEveryMs: number; readonly outageLengthMs: number; readonly freshForMs: number; readonly budgetPerMinute: number };
  readonly span: { readonly fromMs: number; readonly toMs: number };
  readonly requests: { readonly people: number; readonly crawlers: number; readonly prefetches: number; readonly generated: number; readonly scorable: number; readonly errorsAndOtherMethods: number };
  readonly resources: number;
  readonly refreshes: number;
  readonly outages: number;
  readonly requestsInOutages: number;
  readonly policies: readonly PolicySummary[];
  readonly reliability: readonly ReliabilityRow[];
  readonly badLines: number;
  readonly lines: readonly { readonly kind: string; readonly what: string; readonly skipped: boolean; readonly count: number; readonly examples: readonly string[] }[];
  readonly coverageByOutage: readonly { readonly t: number; readonly requests: number; readonly covered: Readonly<Record<PolicyName, number>> }[];
}

export function summarise(
  options: BacktestOptions, warmup: { readonly ms: number; readonly why: string }, result: PlayResult, totals: TraceTotals, findings: TraceFindings,
): BacktestSummary {
  const lines = findings.list().map((finding) => ({ ...finding, what: { ...traceFaults, ...traceOddities }[finding.kind] }));
  return {
    traces: options.traces,
    settings: {
      warmup: warmup.why, warmupMs: warmup.ms, outageEveryMs: options.outageEveryMs, outageLengthMs: options.outageLengthMs,
      freshForMs: options.freshForMs, budgetPerMinute: options.budgetPerMinute,
    },
    span: { fromMs: result.firstMs, toMs: result.lastMs },
    requests: {
      people: totals.kinds.person, crawlers: totals.kinds.crawler, prefetches: totals.kinds.prefetch, generated: totals.kinds.generated,
      scorable: totals.demand, errorsAndOtherMethods: totals.otherwise,
    },
    resources: result.keys, refreshes: result.refreshes, outages: result.outages.length,
    requestsInOutages: sumOf(result, 'passive', 'requests'),
    policies: policyNames.map((policy) => summarisePolicy(result, policy)),
    reliability: result.reliability.rows(),
    badLines: lines.reduce((sum, line) => sum + (line.skipped ? line.count : 0), 0),
    lines,
    coverageByOutage: result.outages.map(({ atMs, scores }) => ({
      t: atMs, requests: scores.passive.requests,
      covered: {
        passive: scores.passive.covered, popular: scores.popular.covered, ewma: scores.ewma.covered, foreshadow: scores.foreshadow.covered,
        semiClairvoyant: scores.semiClairvoyant.covered, clairvoyant: scores.clairvoyant.covered,
      },
    })),
  };
}

function summarisePolicy(result: PlayResult, policy: PolicyName): PolicySummary {
  const requests = Math.max(1, sumOf(result, policy, 'requests'));
  const covered = sumOf(result, policy, 'covered');
  const passive = sumOf(result, 'passive', 'covered');
  const clairvoyant = sumOf(result, 'clairvoyant', 'covered');
  const ages = result.ages[policy];
  return {
    policy, coverage: covered / requests, coverageByRefresh: sumOf(result, policy, 'byRefresh') / requests,
    answered: sumOf(result, policy, 'answered') / requests,
    ageMin: { median: quantileOf(ages, 0.5), p90: quantileOf(ages, 0.9) },
    gapClosed: clairvoyant === passive ? undefined : (covered - passive) / (clairvoyant - passive),
  };
}

function sumOf(result: PlayResult, policy: PolicyName, what: 'requests' | 'covered' | 'byRefresh' | 'answered'): number {
  return result.outages.reduce((sum, { scores }) => sum + scores[policy][what], 0);
}

/** The bin in which a share of all is reached. */
function quantileOf(bins: Float64Array, level: number): number {
  const target = bins.reduce((sum, count) => sum + count, 0) * level;
  let reached = 0;
  for (let bin = 0; bin < bins.length; bin++) {
    reached += bins[bin] ?? 0;
    if (reached >= target) return bin;
  }
  return 0;
}

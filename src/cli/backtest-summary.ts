/** What a backtest found, as plain data: the JSON output, and what the printed table and the HTML report are made from. Pure. */
import type { TraceFindings } from '../demand/trace/index.ts';
import { traceFaults, traceOddities } from '../demand/trace/index.ts';
import { policyNames, yardstickNames } from '../predict/backtest/index.ts';
import { levels } from '../predict/index.ts';
import type { Level, StageName } from '../predict/index.ts';
import type { MissReason, PlayResult, PolicyName, ScoreRow, TotalRow, TraceTotals } from '../predict/backtest/index.ts';
import type { BacktestOptions } from './backtest-options.ts';

export const policyTitles: Readonly<Record<PolicyName, string>> = {
  passive: 'passing requests only (plain caching)',
  popular: 'popular in the last 30 min',
  ewma: 'weighted rate of 1 h',
  foreshadow: 'Foreshadow',
  semiClairvoyant: 'knows the rates around the outage',
  clairvoyant: 'clairvoyant (knows every request)',
};

export const missTitles: Readonly<Record<MissReason, string>> = {
  'never-seen': 'never asked for before', 'seen-once': 'asked for once before', burst: 'a burst', 'too-rare': 'too rare for the budget', budget: 'others were worth more just then',
};

export const levelTitles: Readonly<Record<Level, string>> = { site: 'resources everywhere', region: 'resources by region' };

export const totalTitles: Readonly<Record<Level, string>> = { site: 'the site', region: 'each region' };

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

/** How good the forecasts of one level were, in all, at the horizon at which the yardstick is held beside them (15 minutes). */
export interface LevelSummary {
  readonly level: Level;
  readonly forecasts: number;
  /** Of P(≥1), nats. */
  readonly logLoss: number;
  readonly yardsticks: readonly { readonly name: string; readonly logLoss: number }[];
  /** 1 − log loss / the best yardstick's. */
  readonly belowBest: number;
  /** Largest |said − came true| of the strata with at least `calibrationCases` forecasts. */
  readonly calibrationError: number;
  /** Share of the counts within the central 90 % interval (non-randomised PIT), and from the 5 to the 95 % quantile where at least 5 are expected. */
  readonly central90: number;
  readonly central90Dense: number | undefined;
}

/** Cases below which a stratum's calibration says little. */
export const calibrationCases = 500;
/** Where as many are expected, that counts are whole no longer widens a 90 % interval much. */
const denseMean = 5;
const yardstickHorizonMin = 15;

export interface BacktestSummary {
  readonly traces: readonly string[];
  readonly settings: { readonly warmup: string; readonly warmupMs: number; readonly outageEveryMs: number; readonly outageLengthMs: number; readonly freshForMs: number; readonly budgetPerMinute: number; readonly without: readonly StageName[]; readonly clientsAbovePerDay: number | undefined };
  readonly span: { readonly fromMs: number; readonly toMs: number };
  readonly requests: { readonly people: number; readonly crawlers: number; readonly prefetches: number; readonly generated: number; readonly scorable: number; readonly errorsAndOtherMethods: number; readonly heavyClients: number };
  readonly resources: number;
  readonly refreshes: number;
  readonly outages: number;
  readonly requestsInOutages: number;
  readonly policies: readonly PolicySummary[];
  readonly forecasts: { readonly levels: readonly LevelSummary[]; readonly rows: readonly ScoreRow[] };
  /** Of the site and of regions as a whole. */
  readonly totals: readonly TotalRow[];
  readonly misses: PlayResult['misses'];
  /** Of the engine's stages: where the gate let them in at the end, and what each gained. */
  readonly doors: PlayResult['doors'];
  readonly work: PlayResult['work'];
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
      freshForMs: options.freshForMs, budgetPerMinute: options.budgetPerMinute, without: [...options.without], clientsAbovePerDay: options.clientRequestsMax,
    },
    span: { fromMs: result.firstMs, toMs: result.lastMs },
    requests: {
      people: totals.kinds.person, crawlers: totals.kinds.crawler, prefetches: totals.kinds.prefetch, generated: totals.kinds.generated,
      scorable: totals.demand, errorsAndOtherMethods: totals.otherwise, heavyClients: totals.heavyClients,
    },
    resources: result.keys, refreshes: result.refreshes, outages: result.outages.length,
    requestsInOutages: sumOf(result, 'passive', 'requests'),
    policies: policyNames.map((policy) => summarisePolicy(result, policy)),
    forecasts: { levels: levels.flatMap((level) => summariseLevel(level, result.forecasts)), rows: result.forecasts },
    totals: result.totals,
    misses: result.misses, doors: result.doors, work: result.work,
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

function summariseLevel(level: Level, all: readonly ScoreRow[]): LevelSummary[] {
  const rows = all.filter((row) => row.level === level && row.horizonMin === yardstickHorizonMin);
  const forecasts = rows.reduce((sum, row) => sum + row.forecasts, 0);
  if (forecasts === 0) return [];
  const mean = (of: (row: ScoreRow) => number, some = rows): number => some.reduce((sum, row) => sum + of(row) * row.forecasts, 0) / Math.max(1, some.reduce((sum, row) => sum + row.forecasts, 0));
  const yardsticks = yardstickNames.map((name, scale) => ({ name, logLoss: mean((row) => row.yardsticks[scale] ?? 0) }));
  const logLoss = mean((row) => row.logLoss);
  const dense = rows.filter((row, at) => (rows[at - 1]?.meanBelow ?? 0) >= denseMean && row.forecasts > 0);
  return [{
    level, forecasts, logLoss, yardsticks, belowBest: 1 - logLoss / Math.min(...yardsticks.map((yardstick) => yardstick.logLoss)),
    calibrationError: Math.max(0, ...rows.filter((row) => row.forecasts >= calibrationCases).map((row) => Math.abs(row.said - row.came))),
    central90: mean((row) => row.within[3]), central90Dense: dense.length > 0 ? mean((row) => row.central90Raw, dense) : undefined,
  }];
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

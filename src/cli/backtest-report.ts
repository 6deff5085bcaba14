/** Placeholder */
import type { BacktestSummary } from './backtest-summary.ts';
export function backtestReport(summary: BacktestSummary): string { return JSON.stringify(summary); }

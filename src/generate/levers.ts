/**
 * What an operator can set of the generator while it runs: pause, budgets, a surge before a failure that is known to come. In force at once; a reload of
 * the configuration and a restart go back to what the configuration says, but a reload leaves a pause alone.
 */
import type { Config } from '../config/types.ts';
import type { Clock } from '../kernel/index.ts';
import type { Budget, BudgetLimits } from './budget.ts';

export interface GeneratorSettings {
  readonly paused: boolean;
  /** Until when refreshes may go beyond their share, as was ordered; undefined: not. Epoch ms. */
  readonly surgeUntilMs: number | undefined;
  readonly budgets: BudgetLimits;
}

export interface GeneratorOrder {
  readonly paused?: boolean | undefined;
  /** For how long from now; 0 ends one. */
  readonly surgeMs?: number | undefined;
  readonly budgets?: Partial<BudgetLimits> | undefined;
}

export class Levers {
  readonly #budget: Budget;
  readonly #clock: Clock;
  #paused = false;
  #surgeUntilMs = 0;
  #budgets: BudgetLimits;

  constructor(budget: Budget, clock: Clock, budgets: Config['budgets']) {
    this.#budget = budget;
    this.#clock = clock;
    this.#budgets = limitsOf(budgets);
  }

  settings(): GeneratorSettings {
    return { paused: this.#paused, surgeUntilMs: this.#surgeUntilMs > this.#clock.nowMs() ? this.#surgeUntilMs : undefined, budgets: this.#budgets };
  }

  change({ paused, surgeMs, budgets }: GeneratorOrder): void {
    if (paused !== undefined) {
      this.#paused = paused;
      this.#budget.setPaused(paused);
    }
    if (surgeMs !== undefined) {
      this.#surgeUntilMs = this.#clock.nowMs() + surgeMs;
      this.#budget.surge(this.#surgeUntilMs);
    }
    if (budgets) this.#use({ ...this.#budgets, ...budgets });
  }

  configure(budgets: Config['budgets']): void {
    this.#use(limitsOf(budgets));
  }

  #use(budgets: BudgetLimits): void {
    this.#budgets = budgets;
    this.#budget.configure(budgets);
  }
}

function limitsOf({ originRequestsPerSecond, originShare, generateConcurrency }: Config['budgets']): BudgetLimits {
  return { originRequestsPerSecond, originShare, generateConcurrency };
}

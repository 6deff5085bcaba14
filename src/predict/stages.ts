/** Which stages there are, in the order in which they are applied. */
import { LearnedStage } from './learned/index.ts';
import type { Stage, StageName } from './stage.ts';
import { BurstStage } from './bursts/burst-stage.ts';
import { RelationStage } from './relations/relation-stage.ts';
import type { Holiday } from './season/holidays.ts';
import { SeasonStage } from './season/season-stage.ts';
import type { EngineState } from './state/state.ts';

export interface StageOptions {
  /** Of everything random in training; equal seeds, equal engines. */
  readonly seed: number;
  /** Stages that are left out: to see what each contributes. */
  readonly without: ReadonlySet<StageName>;
  /** Days unlike other days. */
  readonly holidays?: readonly Holiday[];
}

/** The stages for a state, in the order of `stageNames`. */
export function createStages(state: EngineState, { seed, without, holidays }: StageOptions): Stage[] {
  const stages: Stage[] = [new SeasonStage(state, holidays), new RelationStage(state), new BurstStage(state), new LearnedStage(state, seed)];
  return stages.filter((stage) => !without.has(stage.name));
}

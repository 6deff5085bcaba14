export { Kin } from './kin.ts';
export { LearnedStage } from './learned-stage.ts';

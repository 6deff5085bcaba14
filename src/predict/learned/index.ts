export { LearnedStage } from './learned-stage.ts';

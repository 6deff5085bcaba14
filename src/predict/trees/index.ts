export { boost } from './boost.ts';
export type { BoostOptions } from './boost.ts';
export { forest } from './forest.ts';
export type { ForestOptions } from './forest.ts';
export { TreeModel } from './model.ts';
export { poissonDeviance } from './rows.ts';
export type { TrainingRows } from './rows.ts';

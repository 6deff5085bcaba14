export { Generator, type GeneratorStatus } from './generator.ts';
export { FreshDemand } from './fresh-demand.ts';
export type { Coverage } from './coverage.ts';

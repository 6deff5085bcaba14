export { Generator } from './generator.ts';
export type { GeneratorOrder, GeneratorSettings } from './levers.ts';
export type { GeneratorStatus } from './status.ts';
export type { Pace } from './pace.ts';
export { FreshDemand } from './fresh-demand.ts';
export type { Coverage } from './coverage.ts';
export { readMemory, type Memory } from './memory.ts';
export * from './curator/index.ts';

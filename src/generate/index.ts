export { refusals, type Refusal } from './refusals.ts';
export { Generator, type GeneratorParts, type GeneratorStatus } from './generator.ts';
export { FreshDemand } from './fresh-demand.ts';
export type { Outlook } from './candidates.ts';
export type { OriginCondition } from './budget.ts';
export type { Coverage } from './coverage.ts';
export type { CatalogWriter } from './publisher.ts';

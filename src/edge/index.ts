export { Edge } from './edge.ts';
export { explainRequest, type Explanation } from './explanation.ts';
export type { EdgeOutbox } from './outbox.ts';

export { Edge, type EdgeOutbox } from './edge.ts';
export { explainRequest, type Explanation } from './explanation.ts';

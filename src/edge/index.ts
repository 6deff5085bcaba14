export { Edge, type EdgeFigures, type EdgeOutbox } from './edge.ts';
export { captureOutcomes } from './capture.ts';
export { explainRequest, type Explanation } from './explanation.ts';

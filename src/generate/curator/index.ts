export { Curator, type Archive } from './curator.ts';
export * from './views.ts';

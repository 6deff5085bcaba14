export * from './baseline.ts';
export * from './forecaster.ts';

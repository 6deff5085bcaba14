export * from './engine.ts';
export * from './forecaster.ts';

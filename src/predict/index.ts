export * from './engine.ts';
export * from './forecaster.ts';
export * from './stage.ts';
export * from './work.ts';

export * from './engine.ts';
export * from './forecast-page.ts';
export * from './forecaster.ts';
export * from './stage.ts';
export * from './work.ts';

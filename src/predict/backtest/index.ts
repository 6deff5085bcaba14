export * from './copies.ts';
export { yardstickNames } from './ewma-yardstick.ts';
export * from './forecast-scores.ts';
export * from './hour-bucket.ts';
export * from './misses.ts';
export * from './play.ts';
export * from './player.ts';
export * from './trace-minutes.ts';
export * from './work-schedule.ts';

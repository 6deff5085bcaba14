export * from './copies.ts';
export * from './play.ts';
export * from './player.ts';
export * from './reliability.ts';
export * from './trace-minutes.ts';
export * from './work-schedule.ts';

export * from './slots.ts';
export * from './types.ts';

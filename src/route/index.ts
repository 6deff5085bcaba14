export * from './reasons.ts';
export * from './types.ts';

export * from './change-rate.ts';
export * from './plan.ts';

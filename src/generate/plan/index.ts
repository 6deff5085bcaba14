export * from './change-rate.ts';
export * from './journal.ts';
export * from './plan.ts';

export * from './classify.ts';
export * from './counter.ts';
export * from './wire.ts';
export * from './window.ts';

export * from './classify.ts';
export * from './counter.ts';
export * from './journeys.ts';
export * from './sweep-order.ts';
export * from './wire.ts';
export * from './window.ts';

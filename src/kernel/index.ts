export * from './brand.ts';
export * from './bytes.ts';
export * from './clock.ts';
export * from './errors.ts';
export * from './fnv.ts';
export * from './log.ts';
export * from './random.ts';
export * from './units.ts';

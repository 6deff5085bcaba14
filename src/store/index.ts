export * from './blob-store.ts';
export * from './digest.ts';
export * from './local-store.ts';
export * from './memory-store.ts';
export * from './volumes/index.ts';
export * from './local/index.ts';

export * from './blob-store.ts';
export * from './local-store.ts';

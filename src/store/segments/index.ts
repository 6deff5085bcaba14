export * from './record.ts';
export * from './sidecar.ts';
export * from './segment-writer.ts';

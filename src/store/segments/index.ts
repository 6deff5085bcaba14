export * from './appender.ts';
export * from './record.ts';
export * from './sidecar.ts';

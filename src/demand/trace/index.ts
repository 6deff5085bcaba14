export * from './trace-file.ts';
export * from './trace-request.ts';

export * from './shadow-record.ts';

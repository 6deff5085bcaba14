export * from './catalog.ts';
export * from './reader.ts';
export * from './record-codec.ts';
export * from './shadow-record.ts';
export * from './good-copy.ts';
export * from './location.ts';

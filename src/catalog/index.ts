export * from './catalog.ts';
export * from './reader.ts';
export * from './record-codec.ts';
export * from './shadow-record.ts';
export * from './good-copy.ts';
export * from './location.ts';
export * from './rule.ts';
export * from './tags.ts';

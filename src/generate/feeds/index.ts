export { FeedHub, type FeedHubOptions } from './hub.ts';
export { NextValues } from './next-values.ts';
export { feedRefusals, type FeedRefusal } from './refusals.ts';
export type { FeedState, FeedValue } from './types.ts';

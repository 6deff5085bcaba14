export { FeedHub, type FeedHubOptions } from './hub.ts';
export { NextValues, type NextValue } from './next-values.ts';
export { feedRefusals, type FeedRefusal } from './refusals.ts';
export type { FeedHealth, FeedState, FeedValue } from './types.ts';

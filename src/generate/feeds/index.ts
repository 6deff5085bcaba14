export { FeedHub, type FeedHubOptions } from './hub.ts';
export { feedRefusals, type FeedRefusal } from './refusals.ts';
export type { FeedState, FeedValue } from './types.ts';
export type { ValueOutlook } from './value-outlook.ts';

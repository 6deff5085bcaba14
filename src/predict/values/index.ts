export { FeedValues } from './feed-values.ts';

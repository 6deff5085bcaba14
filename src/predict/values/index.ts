export { FeedValues, type ValueForecast } from './feed-values.ts';

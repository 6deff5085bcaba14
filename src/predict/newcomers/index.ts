export { Newcomers } from './newcomers.ts';

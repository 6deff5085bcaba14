export { decide } from './decide.ts';
export { OriginRouting } from './origin-routing.ts';
export * from './reasons.ts';
export * from './types.ts';
export { chooseVariation } from './variation-choice.ts';

export { decide } from './decide.ts';
export { OriginRouting, type RoutingOptions } from './origin-routing.ts';
export * from './reasons.ts';
export * from './types.ts';
export { chooseVariation, type VariationChoice } from './variation-choice.ts';

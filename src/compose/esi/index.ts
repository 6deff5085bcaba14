export { evaluateEsi, pageBytesMax } from './evaluate.ts';
export { includesOf } from './includes.ts';
export { parseEsi } from './parse.ts';
export { capabilityField, heedSurrogateControl, mayHoldEsi, parseSurrogateControl, surrogateCapability, wantsEsi } from './surrogate.ts';
export type { EsiFacts } from './variable.ts';

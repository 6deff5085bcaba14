/** How far the edge goes in taking content codings off bodies; the decoding itself is `http`'s. */
export { decodeBody } from '../http/index.ts';

/** How much larger than `limits.captureBody` a body may become when its coding is taken off: text shrinks to a fifth, seldom to a tenth. */
export const decodedFactorMax = 10;

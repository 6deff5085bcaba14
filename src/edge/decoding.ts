/** Which coding a stored body has, and how far the edge goes in taking it off; the decoding itself is `http`'s. */
import type { HeaderList } from '../http/index.ts';

/** How much larger than `limits.captureBody` a body may become when its coding is taken off: text shrinks to a fifth, seldom to a tenth. */
export const decodedFactorMax = 10;

/** The content coding of a stored answer, lower case; undefined where it has none. */
export function codingOf(headers: HeaderList): string | undefined {
  const coding = headers.find(([name]) => name === 'content-encoding')?.[1].trim().toLowerCase();
  return coding === '' || coding === 'identity' ? undefined : coding;
}

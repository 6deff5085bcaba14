/**
 * Chooses the content coding of an answer by Accept-Encoding (RFC 9110 §12.5.3), and gives each coding of a representation an entity
 * tag of its own: two codings of one representation are different bytes and must not share a strong tag (§8.8.3.3). Pure.
 */
import { listMembers } from './list.ts';

export type Coding<C extends string> = C | 'identity';

/**
 * Of the codings there are (best first) the one the client likes best; equal weights go by our order, and identity comes last
 * among equals. Without the field nothing is coded: any coding would be acceptable, but clients that don't ask often can't decode.
 * Where nothing there is is acceptable (`identity;q=0` and no coding that we have) the field is disregarded (§12.1): a page that the
 * client said it would rather not have is worth more to it in an outage than 406.
 */
export function chooseCoding<C extends string>(acceptEncoding: string | null, available: readonly C[]): Coding<C> {
  if (acceptEncoding === null || acceptEncoding === '') return 'identity';
  const weights = readWeights(acceptEncoding);
  const others = weights.get('*');
  let best: Coding<C> = 'identity';
  // Acceptable unless excluded by name or by `*;q=0`; only a weight of its own makes it dearer than a coding.
  let weight = weights.get('identity') ?? 0;
  for (const coding of available) {
    const own = weights.get(coding) ?? others ?? 0;
    if (own <= 0 || own < weight || (own === weight && best !== 'identity')) continue;
    best = coding;
    weight = own;
  }
  return best;
}

/** Coding, lower case, → weight. What can't be read as a weight is 0, so that nobody gets what they may not be able to decode. */
function readWeights(field: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const member of listMembers(field)) {
    const [name = '', ...parameters] = member.toLowerCase().split(';').map((part) => part.trim());
    const written = parameters.find((parameter) => /^q\s*=/.test(parameter));
    const weight = written === undefined ? 1 : Number(written.slice(written.indexOf('=') + 1).trim() || Number.NaN);
    if (name !== '') weights.set(name === 'x-gzip' ? 'gzip' : name, Number.isFinite(weight) ? Math.max(0, Math.min(1, weight)) : 0);
  }
  return weights;
}

const suffixMark = '~fs-';
const suffixInTag = /~fs-[a-z]+"/g;

/** The tag of the coded body: `"abc"` becomes `"abc~fs-br"`; what is weak stays weak. */
export function codedTag(etag: string, coding: string): string {
  return etag.endsWith('"') ? `${etag.slice(0, -1)}${suffixMark}${coding}"` : etag;
}

/** Entity tags as the origin gave them: without what `codedTag` put in. */
export function plainTags(tags: string): string {
  return tags.includes(suffixMark) ? tags.replaceAll(suffixInTag, '"') : tags;
}

/** Of the tags a client holds (If-None-Match), the one that stands for `etag` in whatever coding. A 304 must name it, or it updates nothing (RFC 9111 §4.3.4). */
export function heldTag(ifNoneMatch: string | null, etag: string | undefined): string | undefined {
  return ifNoneMatch?.match(/(?:W\/)?"[^"]*"/g)?.find((tag) => plainTags(tag) === etag);
}

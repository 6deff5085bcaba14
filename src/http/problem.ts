/** Errors as RFC 9457 problem details, and whether a client would rather have them than a page. */
import Negotiator from 'negotiator';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
  readonly [member: string]: unknown;
}

export const problemContentType = 'application/problem+json';

/** Builds the object. `type` defaults to `about:blank`, which says that the title is the status code's phrase (§4.2.1). */
export function problem(
  status: number, title: string, more: { readonly type?: string; readonly detail?: string; readonly instance?: string; readonly [member: string]: unknown } = {},
): Problem {
  return { ...more, type: more.type ?? 'about:blank', title, status };
}

const offered = ['text/html', 'application/problem+json', 'application/json'];

/** Whether Accept prefers JSON to HTML. Nobody who says nothing, or anything goes, gets JSON. */
export function prefersJson(accept: string | null): boolean {
  if (accept === null || !/json/i.test(accept)) return false;
  return new Negotiator({ headers: { accept } }).mediaType(offered)?.endsWith('json') ?? false;
}

/**
 * Answers that Foreshadow itself has to give: an honest, small, self-contained page, or problem+json where the client asks
 * for JSON. They are never stored by anybody and say when to come back.
 */
import { buildForeshadowField, cacheStatusMember, prefersJson, problem, problemContentType } from '../http/index.ts';
import type { RegionName } from '../kernel/index.ts';
import { reasons, type Reason } from '../route/index.ts';

export interface Refusal {
  readonly status: number;
  readonly reason: Reason;
  readonly region: RegionName;
  /** Seconds; sent as Retry-After. */
  readonly retryAfterS?: number | undefined;
  readonly proxyStatus?: string | undefined;
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request', 404: 'Not found', 413: 'Request body too large', 414: 'Address too long', 421: 'Not a host of this site', 431: 'Request header too large', 499: 'Client left',
  501: 'Not implemented', 502: 'Bad gateway', 503: 'Temporarily unavailable', 504: 'No stored answer', 508: 'Loop detected',
};

export function refuse(refusal: Refusal, request: { readonly accept: string | null; readonly head: boolean }): Response {
  const { status, reason, region } = refusal;
  const title = titles[status] ?? 'Error';
  const headers = new Headers({
    'cache-control': 'no-store',
    'cache-status': cacheStatusMember({ kind: 'forwarded', reason: status === 503 || status === 502 || status === 504 ? 'miss' : 'bypass', detail: reason }),
    'foreshadow': buildForeshadowField({ source: 'none', reason, region }),
  });
  if (refusal.retryAfterS !== undefined) headers.set('retry-after', String(refusal.retryAfterS));
  if (refusal.proxyStatus !== undefined) headers.set('proxy-status', refusal.proxyStatus);
  const json = prefersJson(request.accept);
  headers.set('content-type', json ? problemContentType : 'text/html; charset=utf-8');
  const body = json
    ? JSON.stringify(problem(status, title, { detail: reasons[reason], reason, ...(refusal.retryAfterS !== undefined && { retryAfter: refusal.retryAfterS }) }))
    : page(status, title, reason, refusal.retryAfterS);
  if (request.head) {
    headers.set('content-length', String(Buffer.byteLength(body)));
    return new Response(null, { status, headers });
  }
  return new Response(body, { status, headers });
}

function page(status: number, title: string, reason: Reason, retryAfterS: number | undefined): string {
  const again = retryAfterS === undefined ? '' : `<p>Please try again in ${retryAfterS === 1 ? 'a second' : `${retryAfterS} seconds`}.</p>`;
  const saved = status === 503 ? '<p>If you were sending something, it has not been saved.</p>' : '';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>${title}</title>`
    + '<style>body{font:1.1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32rem;padding:0 1rem;color:#222;background:#fff}'
    + 'small{color:#666}@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}small{color:#999}}</style>'
    + `<h1>${title}</h1>${again}${saved}<p><small>${status} ${reason}</small></p></html>\n`;
}

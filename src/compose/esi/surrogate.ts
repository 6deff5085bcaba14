/**
 * How an origin and a surrogate come to terms about ESI (Edge Architecture Specification 1.0, W3C note of 2001-08-04): the surrogate says what it can in
 * Surrogate-Capability, the origin says in Surrogate-Control what there is to do, and how long a surrogate may keep the page. That field is for
 * us alone: it is not passed on. `no-store-remote` is for surrogates far from the origin's own network, which an operator's own edge is not.
 */
import { headerReader, listMembers, parseDeltaSeconds, type HeaderList } from '../../http/index.ts';
import { hasEsi } from './parse.ts';

/** The request field in which surrogates say what they process. */
export const capabilityField = 'surrogate-capability';
/** Our name in Surrogate-Capability, and in directives meant for us (`max-age=60;foreshadow`). */
const deviceToken = 'foreshadow';
const capability = `${deviceToken}="Surrogate/1.0 ESI/1.0"`;

/** The field towards the origin: who came before us, and us. */
export function surrogateCapability(before: string | null): string {
  return before === null || before === '' ? capability : `${before}, ${capability}`;
}

export interface SurrogateControl {
  /** Capabilities that are needed to process the page. */
  readonly content: readonly string[];
  /** Directives of Cache-Control that stand for what was said; empty where nothing was said about keeping. */
  readonly keeping: readonly string[];
}

/** Undefined where there is none. */
export function parseSurrogateControl(value: string | null): SurrogateControl | undefined {
  if (value === null) return undefined;
  const directives = new Map<string, string>();
  const targeted = new Set<string>();
  for (const member of listMembers(value)) {
    const [, directive = '', device] = /^((?:"[^"]*"|[^";])*)(?:;\s*(.*))?$/.exec(member) ?? [];
    const forUs = device?.trim().toLowerCase() === deviceToken;
    const [name = '', ...rest] = directive.split('=');
    const key = name.trim().toLowerCase();
    if (key === '' || (device !== undefined && !forUs) || (targeted.has(key) && !forUs)) continue;
    if (forUs) targeted.add(key);
    directives.set(key, rest.join('=').trim().replace(/^"([^"]*)"$/, '$1'));
  }
  return { content: (directives.get('content') ?? '').split(/\s+/).filter((word) => word !== ''), keeping: keepingOf(directives) };
}

/** `max-age=60+30`: fresh for 60 s, and for 30 s more while it is refreshed (§2.2.3). A time that can't be read is none. */
function keepingOf(directives: ReadonlyMap<string, string>): readonly string[] {
  if (directives.has('no-store')) return ['no-store'];
  const age = directives.get('max-age');
  if (age === undefined) return [];
  const [fresh = '', extension = ''] = age.split('+');
  const keeping = [`max-age=${parseDeltaSeconds(fresh.trim()) ?? 0}`];
  const whileRefreshed = parseDeltaSeconds(extension.trim());
  if (whileRefreshed !== undefined) keeping.push(`stale-while-revalidate=${whileRefreshed}`);
  return keeping;
}

/** The fields of an answer with Surrogate-Control as what it means to a cache: a CDN-Cache-Control (RFC 9213), unless there is one. */
export function heedSurrogateControl(headers: HeaderList): HeaderList {
  const read = headerReader(headers);
  const keeping = parseSurrogateControl(read.get('surrogate-control'))?.keeping ?? [];
  return keeping.length === 0 || read.get('cdn-cache-control') !== null ? headers : [...headers, ['cdn-cache-control', keeping.join(', ')]];
}

/** Whether a body of this type can be a page with ESI: HTML and XML. */
export function mayHoldEsi(contentType: string): boolean {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type === 'text/html' || type.endsWith('/xml') || type.endsWith('+xml');
}

/** Whether a page is to be processed: the origin says so, or says nothing and there is markup. */
export function wantsEsi(surrogateControl: string | null, body: Uint8Array): boolean {
  const control = parseSurrogateControl(surrogateControl);
  return control ? control.content.includes('ESI/1.0') : hasEsi(body);
}

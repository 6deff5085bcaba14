/**
 * Variables of ESI 1.0 (§4): `$(NAME)`, `$(NAME{key})`, `$(NAME|default)`. Their values come from strangers: whoever writes one into a page or a URL
 * takes `asText` or `asUrlPart`, never the value itself. Unknown names and absent keys are empty, as the specification says.
 */
import { cookieValue } from '../../http/index.ts';

export interface Variable {
  readonly name: string;
  readonly key: string | undefined;
  readonly fallback: string;
}

/** What variables are read from. */
export interface EsiFacts {
  /** A request header. */
  header(name: string): string | null;
  /** The visitor's Host, checked to be one. */
  readonly host: string;
  /** Without `?`. */
  readonly query: string;
}

/** A boolean is the answer of a list (`HTTP_ACCEPT_LANGUAGE{en}`); undefined is nothing there. */
export type Value = string | boolean | undefined;

const variablePattern = /\$\(([A-Z_]{1,40})(?:\{([^{}()'"$]{0,256})\})?(?:\|(?:'([^']{0,1024})'|([^()'$]{0,1024})))?\)/y;

/** Reads the variable that begins at `at`; `to` is where it ends. */
export function readVariable(text: string, at: number): { readonly variable: Variable; readonly to: number } | undefined {
  variablePattern.lastIndex = at;
  const match = variablePattern.exec(text);
  if (!match) return undefined;
  const [whole, name = '', key, quoted, bare] = match;
  return { variable: { name, key, fallback: quoted ?? bare ?? '' }, to: at + whole.length };
}

/** Whether the variable tells visitors apart whose URLs are equal, so that what it shaped is one person's. */
export function isPersonal({ name }: Variable): boolean {
  return name === 'HTTP_COOKIE' || name === 'HTTP_ACCEPT_LANGUAGE' || name === 'HTTP_USER_AGENT' || name === 'HTTP_REFERER';
}

export function valueOf(variable: Variable, facts: EsiFacts): Value {
  const value = ownValue(variable, facts);
  if (value !== undefined && value !== '') return value;
  return variable.fallback === '' ? undefined : variable.fallback;
}

/** For the text of a page: no value can begin an element or end an attribute. */
export function asText(variable: Variable, facts: EsiFacts): string {
  return String(valueOf(variable, facts) ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * For a URL. A host stays what it is, the query as a whole keeps its separators, and everything else is one part of one component: no value can
 * add a parameter, a path step or a host.
 */
export function asUrlPart(variable: Variable, facts: EsiFacts): string {
  const value = String(valueOf(variable, facts) ?? '').toWellFormed();
  if (variable.name === 'HTTP_HOST') return value.replace(/[^A-Za-z0-9.:[\]_-]+/g, encodeURIComponent);
  if (variable.name === 'QUERY_STRING' && variable.key === undefined) return value.replace(/[^A-Za-z0-9._~%!$&'()*+,;=:@/?-]+/g, encodeURIComponent);
  return encodeURIComponent(value);
}

function ownValue({ name, key }: Variable, facts: EsiFacts): Value {
  switch (name) {
    case 'HTTP_COOKIE': return key === undefined ? facts.header('cookie') ?? undefined : cookieValue(facts.header('cookie'), key);
    case 'HTTP_HOST': return facts.host;
    case 'HTTP_REFERER': return facts.header('referer') ?? undefined;
    case 'HTTP_ACCEPT_LANGUAGE': return key === undefined ? facts.header('accept-language') ?? undefined : accepts(facts.header('accept-language'), key);
    case 'HTTP_USER_AGENT': return key === undefined ? facts.header('user-agent') ?? undefined : aboutAgent(facts.header('user-agent') ?? '', key);
    case 'QUERY_STRING': return key === undefined ? facts.query : new URLSearchParams(facts.query).get(key) ?? undefined;
    default: return undefined;
  }
}

/** Whether a language, or a dialect of it, is in the list and not refused with `q=0`. */
function accepts(list: string | null, language: string): boolean {
  const wanted = language.trim().toLowerCase();
  return (list ?? '').toLowerCase().split(',').some((member) => {
    const [tag = '', ...parameters] = member.split(';').map((part) => part.trim());
    if (parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))) return false;
    return tag === wanted || tag.startsWith(`${wanted}-`);
  });
}

/** The specification's words of 2001 (§4.1): today's browsers are `MOZILLA`, phones count to the family of their system. */
function aboutAgent(agent: string, key: string): string | undefined {
  const explorer = /MSIE (\d+(?:\.\d+)?)|Trident\/.*rv:(\d+(?:\.\d+)?)/.exec(agent);
  const mozilla = /^Mozilla\/(\d+(?:\.\d+)?)/.exec(agent);
  switch (key) {
    case 'browser': return explorer ? 'MSIE' : mozilla ? 'MOZILLA' : 'OTHER';
    case 'version': return explorer ? explorer[1] ?? explorer[2] : mozilla?.[1];
    case 'os':
      if (/Windows/.test(agent)) return 'WIN';
      if (/Mac OS|Macintosh|iPhone|iPad/.test(agent)) return 'MAC';
      return /Linux|X11|BSD|Android|CrOS/.test(agent) ? 'UNIX' : 'OTHER';
    default: return undefined;
  }
}

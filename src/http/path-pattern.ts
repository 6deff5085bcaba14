/**
 * A route's `match`, compiled: `/exact`, `/products/:id` (one segment), `/static/*.css` (`*` within a segment),
 * `/account/**` (the path itself and everything below). Paths are matched in the one spelling of `normalisePath`, so that an
 * escaped spelling never slips past a route. Case counts; a trailing slash counts, except under `**`.
 */
type PathMatcher = (path: string) => boolean;

export type CompiledPattern =
  | { readonly ok: true; readonly matches: PathMatcher; readonly exact: string | undefined }
  | { readonly ok: false; readonly problem: string };

const parameter = /^:[A-Za-z_][A-Za-z0-9_]*$/;

/** Compiles one pattern, or says what is wrong with it. */
export function compilePattern(pattern: string): CompiledPattern {
  const problem = problemOf(pattern);
  if (problem !== undefined) return { ok: false, problem };
  if (!/[:*]/.test(pattern)) return { ok: true, exact: pattern, matches: (path) => path === pattern };
  let source = '';
  for (const segment of pattern.slice(1).split('/')) {
    if (segment === '**') source += '(?:/.*)?';
    else if (parameter.test(segment)) source += '/[^/]+';
    else source += `/${segment.split('*').map(escapeForRegExp).join('[^/]*')}`;
  }
  const whole = new RegExp(`^${source}$`, 's');
  // Most paths of a site share no prefix with a given route: the literal start tells them apart without the expression.
  const literal = pattern.slice(0, pattern.search(/[:*]/));
  const prefix = literal.endsWith('/') ? literal.slice(0, -1) : literal;
  return { ok: true, exact: undefined, matches: (path) => path.startsWith(prefix) && whole.test(path) };
}

function problemOf(pattern: string): string | undefined {
  if (!pattern.startsWith('/')) return 'must start with "/"';
  if (pattern.includes('?') || pattern.includes('#')) return 'is a path only, without "?" or "#" (see keepQuery)';
  if (/[^\x21-\x7e]/.test(pattern)) return 'has characters that may not stand in a URL; write them percent-encoded';
  const segments = pattern.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    if (segment === '**') {
      if (index !== segments.length - 1) return '"**" may only be the last part';
    } else if (segment.includes('**')) {
      return `"${segment}": "**" must stand alone between slashes`;
    } else if (segment.startsWith(':') && !parameter.test(segment)) {
      return `"${segment}": a parameter is ":" and a name, and takes a whole part between slashes`;
    } else if ((segment.match(/\*/g) ?? []).length > 2) {
      return `"${segment}": at most two "*" in one part`;
    }
  }
  return undefined;
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * Compiles a list of patterns into a function that gives the index of the first that matches, or -1.
 * Exact paths are found in a map; only patterns before the hit are then tried. Patterns must have been checked before.
 */
export function compileRoutes(patterns: readonly string[]): (path: string) => number {
  const exact = new Map<string, number>();
  const wild: { readonly index: number; readonly matches: PathMatcher }[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const compiled = compilePattern(pattern);
    if (!compiled.ok) throw new Error(`broken invariant: route ${JSON.stringify(pattern)} ${compiled.problem}`);
    if (compiled.exact === undefined) wild.push({ index, matches: compiled.matches });
    else if (!exact.has(compiled.exact)) exact.set(compiled.exact, index);
  }
  return (path) => {
    const hit = exact.get(path) ?? -1;
    for (const { index, matches } of wild) {
      if (hit >= 0 && index > hit) break;
      if (matches(path)) return index;
    }
    return hit;
  };
}

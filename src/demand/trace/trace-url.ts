/** A trace's URL as the resource the edge would name. Several hosts are told apart only where the trace tells them. Pure. */
import { queryRules, resourceKey, trackingParameters } from '../../http/index.ts';
import type { ResourceKey } from '../../kernel/index.ts';

const rules = queryRules(trackingParameters, undefined);

/** Undefined for a URL without a path. A whole URL's scheme and host are left out: a trace is of one site. */
export function resourceOf(url: string): { readonly resource: ResourceKey; readonly absolute: boolean } | undefined {
  let target = url;
  const absolute = !url.startsWith('/');
  if (absolute) {
    const match = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([/?#].*)?$/is.exec(url);
    if (!match) return undefined;
    target = match[1] ?? '/';
    if (!target.startsWith('/')) target = `/${target}`;
  }
  const hash = target.indexOf('#');
  if (hash >= 0) target = target.slice(0, hash);
  const question = target.indexOf('?');
  const resource = question < 0 ? resourceKey(target, '', rules) : resourceKey(target.slice(0, question), target.slice(question + 1), rules);
  return { resource, absolute };
}

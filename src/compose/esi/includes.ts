/** What a page may include, whoever asks for it: for who prepares pages and their parts beforehand. Pure. */
import type { EsiNode } from './page.ts';
import { parseEsi } from './parse.ts';

/** The references of all branches, `alt` too, in order, each once. Those with variables in them are left out: nobody knows what they will be. */
export function includesOf(html: string): readonly string[] {
  if (!html.includes('<esi:include')) return [];
  const page = parseEsi(Buffer.from(html));
  return page ? [...new Set(page.nodes.flatMap(referencesOf))] : [];
}

function referencesOf(node: EsiNode): readonly string[] {
  switch (node.kind) {
    case 'text': case 'variable': return [];
    case 'include': return [node.src, node.alt ?? []].flatMap(([only, ...others]) => (typeof only === 'string' && others.length === 0 ? [only] : []));
    case 'choose': return [...node.whens.flatMap(({ nodes }) => nodes.flatMap(referencesOf)), ...node.otherwise.flatMap(referencesOf)];
    case 'try': return [...node.attempt, ...(node.except ?? [])].flatMap(referencesOf);
  }
}

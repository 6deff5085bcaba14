/**
 * What there is to fill in one copy: found when the copy is first put together, kept with it, never stored. Made anew when the
 * configuration changes.
 */
import { compileSeed, findHoles, type CompiledSlot, type Dynamics, type FillingId, type Seed } from '../compose/index.ts';
import type { Wording } from '../config/index.ts';
import { normalisePath, parseVariation, resourceTarget } from '../http/index.ts';
import type { Copy } from './copies.ts';
import type { RouteRules } from './site-rules.ts';
import type { Visit } from './visit.ts';

/** Points on the dimensions of a page's slots whose fillings' names are remembered; beyond it memory starts anew. */
const pointsMax = 256;

export interface PageParts {
  /** What it was looked for. */
  readonly dynamics: Dynamics;
  /** Undefined where there is nothing to fill. */
  readonly seed: Seed | undefined;
  /** Whether texts may be written in UTF-8. */
  readonly utf8: boolean;
  /** The slots that have a place, each once. */
  readonly slots: readonly CompiledSlot[];
  /** Whether each answer is another's of none: it carries a nonce or a visitor's own value. */
  readonly once: boolean;
  readonly hasTokens: boolean;
  /** Whether there is anything to put in while the page stands in for the origin. */
  readonly dressed: boolean;
  /** What it says then, in the page's language. */
  readonly notice: string | undefined;
  readonly formNote: string;
  /** Request headers that decide what is put in, beyond those that the variation accounts for. */
  readonly vary: readonly string[];
  /** The fillings this visitor's page shows, one for each of `slots`. */
  fillingIds(visit: Visit): readonly FillingId[];
}

export function partsOf(copy: Copy, rules: RouteRules): PageParts {
  if (copy.parts?.dynamics === rules.dynamics) return copy.parts;
  copy.parts = findParts(copy, rules);
  copy.made = undefined;
  return copy.parts;
}

function findParts(copy: Copy, rules: RouteRules): PageParts {
  const { dynamics } = rules;
  const { headers, variation, resource } = copy.record;
  const contentType = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  const { holes, utf8 } = findHoles({ contentType, headers, body: copy.body }, dynamics);
  const names = new Set(holes.flatMap((hole) => (hole.kind === 'slot' ? hole.slot : [])));
  const slots = dynamics.slots.filter(({ config }) => names.has(config.name));
  // Of another variation that stands in, all must be of that variation: what a page shows is never mixed.
  const point = new Map(parseVariation(variation));
  const free = [...new Set(slots.flatMap(({ config }) => config.dimensions))].filter((name) => !point.has(name));
  const profiles = slots.flatMap(({ config }) => config.profile ?? []);
  const hasTokens = holes.some(({ kind }) => kind === 'token');
  const known = new Map<string, readonly FillingId[]>();
  const language = point.get(rules.dimensions.find(({ from }) => from.kind === 'acceptLanguage')?.name ?? '');
  const path = normalisePath(resourceTarget(resource).target.split('?', 1)[0] ?? '');
  return {
    dynamics, utf8, slots, hasTokens,
    seed: holes.length === 0 ? undefined : compileSeed(copy.body, holes),
    once: hasTokens || holes.some(({ kind }) => kind === 'nonce'),
    notice: dynamics.notice && inLanguage(dynamics.notice, language),
    formNote: inLanguage(dynamics.formNote, language),
    dressed: holes.some(({ kind }) => kind === 'notice' || kind === 'form-start'),
    vary: [...new Set([...[...free, ...profiles].flatMap((name) => rules.headersOf(name)), ...(hasTokens ? ['cookie'] : [])])],
    fillingIds(visit) {
      const values = free.map((name) => rules.value(name, visit));
      const key = values.join('\n');
      const before = known.get(key);
      if (before) return before;
      const valueOf = (name: string): string => point.get(name) ?? values[free.indexOf(name)] ?? '';
      const ids = slots.map((slot) => slot.fillingId(path, valueOf));
      if (known.size >= pointsMax) known.clear();
      known.set(key, ids);
      return ids;
    },
  };
}

function inLanguage({ byLanguage, otherwise }: Wording, language: string | undefined): string {
  return (language === undefined ? undefined : byLanguage[language]) ?? otherwise;
}

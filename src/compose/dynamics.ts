/**
 * What a route declares about its copies, compiled once when the configuration is loaded: whether any of them is ever put together, and
 * from what. Where `any` is false a copy is served byte for byte, and nobody on the serving way asks further. Pure.
 */
import type { Config, FeedConfig, RouteConfig, TokenConfig, Wording } from '../config/index.ts';
import { compileSlots, type CompiledSlot } from './slots.ts';

export interface Dynamics {
  readonly slots: readonly CompiledSlot[];
  /** Whether copies of this route are ever put together. */
  readonly any: boolean;
  readonly nonce: RouteConfig['nonce'];
  readonly forms: RouteConfig['forms'];
  readonly tokens: readonly TokenConfig[];
  /** The bar on pages that answer in the origin's stead; undefined: none. */
  readonly notice: Wording | undefined;
  /** What disabled forms say. */
  readonly formNote: Wording;
  readonly esi: boolean;
}

type DynamicRoute = Pick<RouteConfig, 'match' | 'slots' | 'nonce' | 'forms' | 'tokens' | 'esi'>;

export function compileDynamics(route: DynamicRoute, feeds: readonly FeedConfig[], { notice, form }: Config['degraded']): Dynamics {
  const slots = compileSlots(route, feeds);
  const { nonce, forms, tokens, esi } = route;
  const any = slots.length > 0 || esi || nonce === 'restamp' || forms === 'disable' || tokens.length > 0 || notice !== undefined;
  return { slots, any, nonce, forms, tokens, notice, formNote: form, esi };
}

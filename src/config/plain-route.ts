/** The route of a path that no declared route matches, and what a declared one has where it says nothing. */
import type { RouteConfig } from './types.ts';

export const plainRoute: RouteConfig = {
  match: '/**', vary: [], keepQuery: undefined, shadow: 'allowed', cache: 'standard', slots: [], esi: false, nonce: 'keep', forms: 'keep', tokens: [],
};

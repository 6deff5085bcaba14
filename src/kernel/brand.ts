/**
 * Nominal types for values that are all strings or numbers underneath and must not be mixed.
 * A branded value is made in one place (its parser or constructor function) and nowhere else.
 */
declare const brand: unique symbol;

export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/**
 * What a URL names after normalisation: `/path?kept=query` (or `//host/path?…` where the site has several hosts).
 * Made by `http/resource-key.ts` alone.
 */
export type ResourceKey = Branded<string, 'ResourceKey'>;

/**
 * One point on the declared dimensions, `device=mobile,language=de` in declared order; the empty string where a route
 * declares none. Made by `edge`'s and `generate`'s use of `http/variation.ts`.
 */
export type VariationKey = Branded<string, 'VariationKey'>;

/** SHA-256 of a body, 64 lower-case hexadecimal digits. Made by `store/digest.ts`. */
export type BlobDigest = Branded<string, 'BlobDigest'>;

/** A configured region's name. */
export type RegionName = Branded<string, 'RegionName'>;

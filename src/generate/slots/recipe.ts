/**
 * How one slot's fillings are made: its templates, the points of its dimensions, and from a feed's value to versions ready to be shown. Compiled once for
 * each configuration; pure otherwise.
 */
import { profileFrom, type CompiledSlot, type FillingVersion, type ValueOf } from '../../compose/index.ts';
import type { DimensionConfig } from '../../config/types.ts';
import { ownField } from './filters.ts';
import { fillingBytesMax, type Scope, type TemplatePlace } from './sandbox.ts';
import type { Template, Templates } from './templates.ts';
import { troubled, type Troubled } from './trouble.ts';

/** A point on a slot's dimensions. */
export type Point = Readonly<Record<string, string>>;

export type Versions = { readonly ok: true; readonly versions: readonly FillingVersion[] } | Troubled;

/** Text undefined: what the origin had there. */
export type Fallback = { readonly ok: true; readonly text: string | undefined } | Troubled;

const languageByDefault = 'en';

export class Recipe {
  readonly slot: CompiledSlot;
  /** All points, defaults first. */
  readonly points: readonly Point[];
  /** Differs when what it makes may differ. */
  readonly signature: string;
  readonly #template: Template;
  readonly #fallback: Template | undefined;
  readonly #language: DimensionConfig | undefined;

  /** Throws `config-invalid` for templates that the configuration's check would have refused. */
  constructor(slot: CompiledSlot, dimensions: readonly DimensionConfig[], templates: Templates) {
    this.slot = slot;
    this.signature = JSON.stringify([slot.config, slot.feed.source]);
    const { template, fallback } = slot.config;
    const place: TemplatePlace = slot.config.place.kind === 'element' ? 'html' : 'json';
    this.#template = template === undefined ? templates.plain(place) : templates.compile(template, place);
    this.#fallback = fallback.kind === 'origin' ? undefined : templates.compile(fallback.template, place);
    this.#language = dimensions.find(({ name, from }) => from.kind === 'acceptLanguage' && slot.config.dimensions.includes(name));
    this.points = pointsOf(slot.config.dimensions.flatMap((name) => dimensions.find((dimension) => dimension.name === name) ?? []));
  }

  /** Whether the whole document counts, not only the value. */
  get readsFeed(): boolean {
    return this.#template.readsFeed;
  }

  versions(value: unknown, feed: unknown, path: string, point: Point): Versions {
    const names = this.#names(path, point);
    const language = this.#languageAt(point);
    if (this.slot.config.variations <= 1) {
      const rendered = this.#template.render(scopeOf(names, { value, feed, index: 0 }), language);
      return rendered.ok ? { ok: true, versions: [{ text: rendered.text, profile: undefined }] } : rendered;
    }
    const entries = entriesOf(value);
    if (!entries) return troubled('wrong-kind', 'a slot with variations needs a list, or an object of entries');
    if (entries.length === 0) return troubled('missing-value', 'the list of versions is empty');
    if (entries.length > this.slot.config.variations) return troubled('too-many-versions', `the value has ${entries.length} entries, more than the slot's ${this.slot.config.variations} variations`);
    return this.#each(entries, (entry, index) => this.#template.render(scopeOf(names, { value: entry, feed, index }), language));
  }

  fallback(path: string, point: Point): Fallback {
    return this.#fallback ? this.#fallback.render(scopeOf(this.#names(path, point), {}), this.#languageAt(point)) : { ok: true, text: undefined };
  }

  #each(entries: readonly unknown[], render: (entry: unknown, index: number) => ReturnType<Template['render']>): Versions {
    const versions: FillingVersion[] = [];
    let bytes = 0;
    for (const [index, entry] of entries.entries()) {
      const rendered = render(entry, index);
      if (!rendered.ok) return rendered;
      bytes += Buffer.byteLength(rendered.text);
      if (bytes > fillingBytesMax) return troubled('too-large', `its versions have more than ${fillingBytesMax} bytes together`);
      versions.push({ text: rendered.text, profile: profileFrom(ownField(entry, 'profile') ?? ownField(entry, 'vector')) });
    }
    return { ok: true, versions };
  }

  #names(path: string, point: Point): Scope {
    return { ...point, ...this.slot.parts(path) };
  }

  #languageAt(point: Point): string {
    return this.#language ? point[this.#language.name] ?? this.#language.fallback : languageByDefault;
  }
}

/** Reads a point as the slot asks for its dimensions. */
export function valueOf(point: Point): ValueOf {
  return (dimension) => point[dimension] ?? '';
}

/** Nothing is inherited: `constructor` is no variable. */
function scopeOf(names: Scope, values: Scope): Scope {
  const scope: Record<string, unknown> = Object.create(null) as Record<string, unknown>; // an object without a prototype is one
  return Object.assign(scope, names, values);
}

function entriesOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as readonly unknown[]; // what Array.isArray gives is any[]
  return typeof value === 'object' && value !== null ? Object.values(value) : undefined;
}

function pointsOf(dimensions: readonly DimensionConfig[]): readonly Point[] {
  let points: readonly Point[] = [{}];
  for (const { name, values, fallback } of dimensions) {
    const all = [...new Set([fallback, ...values])];
    points = points.flatMap((point) => all.map((value) => ({ ...point, [name]: value })));
  }
  return points;
}

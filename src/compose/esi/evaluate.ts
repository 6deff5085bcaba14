/**
 * Puts a page together: chooses, fills in variables, and has fragments fetched, all that are needed at the same time. Pure but for the asking:
 * time and fragments are passed in. What fails stays within the nearest `try`; what nobody catches is left out and told, and the caller decides
 * whether such a page is better than none.
 */
import { holds, variablesOf } from './expression.ts';
import type { EsiNode, EsiPage, Template } from './page.ts';
import { asText, asUrlPart, isPersonal, type EsiFacts, type Variable } from './variable.ts';

/** What a page may become; 8 MiB is also the largest page that is read to be processed. */
export const pageBytesMax = 8 * 1024 * 1024;

export interface EsiContext {
  readonly facts: EsiFacts;
  readonly nowMs: () => number;
  /** No fragment is waited for beyond. */
  readonly untilMs: number;
}

/** Gets the fragment a reference names. Undefined where it can't be had; must have settled by `untilMs`. */
export type FetchFragment = (reference: string, untilMs: number) => Promise<Uint8Array | undefined>;

export interface EsiResult {
  readonly body: Uint8Array;
  /** Whether it depends on what tells visitors of equal URLs apart. */
  readonly personal: boolean;
  /** References that could not be had, and that neither `alt`, `onerror` nor `try` caught. */
  readonly missing: readonly string[];
}

/** Undefined where the page would be larger than `pageBytesMax`. */
export async function evaluateEsi(page: EsiPage, context: EsiContext, fetchFragment: FetchFragment): Promise<EsiResult | undefined> {
  return new Evaluation(page, context, fetchFragment).run();
}

type Chunks = readonly Uint8Array[];

/** Where a node stands: whether a `try` catches what fails, and until when there is time. */
interface Place {
  readonly caught: boolean;
  readonly untilMs: number;
}

const nothing: Chunks = [];

class Evaluation {
  readonly #page: EsiPage;
  readonly #context: EsiContext;
  readonly #fetch: FetchFragment;
  readonly #missing: string[] = [];
  #personal = false;
  #room = pageBytesMax;

  constructor(page: EsiPage, context: EsiContext, fetchFragment: FetchFragment) {
    this.#page = page;
    this.#context = context;
    this.#fetch = fetchFragment;
  }

  async run(): Promise<EsiResult | undefined> {
    const chunks = await this.#nodes(this.#page.nodes, { caught: false, untilMs: this.#context.untilMs });
    if (!chunks || this.#room < 0) return undefined;
    return { body: joined(chunks), personal: this.#personal, missing: this.#missing };
  }

  /** In order, all at once. Undefined as soon as one failed that a `try` catches. */
  #nodes(nodes: readonly EsiNode[], place: Place): Promise<Chunks | undefined> {
    const parts = nodes.map((node) => this.#node(node, place));
    return new Promise((resolve, reject) => {
      const settled: Chunks[] = [];
      let left = parts.length;
      if (left === 0) resolve(nothing);
      for (const [index, part] of parts.entries()) {
        part.then((chunks) => {
          if (!chunks) {
            resolve(undefined);
            return;
          }
          settled[index] = chunks;
          if (--left === 0) resolve(settled.flat());
        }, reject);
      }
    });
  }

  async #node(node: EsiNode, place: Place): Promise<Chunks | undefined> {
    switch (node.kind) {
      case 'text': return this.#fits(this.#page.body.subarray(node.from, node.to));
      case 'variable': {
        this.#note(node.variable);
        return this.#fits(Buffer.from(asText(node.variable, this.#context.facts)));
      }
      case 'include': return this.#include(node, place);
      case 'choose': {
        const chosen = node.whens.find(({ test }) => {
          if (test) for (const variable of variablesOf(test)) this.#note(variable);
          return test !== undefined && holds(test, this.#context.facts);
        });
        return this.#nodes(chosen?.nodes ?? node.otherwise, place);
      }
      case 'try': {
        if (!node.except) return this.#nodes(node.attempt, place);
        const attempt = await this.#nodes(node.attempt, { caught: true, untilMs: this.#halfway(place.untilMs) });
        return attempt ?? this.#nodes(node.except, place);
      }
    }
  }

  async #include(node: Extract<EsiNode, { kind: 'include' }>, place: Place): Promise<Chunks | undefined> {
    const src = this.#reference(node.src);
    const first = await this.#fragment(src, node.alt ? this.#halfway(place.untilMs) : place.untilMs);
    if (first) return first;
    const second = node.alt && await this.#fragment(this.#reference(node.alt), place.untilMs);
    if (second) return second;
    if (node.optional) return nothing;
    if (place.caught) return undefined;
    this.#missing.push(src);
    return nothing;
  }

  /** One that does not fit any more counts as not to be had. */
  async #fragment(reference: string, untilMs: number): Promise<Chunks | undefined> {
    if (this.#context.nowMs() >= untilMs) return undefined;
    const body = await this.#fetch(reference, untilMs);
    if (!body || body.byteLength > this.#room) return undefined;
    return this.#fits(body);
  }

  #fits(bytes: Uint8Array): Chunks {
    this.#room -= bytes.byteLength;
    return this.#room < 0 ? nothing : [bytes];
  }

  #reference(template: Template): string {
    return template.map((part) => {
      if (typeof part === 'string') return part;
      this.#note(part);
      return asUrlPart(part, this.#context.facts);
    }).join('');
  }

  #note(variable: Variable): void {
    if (isPersonal(variable)) this.#personal = true;
  }

  /** What comes first leaves half of the time that is left to what stands in for it. */
  #halfway(untilMs: number): number {
    const nowMs = this.#context.nowMs();
    return nowMs + Math.max(0, untilMs - nowMs) / 2;
  }
}

function joined(chunks: Chunks): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only) return only;
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

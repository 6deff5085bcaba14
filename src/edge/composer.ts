/**
 * Puts pages together when they are sent: a copy's seed with what this visitor's page shows in its slots now. What was put together is kept
 * for as long as exactly the same would be chosen again. Synchronous; needs nobody alive; where nothing is declared it is never asked.
 */
import {
  assemble, chooseFilling, composedHeaders, composedTag, cspNonce, disabledFormMarkup, encodeMarkup, noticeMarkup, parseProfile, restampCsp, tokenMarkup,
  type Choice, type Hole, type Profile, type Seed,
} from '../compose/index.ts';
import { ageS, cookieValue, type HeaderList } from '../http/index.ts';
import type { Copy } from './copies.ts';
import type { Fillings, HeldFilling } from './fillings.ts';
import { makeOf, withVary } from './made-copy.ts';
import { partsOf, type PageParts } from './page-parts.ts';
import type { PreparedMemory } from './prepared-memory.ts';
import type { Visit } from './visit.ts';

export interface ComposerOptions {
  readonly fillings: Fillings;
  readonly memory: PreparedMemory;
  /** A nonce that nobody can guess, base64. */
  readonly nonce: () => string;
}

/** What a slot shows, and the filling it is from. */
interface Shown {
  readonly held: HeldFilling;
  readonly choice: Choice;
}

/** What a page shows in all its places. */
interface Showing {
  readonly slots: ReadonlyMap<string, Shown>;
  /** Names what is shown: equal for equal bodies of one copy. */
  readonly signature: string;
  readonly choices: string;
  readonly untilMs: number;
  /** Markup of the bar; empty where there is none. */
  readonly notice: string;
  readonly formNote: string;
  readonly standsIn: boolean;
}

/** Visitors' profiles that are remembered as read, by their text. */
const profilesMax = 1_024;
const nothingShown: ReadonlyMap<string, Shown> = new Map();
/** What tells caches how long to keep an answer. */
const lifetimeFields: ReadonlySet<string> = new Set(['cache-control', 'cdn-cache-control', 'surrogate-control', 'expires', 'pragma']);

export class Composer {
  readonly #options: ComposerOptions;
  readonly #profiles = new Map<string, Profile | undefined>();

  constructor(options: ComposerOptions) {
    this.#options = options;
  }

  /** The copy with everything put in; the copy itself where that changes nothing. `standsIn`: it answers because the origin can't. */
  compose(copy: Copy, visit: Visit, nowMs: number, standsIn: boolean): Copy {
    const parts = partsOf(copy, visit.rules);
    const { seed } = parts;
    if (!seed) return copy;
    const showing = this.#choose(copy, parts, visit, nowMs, standsIn);
    if (parts.once) return this.#composeOnce(copy, seed, parts, showing, visit);
    if (showing.signature === '') return copy;
    const made = this.#options.memory.obtain(copy, showing.signature, () => {
      const contents = seed.holes.map((hole) => contentOf(hole, showing, parts.utf8));
      const etag = composedTag(copy.record.body, contents);
      const headers = withVary([...composedHeaders(copy.record.headers), ['etag', etag]], [...parts.vary, 'accept-encoding']);
      return makeOf(copy, { headers, body: assemble(seed, contents), validators: { etag, ...undated }, choices: showing.choices });
    });
    // Feeds are heard again and again: the same page holds longer.
    if (made.sending) made.sending.holdsUntilMs = showing.untilMs;
    return made;
  }

  #choose(copy: Copy, parts: PageParts, visit: Visit, nowMs: number, standsIn: boolean): Showing {
    const { fillings } = this.#options;
    const slots = parts.slots.length === 0 ? nothingShown : new Map<string, Shown>();
    let signature = '';
    let choices = '';
    let untilMs = Number.POSITIVE_INFINITY;
    let changes = false;
    const ids = parts.slots.length === 0 ? [] : parts.fillingIds(visit);
    for (const [index, { config }] of parts.slots.entries()) {
      const id = ids[index];
      const held = id === undefined ? undefined : fillings.get(id);
      const profile = config.profile === undefined ? undefined : this.#profileOf(config.profile, visit);
      const choice = held && chooseFilling(held.filling, fillings.heardMs(held.filling.feed), profile, nowMs);
      if (!held || !choice || choice.kind === 'origin') {
        signature += '-,';
        continue;
      }
      changes = true;
      if (slots instanceof Map) slots.set(config.name, { held, choice });
      signature += choice.kind === 'version' ? `${held.serial}.${choice.index},` : `${held.serial},`;
      if (choice.kind === 'version') untilMs = Math.min(untilMs, choice.untilMs);
      if (choice.kind === 'version' && config.variations > 1) choices += `${choices === '' ? '' : ','}${config.name}=${choice.index}`;
    }
    const dressed = standsIn && parts.dressed;
    const { notice: text } = parts;
    const notice = dressed && text !== undefined ? noticeMarkup(text, ageS(copy.freshness, nowMs), copy.freshness.bornMs) : '';
    return { slots, choices, untilMs, notice, formNote: parts.formNote, standsIn: dressed, signature: dressed ? `${signature}!${notice}` : changes ? signature : '' };
  }

  /** With what is this answer's alone: never kept, never shared, and nothing to compare a later request with. */
  #composeOnce(copy: Copy, seed: Seed, parts: PageParts, showing: Showing, visit: Visit): Copy {
    const old = parts.dynamics.nonce === 'restamp' ? cspNonce(copy.record.headers) : undefined;
    const stamp = old === undefined ? undefined : this.#options.nonce();
    const cookie = visit.get('cookie');
    const contents = seed.holes.map((hole) => {
      if (hole.kind === 'nonce') return stamp === undefined ? undefined : Buffer.from(stamp);
      if (hole.kind === 'token') return encodeMarkup(tokenMarkup(cookieValue(cookie, hole.cookie) ?? '', hole), parts.utf8);
      return contentOf(hole, showing, parts.utf8);
    });
    let headers: HeaderList = withVary(composedHeaders(copy.record.headers), parts.vary);
    if (old !== undefined && stamp !== undefined) headers = restampCsp(headers, old, stamp);
    if (parts.hasTokens) headers = [...headers.filter(([name]) => !lifetimeFields.has(name)), ['cache-control', 'private, no-store']];
    return makeOf(copy, {
      headers, body: assemble(seed, contents), validators: { etag: undefined, ...undated }, selection: 'once', choices: showing.choices, holdsUntilMs: showing.untilMs,
    });
  }

  #profileOf(dimension: string, visit: Visit): Profile | undefined {
    const text = visit.rules.profile(dimension, visit);
    if (text === null) return undefined;
    if (this.#profiles.has(text)) return this.#profiles.get(text);
    const profile = parseProfile(text);
    // What is no profile is not worth remembering: it may be of any length.
    if (!profile) return undefined;
    if (this.#profiles.size >= profilesMax) this.#profiles.clear();
    this.#profiles.set(text, profile);
    return profile;
  }
}

/** A page that is put together has no date of change: If-Modified-Since never finds it unchanged. */
const undated = { lastModifiedMs: undefined, dateMs: Number.POSITIVE_INFINITY } as const;

/** Undefined: what the origin had there. */
function contentOf(hole: Hole, showing: Showing, utf8: boolean): Uint8Array | undefined {
  switch (hole.kind) {
    case 'slot': {
      const shown = showing.slots.get(hole.slot);
      return shown && shown.choice.kind !== 'origin' ? encoded(shown.held, shown.choice.text, utf8) : undefined;
    }
    case 'notice': return showing.notice === '' ? undefined : encodeMarkup(showing.notice, utf8);
    case 'form-start': return showing.standsIn ? encodeMarkup(disabledFormMarkup(showing.formNote).start, utf8) : undefined;
    case 'form-end': return showing.standsIn ? encodeMarkup(disabledFormMarkup(showing.formNote).end, utf8) : undefined;
    case 'nonce': case 'token': return undefined;
  }
}

function encoded(held: HeldFilling, text: string, utf8: boolean): Uint8Array {
  if (!utf8) return encodeMarkup(text, false);
  const before = held.encoded.get(text);
  if (before) return before;
  const bytes = encodeMarkup(text, true);
  held.encoded.set(text, bytes);
  return bytes;
}

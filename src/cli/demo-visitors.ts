/**
 * The demo's synthetic visitors: journeys through the shop (home, category, products, sometimes the cart or the account)
 * in three regions, on phones and desktops, in three languages and segments, some with interests that a cookie tells. Seeded; a "day" of traffic
 * takes five minutes. Each has judged what it gets: whether it was made for it, and says what holds at that time.
 */
import type { Clock, Random } from '../kernel/index.ts';
import type { Source, Visit } from './demo-tally.ts';
import { sources } from './demo-tally.ts';

export interface VisitorRegion { readonly name: string; readonly url: string }

const dayMs = 300_000;
/** Nobody waits longer. */
const patienceMs = 10_000;
const pagesPerJourney = 4.5;

const agents = {
  mobile: 'Mozilla/5.0 (Linux; Android 15; Phone) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
  desktop: 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
} as const;
const languageFields = { en: 'en-GB,en;q=0.9', de: 'de-DE,de;q=0.9,en;q=0.5', pt: 'pt-BR,pt;q=0.9,en;q=0.4' } as const;
type Language = keyof typeof languageFields;

/** Languages by region, most spoken first; the time of day each region's traffic peaks, as a fraction. */
const habits: Readonly<Record<string, { readonly languages: readonly Language[]; readonly peak: number }>> = {
  'eu-west': { languages: ['en', 'de', 'en', 'pt'], peak: 0.2 },
  'us-east': { languages: ['en', 'en', 'en', 'pt'], peak: 0.5 },
  'sa-east': { languages: ['pt', 'pt', 'pt', 'en'], peak: 0.6 },
};

interface Person {
  readonly device: keyof typeof agents;
  readonly language: Language;
  readonly segment: 'new' | 'loyal' | 'vip';
  /** Which of the shop's tastes; 0 is everybody's, of somebody without interests. */
  readonly taste: number;
  readonly cookie: string;
}

/** What somebody got, to be judged. Times are epoch ms. */
export interface Judged extends Person {
  readonly path: string;
  readonly text: string;
  readonly askedMs: number;
  readonly gotMs: number;
  /** Whether the feeds have been well for a while: else the age of live parts is not judged. */
  readonly live: boolean;
}

/** What the visitors know of the shop they are in. */
export interface ShopLore {
  /** Names of what people of each taste like; the first taste is everybody's. */
  readonly tastes: readonly (readonly string[])[];
  /** One sentence, or undefined where all is right. */
  readonly whatIsWrong: (judged: Judged) => string | undefined;
}

export interface VisitorOptions {
  readonly regions: readonly VisitorRegion[];
  readonly ratePerSecond: number;
  readonly random: Random;
  readonly clock: Clock;
  readonly lore: ShopLore;
  readonly live: () => boolean;
  readonly seen: (visit: Visit) => void;
}

export class Visitors {
  readonly #options: VisitorOptions;
  readonly #cancels = new Set<() => void>();
  #stopped = false;

  constructor(options: VisitorOptions) {
    this.#options = options;
    for (const region of options.regions) this.#arrive(region);
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
  }

  /** The next visitor of a region comes, and the one after is awaited. */
  #arrive(region: VisitorRegion): void {
    const { random, clock, ratePerSecond, regions } = this.#options;
    const peak = habits[region.name]?.peak ?? 0;
    const wobble = 1 + 0.5 * Math.cos(2 * Math.PI * ((clock.nowMs() % dayMs) / dayMs - peak));
    const journeysPerSecond = (ratePerSecond / regions.length / pagesPerJourney) * wobble;
    this.#later(random.exponential(1000 / journeysPerSecond), () => {
      this.#arrive(region);
      void this.#journey(region);
    });
  }

  #later(ms: number, run: () => void): void {
    const cancel = this.#options.clock.after(ms, () => {
      this.#cancels.delete(cancel);
      if (!this.#stopped) run();
    });
    this.#cancels.add(cancel);
  }

  async #journey(region: VisitorRegion): Promise<void> {
    const { random, lore } = this.#options;
    const languages = habits[region.name]?.languages ?? ['en'];
    const segment = pick(random, ['new', 'new', 'loyal', 'vip'] as const) ?? 'new';
    const taste = random.next() < 0.4 ? 0 : random.below(lore.tastes.length);
    const person: Person = {
      device: random.next() < 0.6 ? 'mobile' : 'desktop',
      language: pick(random, languages) ?? 'en',
      segment, taste,
      cookie: [`segment=${segment}`, ...(taste === 0 ? [] : [`interests=${this.#interests(taste)}`])].join('; '),
    };
    let links = linksOf(await this.#page(region, person, '/'), /href="(\/c\/[a-z]+)"/g);
    if (random.next() < 0.1) await this.#fetch(region, person, '/assets/shop.css', {});
    links = linksOf(await this.#think(() => this.#page(region, person, pick(random, links))), /href="(\/products\/[a-z-]+)"/g);
    for (let more = 1 + random.below(3); more > 0 && links.length > 0; more--) {
      const next = linksOf(await this.#think(() => this.#page(region, person, pick(random, links))), /href="(\/products\/[a-z-]+)"/g);
      links = [...links, ...next];
    }
    if (random.next() < 0.1) await this.#fetch(region, person, '/api/prices.json', {});
    if (random.next() < 0.06) await this.#think(() => this.#fetch(region, person, '/cart', { method: 'POST', body: 'product=floor-lamp' }));
    if (random.next() < 0.03) await this.#think(() => this.#fetch(region, person, '/account', {}));
  }

  /** People look at a page before they go on. */
  async #think<T>(then: () => Promise<T>): Promise<T | undefined> {
    await new Promise<void>((resolve) => { this.#later(300 + this.#options.random.exponential(1500), resolve); });
    return then();
  }

  async #page(region: VisitorRegion, person: Person, path: string | undefined): Promise<string | undefined> {
    return path === undefined ? undefined : this.#fetch(region, person, path, {});
  }

  async #fetch(region: VisitorRegion, person: Person, path: string, init: { readonly method?: string; readonly body?: string }): Promise<string | undefined> {
    const { clock, seen, lore, live } = this.#options;
    const startedMs = clock.monotonicMs();
    const askedMs = clock.nowMs();
    const mayBeRefused = init.method === 'POST' || path === '/account';
    let source: Source = 'none';
    let outcome: Visit['outcome'] = mayBeRefused ? 'refused' : 'failed';
    let text: string | undefined;
    let wrong: string | undefined;
    try {
      const response = await fetch(region.url + path, {
        ...init, redirect: 'manual', signal: AbortSignal.timeout(patienceMs),
        headers: { 'user-agent': agents[person.device], 'accept-language': languageFields[person.language], cookie: person.cookie },
      });
      text = await response.text();
      const told = /(?:^|[,;] *)source=([a-z]+)/.exec(response.headers.get('foreshadow') ?? '')?.[1];
      source = sources.find((known) => known === told) ?? 'none';
      const judgeable = response.headers.get('content-type')?.startsWith('text/html') === true || path.startsWith('/api/');
      if (response.status < 500 && judgeable) wrong = lore.whatIsWrong({ ...person, path, text, askedMs, gotMs: clock.nowMs(), live: live() });
      if (response.status < 500) outcome = wrong === undefined ? 'right' : 'wrong';
    } catch {
      // No answer at all: it stays failed or refused, from nobody.
    }
    if (this.#stopped) return undefined;
    seen({ region: region.name, atMs: clock.nowMs(), source, outcome, wrong, latencyMs: clock.monotonicMs() - startedMs, shadowable: !mayBeRefused });
    return outcome === 'right' ? text : undefined;
  }

  /** Most like one taste, and a little like another. */
  #interests(taste: number): string {
    const { random, lore: { tastes } } = this.#options;
    const liked = tastes[taste] ?? [];
    const other = pick(random, (tastes[0] ?? []).filter((name) => !liked.includes(name)));
    return encodeURIComponent([...liked.map((name) => `${name}:0.8`), ...(other === undefined ? [] : [`${other}:0.1`])].join(','));
  }
}

function linksOf(html: string | undefined, pattern: RegExp): string[] {
  return [...(html ?? '').matchAll(pattern)].map((match) => match[1] ?? '/');
}

function pick<T>(random: Random, list: readonly T[]): T | undefined {
  return list[random.below(list.length)];
}

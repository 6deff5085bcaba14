/**
 * The live parts of pages, together: the feeds, what they fill, and who is told when. Feeds go on while nothing is generated: while the origin is down, while
 * the generator is paused or rests. That a feed was heard is said only when everything it changed has been published, so that no edge ever takes an
 * old value for a confirmed one.
 */
import { compileSlots, type FeedKey, type Filling, type FillingId } from '../../compose/index.ts';
import type { Config } from '../../config/types.ts';
import { compileRoutes, resourceTarget } from '../../http/index.ts';
import { messageOf, type Clock, type Log, type Random, type ResourceKey } from '../../kernel/index.ts';
import { FeedHub, type FeedState, type FeedValue, type ValueOutlook } from '../feeds/index.ts';
import type { FillingSource } from '../publisher.ts';
import type { Schedule } from '../schedule.ts';
import type { VariationShare } from '../site.ts';
import { FillingDesk } from './filling-desk.ts';
import { failuresOf, type FillingFailure } from './filling-maker.ts';
import { Recipe } from './recipe.ts';
import { Templates } from './templates.ts';
import type { FillingTrouble } from './trouble.ts';

/** A version waits so long for what is being rendered; the rest goes with the next. */
const finishMsMax = 1000;
const tellEveryMs = 1000;
/** Times are told again although nothing changed: word may have been lost. */
const tellAgainMs = 10_000;
const failuresShownMax = 20;

export type HeardTimes = readonly (readonly [feed: FeedKey, heardMs: number])[];

export interface LiveSlotsParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly schedule: Schedule;
  /** What the newest catalog version holds. */
  readonly fillings: Iterable<Filling>;
  /** Last good values of an earlier run. */
  readonly feeds: Uint8Array | undefined;
  readonly shares: (resource: ResourceKey) => readonly VariationShare[];
  /** What feeds will say next; without it nothing is prepared before it comes. */
  readonly values?: ValueOutlook | undefined;
  readonly fill: (filling: Filling) => void;
  readonly unfill: (id: FillingId) => void;
  readonly unpublishedFeeds: () => ReadonlySet<FeedKey>;
  /** All that a feed changed has been handed over. */
  readonly onReady: () => void;
  /** Told about once a second, when something changed. */
  readonly onHeard: (heard: HeardTimes) => void;
}

export interface FillingsStatus {
  readonly fillings: number;
  /** Resources with slots that have a copy, and those of them that have no fillings for want of room. */
  readonly resources: number;
  readonly left: number;
  /** To be looked at. */
  readonly waiting: number;
  readonly rendered: number;
  readonly untouched: number;
  /** Of values that have not come yet: at hand; made, and of these used, since the start. */
  readonly prepared: number;
  readonly preparedMade: number;
  readonly preparedHits: number;
  /** Changes of feeds that have been handed over for publication, and how long all of them took together. */
  readonly settledChanges: number;
  readonly settledMs: number;
  /** Times something could not be rendered, by why, since the start. */
  readonly troubles: Readonly<Partial<Record<FillingTrouble, number>>>;
  /** That can't be rendered now; the first of them with what is wrong. */
  readonly failing: number;
  readonly failures: readonly FillingFailure[];
}

export class LiveSlots implements FillingSource {
  readonly #parts: LiveSlotsParts;
  readonly #templates = new Templates();
  readonly #hub: FeedHub;
  readonly #desk: FillingDesk;
  /** When each feed was last said to be heard, by bus or version. */
  readonly #said = new Map<FeedKey, number>();
  #toldMs = -Infinity;
  #recipesOf: (resource: ResourceKey) => readonly Recipe[];
  #working = false;

  /** Throws `config-invalid` for feeds and templates that the configuration's check would have refused. */
  constructor(parts: LiveSlotsParts) {
    const { config, clock, random, log } = parts;
    this.#parts = parts;
    this.#recipesOf = this.#compile(config);
    this.#hub = new FeedHub({
      feeds: config.feeds, dimensions: config.dimensions, clock, random, log, userAgent: config.generate.userAgent,
      changed: (feed) => { this.#changed(feed); },
    });
    this.#desk = new FillingDesk({
      clock, publish: parts.fill, unfill: parts.unfill, shares: parts.shares, values: parts.values,
      valueOf: (feed) => this.#hub.value(feed), saidMs: (feed) => this.#said.get(feed), recipesOf: (resource) => this.#recipesOf(resource),
    }, parts.fillings);
    this.#restore(parts.feeds);
  }

  /** After everything there is a copy of has been wanted. */
  start(): void {
    this.#desk.dropUnwanted();
    this.#hub.start();
    this.#parts.schedule.every(() => { this.#tick(); }, () => tellEveryMs);
  }

  /** All or nothing. */
  configure(config: Config): void {
    const recipes = this.#compile(config);
    this.#hub.configure(config.feeds, config.dimensions);
    this.#recipesOf = recipes;
    this.#desk.reconsider();
    this.#kick();
  }

  want(resource: ResourceKey): void {
    this.#desk.want(resource);
    this.#kick();
  }

  unwant(resource: ResourceKey): void {
    this.#desk.unwant(resource);
  }

  makeRoom(demand: ReadonlyMap<ResourceKey, number>): void {
    this.#desk.makeRoom(demand);
    this.#kick();
  }

  finish(): Promise<void> {
    return this.#desk.finish(finishMsMax);
  }

  heard(): HeardTimes {
    return this.#hub.heard().filter(([feed]) => this.#desk.settled(feed));
  }

  published(heard: HeardTimes): void {
    for (const [feed, heardMs] of heard) this.#said.set(feed, heardMs);
  }

  handAgain(ids: readonly FillingId[]): void {
    this.#desk.handAgain(ids);
  }

  feeds(): readonly FeedState[] {
    return this.#hub.states();
  }

  value(feed: FeedKey): FeedValue | undefined {
    return this.#hub.value(feed);
  }

  status(): FillingsStatus {
    const { size, resources, left, waiting, maker, settling } = this.#desk;
    return {
      fillings: size, resources: resources + left, left, waiting, rendered: maker.rendered, untouched: maker.untouched,
      prepared: maker.prepared.size, preparedMade: maker.prepared.made, preparedHits: maker.prepared.hits, settledChanges: settling.changes, settledMs: settling.ms, troubles: maker.troubles, failing: maker.failing.size, failures: failuresOf(maker.failing, failuresShownMax),
    };
  }

  snapshot(): Uint8Array {
    return this.#hub.snapshot();
  }

  close(): Promise<void> {
    return this.#hub.close();
  }

  #compile(config: Config): (resource: ResourceKey) => readonly Recipe[] {
    const find = compileRoutes(config.routes.map(({ match }) => match));
    const recipes = config.routes.map((route) => compileSlots(route, config.feeds).map((slot) => new Recipe(slot, config.dimensions, this.#templates)));
    return (resource) => {
      const [path = ''] = resourceTarget(resource).target.split('?', 1);
      return recipes[find(path)] ?? [];
    };
  }

  #restore(bytes: Uint8Array | undefined): void {
    if (!bytes) return;
    try {
      this.#hub.restore(bytes);
    } catch (error) {
      this.#parts.log.warn('feed-values-unreadable', { problem: messageOf(error) });
    }
  }

  #changed(feed: FeedKey): void {
    this.#desk.feedChanged(feed);
    this.#kick();
  }

  #kick(): void {
    if (!this.#working && (!this.#desk.idle || this.#desk.preparing)) this.#workSoon();
  }

  #workSoon(): void {
    this.#working = true;
    this.#parts.schedule.after(0, () => {
      this.#working = false;
      const idleBefore = this.#desk.idle;
      if (this.#desk.work()) this.#workSoon();
      if (!idleBefore && this.#desk.idle) this.#parts.onReady();
    });
  }

  #tick(): void {
    this.#desk.retrySlow();
    this.#kick();
    const unpublished = this.#parts.unpublishedFeeds();
    const heard = this.heard().filter(([feed]) => !unpublished.has(feed));
    const nowMs = this.#parts.clock.monotonicMs();
    const news = heard.some(([feed, heardMs]) => this.#said.get(feed) !== heardMs);
    if (heard.length === 0 || (!news && nowMs - this.#toldMs < tellAgainMs)) return;
    this.#toldMs = nowMs;
    this.published(heard);
    this.#parts.onHeard(heard);
  }
}

/**
 * Knows which fillings are wanted: those that a copy there is can show, each of its slots at each point of the slot's dimensions. Wanted ones are looked at
 * when they come and when their feed changed, in short pieces so that nobody waits for it; those that nobody shows any more are taken back. How one
 * is made is `filling-maker.ts`; publishing is the publisher's.
 */
import type { FeedKey, Filling, FillingId } from '../../compose/index.ts';
import { resourceTarget } from '../../http/index.ts';
import { sleep, type ResourceKey } from '../../kernel/index.ts';
import type { FeedValue } from '../feeds/index.ts';
import type { VariationShare } from '../site.ts';
import { choosePoints } from './choose-points.ts';
import { FillingMaker, unseen, type FillingMakerParts, type Wanted } from './filling-maker.ts';
import { valueOf, type Point, type Recipe } from './recipe.ts';

/** Fillings there are at most; resources beyond, the least wanted, have none. */
const fillingsMax = 200_000;
/** How long a piece of work takes, then others have their turn. */
const pieceMs = 15;

export interface FillingDeskParts extends FillingMakerParts {
  readonly valueOf: (feed: FeedKey) => FeedValue | undefined;
  readonly recipesOf: (resource: ResourceKey) => readonly Recipe[];
  readonly shares: (resource: ResourceKey) => readonly VariationShare[];
  readonly unfill: (id: FillingId) => void;
  readonly fillingsMax?: number | undefined;
}

interface Known {
  readonly filling: Filling;
  /** The recipe's that made it; undefined for those of an earlier run, which had the same templates unless they were changed meanwhile. */
  readonly signature: string | undefined;
}

export class FillingDesk {
  readonly maker: FillingMaker;
  readonly #parts: FillingDeskParts;
  readonly #all = new Map<FillingId, Wanted>();
  readonly #byFeed = new Map<FeedKey, Set<Wanted>>();
  readonly #byResource = new Map<ResourceKey, readonly Wanted[]>();
  readonly #left = new Set<ResourceKey>();
  /** To be looked at, by feed; a feed with anything here is not settled. */
  readonly #queue = new Map<FeedKey, Set<Wanted>>();
  /** Feeds whose change is not handed over yet, with when it came, on the monotonic clock. */
  readonly #changedMs = new Map<FeedKey, number>();
  /** Changes of feeds that have been handed over, and how long all of them took together. */
  readonly settling = { changes: 0, ms: 0 };
  /** Fillings from an earlier run or configuration, until they are wanted again. */
  #known: Map<FillingId, Known>;

  constructor(parts: FillingDeskParts, known: Iterable<Filling>) {
    this.#parts = parts;
    this.maker = new FillingMaker(parts);
    this.#known = new Map([...known].map((filling) => [filling.id, { filling, signature: undefined }]));
  }

  get size(): number {
    return this.#all.size;
  }

  get resources(): number {
    return this.#byResource.size;
  }

  /** Resources that have no fillings because there are too many. */
  get left(): number {
    return this.#left.size;
  }

  /** Fillings that are to be looked at. */
  get waiting(): number {
    let waiting = 0;
    for (const entries of this.#queue.values()) waiting += entries.size;
    return waiting;
  }

  /** A copy of it exists, or is about to. */
  want(resource: ResourceKey): void {
    if (this.#byResource.has(resource)) return;
    const recipes = this.#parts.recipesOf(resource);
    if (recipes.length === 0) return;
    const path = pathOf(resource);
    const chosen = choosePoints(recipes, () => this.#parts.shares(resource));
    if (this.#all.size + chosen.length > (this.#parts.fillingsMax ?? fillingsMax)) {
      this.#left.add(resource);
      return;
    }
    this.#left.delete(resource);
    this.#byResource.set(resource, chosen.map(({ recipe, point }) => this.#wanted(recipe, path, point)));
  }

  /** No copy of it exists any more. */
  unwant(resource: ResourceKey): void {
    this.#left.delete(resource);
    const fillings = this.#byResource.get(resource);
    if (!fillings) return;
    this.#byResource.delete(resource);
    for (const wanted of fillings) if (--wanted.uses === 0) this.#drop(wanted);
  }

  /** While resources have no fillings for want of room, those with less demand make room for those with more. */
  makeRoom(demand: ReadonlyMap<ResourceKey, number>): void {
    if (this.#left.size === 0) return;
    const demandOf = (resource: ResourceKey): number => demand.get(resource) ?? 0;
    const leaving = [...this.#byResource.keys()].sort((a, b) => demandOf(a) - demandOf(b));
    let next = 0;
    for (const resource of [...this.#left].sort((a, b) => demandOf(b) - demandOf(a))) {
      this.want(resource);
      while (this.#left.has(resource)) {
        const least = leaving[next++];
        if (least === undefined || demandOf(least) >= demandOf(resource)) return;
        this.unwant(least);
        this.#left.add(least);
        this.want(resource);
      }
    }
  }

  /** Slots, templates or feeds are others now: everything is wanted anew; what comes out the same is not handed over again. */
  reconsider(): void {
    const resources = [...this.#byResource.keys(), ...this.#left];
    for (const { id, filling, recipe } of this.#all.values()) if (filling) this.#known.set(id, { filling, signature: recipe.signature });
    for (const map of [this.#all, this.#byFeed, this.#byResource, this.#left, this.#queue, this.#changedMs]) map.clear();
    this.maker.forgetAll();
    for (const resource of resources) this.want(resource);
    this.dropUnwanted();
  }

  /** Takes back what an earlier run or configuration left and nobody wants any more. */
  dropUnwanted(): void {
    for (const id of this.#known.keys()) if (!this.#all.has(id)) this.#parts.unfill(id);
    this.#known = new Map();
  }

  /** Somebody published others in their place: those that are wanted are handed over once more. */
  handAgain(ids: Iterable<FillingId>): void {
    for (const id of ids) {
      const filling = this.#all.get(id)?.filling;
      if (filling) this.#parts.publish(filling);
    }
  }

  feedChanged(feed: FeedKey): void {
    const fillings = this.#byFeed.get(feed);
    if (!fillings || fillings.size === 0) return;
    this.#queue.set(feed, new Set(fillings));
    if (!this.#changedMs.has(feed)) this.#changedMs.set(feed, this.#parts.clock.monotonicMs());
  }

  /** Whether all that this feed fills is as the feed says now. */
  settled(feed: FeedKey): boolean {
    return !this.#queue.has(feed);
  }

  get idle(): boolean {
    return this.#queue.size === 0;
  }

  /** Whether something that may come is not prepared yet. */
  get preparing(): boolean {
    return this.maker.preparing;
  }

  /** Looks at what waits, for a short while; with nothing waiting, prepares what may come. Gives whether anything is left to do. */
  work(): boolean {
    const { clock } = this.#parts;
    const untilMs = clock.monotonicMs() + pieceMs;
    for (const [feed, fillings] of this.#queue) {
      const held = this.#parts.valueOf(feed);
      for (const wanted of fillings) {
        fillings.delete(wanted);
        this.maker.look(wanted, held);
        if (clock.monotonicMs() >= untilMs) break;
      }
      if (fillings.size === 0) this.#settle(feed);
      if (clock.monotonicMs() >= untilMs) break;
    }
    // One that took too long may have been unlucky, on a busy machine; if it is not, its slot soon rests.
    if (this.#queue.size === 0) this.retrySlow();
    return this.#queue.size > 0 || this.maker.prepare(untilMs);
  }

  /** Works until nothing waits, but no longer than `limitMs`, with room for others between pieces. */
  async finish(limitMs: number): Promise<void> {
    const { clock } = this.#parts;
    const untilMs = clock.monotonicMs() + limitMs;
    while (!this.idle && clock.monotonicMs() < untilMs) {
      this.work();
      if (!this.idle) await sleep(clock, 0);
    }
  }

  retrySlow(): void {
    for (const wanted of this.maker.slow()) this.#enqueue(wanted);
  }

  #wanted(recipe: Recipe, path: string, point: Point): Wanted {
    const read = valueOf(point);
    const id = recipe.slot.fillingId(path, read);
    const there = this.#all.get(id);
    if (there) {
      there.uses++;
      return there;
    }
    const known = this.#known.get(id);
    const wanted: Wanted = {
      id, feed: recipe.slot.feedKey(read), recipe, path, point, uses: 1, seen: unseen,
      filling: known?.filling, fits: known?.signature === undefined || known.signature === recipe.signature, fallback: undefined, trouble: undefined,
    };
    this.#known.delete(id);
    this.#all.set(id, wanted);
    const siblings = this.#byFeed.get(wanted.feed);
    if (siblings) siblings.add(wanted);
    else this.#byFeed.set(wanted.feed, new Set([wanted]));
    this.#enqueue(wanted);
    return wanted;
  }

  #enqueue(wanted: Wanted): void {
    const waiting = this.#queue.get(wanted.feed);
    if (waiting) waiting.add(wanted);
    else this.#queue.set(wanted.feed, new Set([wanted]));
  }

  #settle(feed: FeedKey): void {
    this.#queue.delete(feed);
    const changedMs = this.#changedMs.get(feed);
    if (changedMs === undefined) return;
    this.#changedMs.delete(feed);
    this.settling.changes++;
    this.settling.ms += this.#parts.clock.monotonicMs() - changedMs;
  }

  #drop(wanted: Wanted): void {
    const { id, feed } = wanted;
    this.#all.delete(id);
    this.#byFeed.get(feed)?.delete(wanted);
    const waiting = this.#queue.get(feed);
    if (waiting?.delete(wanted) && waiting.size === 0) this.#settle(feed);
    this.maker.forget(wanted);
    if (wanted.filling) this.#parts.unfill(id);
  }
}

/** The path in its one spelling, without host and query. */
function pathOf(resource: ResourceKey): string {
  const [path = ''] = resourceTarget(resource).target.split('?', 1);
  return path;
}

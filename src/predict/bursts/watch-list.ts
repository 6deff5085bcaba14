/**
 * The keys that are looked at minute by minute, at most `watchedMax`, as columns indexed by place: what each was usually asked for, its last minutes, and what was
 * predicted for it then. A key has a place or none; when all are taken the least interesting eighth makes room.
 */
import { ForeshadowError } from '../../kernel/index.ts';
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { horizonsMin } from '../forecaster.ts';
import { smallest } from '../selection.ts';
import type { KeyNumbers } from '../stage.ts';
import { RateFilter, stateCount } from './rate-filter.ts';

/** Keys watched at once. */
export const watchedMax = 4096;
/** Minutes kept of each. A power of two above the longest horizon. */
export const ringMin = 32;
/** Regions of a burst that are told apart; the weakest gives way. */
export const regionsMax = 16;
export const none = -1;
/** Of keys by their hash, a power of two: in most there is none. */
const bucketBits = 14;
const buckets = 1 << bucketBits;
/** Places that are free once room has been made. */
const evictedMax = watchedMax / 8;

export class WatchList {
  readonly filter = new RateFilter(watchedMax);
  /** Key at each place; −1 for a free one. */
  readonly keys = new Int32Array(watchedMax).fill(none);
  /** Usual rate when it came, how busy the site was then (both a minute), and the shape of the gamma distribution the rate is known in. */
  readonly rates = new Float64Array(watchedMax);
  readonly paces = new Float64Array(watchedMax);
  readonly shapes = new Float32Array(watchedMax);
  /** Minutes since the epoch: when it came, when its burst began and ended (0: not yet), when its alarm was raised. */
  readonly cameMin = new Int32Array(watchedMax);
  readonly beganMin = new Int32Array(watchedMax);
  readonly endedMin = new Int32Array(watchedMax);
  readonly alarmMin = new Int32Array(watchedMax);
  /** Requests beyond the usual of the burst so far. */
  readonly excess = new Float32Array(watchedMax);
  /**
   * As of the last minute: expected level, that of the two minutes before, P(burst), surprise in nats, trend (0 falling, 1 steady, 2 growing), base rate, and the expected
   * rates by horizon (NaN: nothing to say).
   */
  readonly levels = new Float32Array(watchedMax);
  readonly levelsBefore = new Float32Array(watchedMax);
  readonly levelsEarlier = new Float32Array(watchedMax);
  readonly surprises = new Float32Array(watchedMax);
  readonly certainty = new Float32Array(watchedMax);
  readonly trends = new Uint8Array(watchedMax);
  readonly base = new Float32Array(watchedMax);
  readonly expected = new Float32Array(watchedMax * horizonsMin.length).fill(NaN);
  /** Requests of each minute, and what was thought at its end: base rate, how far off it might be and by how much more each minute, cell of the ratio (−1: none). */
  readonly counts = new Float32Array(watchedMax * ringMin);
  readonly baseThen = new Float32Array(watchedMax * ringMin);
  readonly changeThen = new Float32Array(watchedMax * ringMin);
  readonly slopeThen = new Float32Array(watchedMax * ringMin);
  readonly cellThen = new Int16Array(watchedMax * ringMin).fill(none);
  /** Regions of the burst, −1 for a free entry, with requests decayed. */
  readonly regions = new Int32Array(watchedMax * regionsMax).fill(none);
  readonly regionWeights = new Float32Array(watchedMax * regionsMax);
  /** The key from which most steps came in the burst (majority vote), and how far ahead it is; all steps. */
  readonly fromKeys = new Int32Array(watchedMax).fill(none);
  readonly fromVotes = new Float32Array(watchedMax);
  readonly steps = new Float32Array(watchedMax);
  /** Place + 1 of the first key of each bucket, and of the next of the same bucket; 0 for none. A column of places by key would take 2 bytes of every key there is. */
  readonly #buckets = new Uint16Array(buckets);
  readonly #next = new Uint16Array(watchedMax);
  #size = 0;
  #last = none;

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return 2 * buckets + watchedMax * (2 + 4 * (stateCount + 16) + 17 + 4 * horizonsMin.length + 18 * ringMin + 8 * regionsMax);
  }

  /** Place of a key, −1 for none. */
  placeOf(key: number): number {
    let place = (this.#buckets[homeOf(key)] ?? 0) - 1;
    while (place >= 0 && this.keys[place] !== key) place = (this.#next[place] ?? 0) - 1;
    return place;
  }

  /** A place for the key, which had none. */
  add(key: number, minute: number, rate: number, shape: number, pace: number): number {
    this.makeRoom(1);
    // Places are taken in turn, so that the search is short.
    let place = this.#last;
    do place = (place + 1) % watchedMax; while (this.keys[place] !== none);
    this.#last = place;
    this.#size++;
    this.#next[place] = this.#buckets[homeOf(key)] ?? 0;
    this.#buckets[homeOf(key)] = place + 1;
    this.keys[place] = key;
    this.rates[place] = rate;
    this.paces[place] = pace;
    this.shapes[place] = shape;
    this.cameMin[place] = minute;
    for (const column of [
      this.beganMin, this.endedMin, this.alarmMin, this.excess, this.certainty, this.surprises, this.base, this.fromVotes, this.steps,
    ]) column[place] = 0;
    for (const column of [this.levels, this.levelsBefore, this.levelsEarlier]) column[place] = rate;
    this.trends[place] = 1;
    this.fromKeys[place] = none;
    this.expected.fill(NaN, place * horizonsMin.length, (place + 1) * horizonsMin.length);
    for (const column of [this.counts, this.baseThen, this.changeThen, this.slopeThen]) column.fill(0, place * ringMin, (place + 1) * ringMin);
    this.cellThen.fill(none, place * ringMin, (place + 1) * ringMin);
    this.forgetRegions(place);
    this.filter.settle(place);
    return place;
  }

  remove(place: number): void {
    const key = this.keys[place] ?? none;
    if (key === none) return;
    let before = none;
    for (let at = (this.#buckets[homeOf(key)] ?? 0) - 1; at !== place; at = (this.#next[at] ?? 0) - 1) before = at;
    if (before === none) this.#buckets[homeOf(key)] = this.#next[place] ?? 0;
    else this.#next[before] = this.#next[place] ?? 0;
    this.keys[place] = none;
    this.#size--;
  }

  /** Whether anything is said about the key at this place. */
  speaks(place: number): boolean {
    return !Number.isNaN(this.expected[place * horizonsMin.length] ?? NaN);
  }

  /** Whether an alarm is on. */
  alarmed(place: number): boolean {
    return (this.alarmMin[place] ?? 0) > 0 && this.endedMin[place] === 0;
  }

  /** What was said is not to be judged: minutes are missing. */
  forgetWords(): void {
    this.cellThen.fill(none);
    this.counts.fill(0);
  }

  forgetRegions(place: number): void {
    this.regions.fill(none, place * regionsMax, (place + 1) * regionsMax);
    this.regionWeights.fill(0, place * regionsMax, (place + 1) * regionsMax);
  }

  /** Requests came from a region; `keep` has been applied to the others before. */
  addRegion(place: number, region: number, count: number): void {
    const from = place * regionsMax;
    let weakest = from;
    for (let at = from; at < from + regionsMax; at++) {
      if (this.regions[at] === region) {
        this.regionWeights[at] = (this.regionWeights[at] ?? 0) + count;
        return;
      }
      if ((this.regionWeights[at] ?? 0) < (this.regionWeights[weakest] ?? 0)) weakest = at;
    }
    this.regions[weakest] = region;
    this.regionWeights[weakest] = count;
  }

  /** Lets the regions' weights fade by `keep` (0 to 1). */
  fadeRegions(place: number, keep: number): void {
    for (let at = place * regionsMax; at < (place + 1) * regionsMax; at++) this.regionWeights[at] = (this.regionWeights[at] ?? 0) * keep;
  }

  regionWeight(place: number, region: number): number {
    for (let at = place * regionsMax; at < (place + 1) * regionsMax; at++) if (this.regions[at] === region) return this.regionWeights[at] ?? 0;
    return 0;
  }

  regionSum(place: number): number {
    let sum = 0;
    for (let at = place * regionsMax; at < (place + 1) * regionsMax; at++) sum += this.regionWeights[at] ?? 0;
    return sum;
  }

  /** The strongest region's part of the burst; 1 when there is none. */
  topRegionPart(place: number): number {
    let sum = 0;
    let most = 0;
    for (let at = place * regionsMax; at < (place + 1) * regionsMax; at++) {
      const weight = this.regionWeights[at] ?? 0;
      sum += weight;
      if (weight > most) most = weight;
    }
    return sum > 0 ? most / sum : 1;
  }

  /** A step from one key led here (Boyer & Moore's majority vote). */
  addStep(place: number, from: number, count: number): void {
    this.steps[place] = (this.steps[place] ?? 0) + count;
    if (this.fromKeys[place] === from) this.fromVotes[place] = (this.fromVotes[place] ?? 0) + count;
    else if ((this.fromVotes[place] ?? 0) >= count) this.fromVotes[place] = (this.fromVotes[place] ?? 0) - count;
    else {
      this.fromVotes[place] = count - (this.fromVotes[place] ?? 0);
      this.fromKeys[place] = from;
    }
  }

  /** Makes room for so many more keys, an eighth of the list at most. Returns for how many there is room now. */
  makeRoom(wanted: number): number {
    const free = watchedMax - this.#size;
    if (free < Math.min(wanted, evictedMax)) this.#dropWeakest(evictedMax - free);
    return watchedMax - this.#size;
  }

  /** Lets those go whose forecast differs least from what would be said without them: first the keys of which nothing is said, those least likely to be in a burst before others. */
  #dropWeakest(count: number): void {
    const interest = new Float32Array(watchedMax);
    const taken = new Uint8Array(watchedMax);
    const longest = horizonsMin.length - 1;
    for (let place = 0; place < watchedMax; place++) {
      if (this.keys[place] === none) continue;
      taken[place] = 1;
      const expected = this.expected[place * horizonsMin.length + longest] ?? NaN;
      interest[place] = Number.isNaN(expected) ? this.certainty[place] ?? 0 : 1 + Math.abs(expected - (this.base[place] ?? 0));
    }
    for (const place of smallest(interest, taken, count)) this.remove(place);
  }

  write(writer: ByteWriter, numbers: KeyNumbers): void {
    const places = Array.from(this.keys.keys()).filter((place) => (this.keys[place] ?? none) !== none && numbers.has(this.keys[place] ?? none));
    writer.uint(places.length);
    for (const place of places) {
      writer.uint(numbers.get(this.keys[place] ?? none) ?? 0);
      this.#each(place, (column, at) => { writer.double(column[at] ?? 0); });
    }
  }

  /** Into an empty list, of keys below `keys`. */
  read(reader: ByteReader, keys: number): void {
    const length = reader.length(8);
    for (let i = 0; i < length; i++) {
      const key = reader.uint();
      if (key >= keys || i >= watchedMax || this.placeOf(key) !== none) throw new ForeshadowError('bytes-invalid', { source: 'internal', message: 'a list of bursts can not be read: it names a key twice or one that there is not', hint: 'run the same version of Foreshadow everywhere' });
      const place = this.add(key, 0, 0, 0, 0);
      this.#each(place, (column, at) => {
        const value = reader.double();
        column[at] = Number.isFinite(value) || column === this.expected ? value : 0;
      });
    }
    this.forgetWords();
  }

  /** Everything at a place that outlives a stop, but its key. Where a burst came from, and what was said minutes ago, does not. */
  #each(place: number, visit: (column: Float64Array | Float32Array | Int32Array | Uint8Array, at: number) => void): void {
    for (const column of [
      this.rates, this.paces, this.shapes, this.cameMin, this.beganMin, this.endedMin, this.alarmMin, this.excess, this.levels, this.levelsBefore, this.levelsEarlier,
      this.certainty, this.surprises, this.trends, this.base,
    ]) visit(column, place);
    for (const [column, width] of [[this.expected, horizonsMin.length], [this.filter.states, stateCount]] as const) for (let at = place * width; at < (place + 1) * width; at++) visit(column, at);
  }
}

/** Multiplicative hashing (Knuth 1973): indexes that follow one another fall far apart. */
function homeOf(key: number): number {
  return Math.imul(key, 0x9e37_79b1) >>> (32 - bucketBits);
}

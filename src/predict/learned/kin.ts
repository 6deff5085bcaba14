/**
 * How much is asked for of a resource's families: of its name, in whatever folder, version or format, and of its folder; everywhere and in each region. What is
 * known of a resource that was born a minute ago is what its kin do. (A third family, the same path with other numbers, gained nothing on package downloads.)
 * Bounded: two tables of fixed size, and 8 bytes for each index of a resource. Counts what `observe` tells it, once.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import type { ObservedMinute } from '../stage.ts';
import { widened, widenedShorts } from '../state/columns.ts';
import type { EngineState } from '../state/state.ts';
import { finish, kinIdentity } from './kin-identity.ts';
import { KinTable } from './kin-table.ts';

/** Families kept, of resources and of (family, region). */
const familiesMax = 65_536;
const regionalMax = 131_072;
/** Time constants, minutes, of both tables. */
const scalesMin = [60, 1440] as const;
/** Classes are put into so many groups by their hash. */
export const classGroups = 256;

export class Kin {
  readonly families = new KinTable(familiesMax, scalesMin);
  readonly regional = new KinTable(regionalMax, scalesMin);
  readonly #state: EngineState;
  /** By key index: hashes of the families, of the name 0 where the key has not been looked at; and class, depth and query in one. */
  #names = new Uint32Array(0);
  /** 16 bits: folders are fewer. */
  #folders = new Uint16Array(0);
  #traits = new Uint16Array(0);

  constructor(state: EngineState) {
    this.#state = state;
  }

  observe({ startMs, sums, regions, counts }: ObservedMinute): void {
    const { families, regional } = this;
    families.advance(startMs);
    regional.advance(startMs);
    const weights = families.weights(startMs);
    const regionWeights = regional.weights(startMs);
    this.#grow();
    const { keys, firsts } = sums;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? 0;
      this.know(key);
      const name = this.#names[key] ?? 0;
      const folder = this.folderOf(key);
      families.add(name, sums.counts[i] ?? 0, weights);
      families.add(folder, sums.counts[i] ?? 0, weights);
      const end = firsts[i + 1] ?? 0;
      for (let entry = firsts[i] ?? 0; entry < end; entry++) {
        const region = regions[entry] ?? 0;
        regional.add(inRegion(name, region), counts[entry] ?? 0, regionWeights);
        regional.add(inRegion(folder, region), counts[entry] ?? 0, regionWeights);
      }
    }
  }

  skip(ms: number): void {
    this.families.skip(ms);
    this.regional.skip(ms);
  }

  /** Looks at a key that was not looked at yet: after a restart, and at its birth. */
  know(key: number): void {
    if ((this.#names[key] ?? 0) !== 0) return;
    if (key >= this.#names.length) this.#grow();
    const text = this.#state.resources.keyAt(key);
    if (text === undefined) return;
    const { name, folder, routeClass, depth, hasQuery } = kinIdentity(text);
    this.#names[key] = name;
    this.#folders[key] = folder;
    this.#traits[key] = (routeClass % classGroups) | (depth << 8) | (hasQuery ? 1 << 12 : 0);
  }

  forget(key: number): void {
    if (key < this.#names.length) this.#names[key] = 0;
  }

  nameOf(key: number): number {
    return this.#names[key] ?? 0;
  }

  folderOf(key: number): number {
    return finish(this.#folders[key] ?? 0);
  }

  /** Group of the key's class, below `classGroups`. */
  classOf(key: number): number {
    return (this.#traits[key] ?? 0) & 255;
  }

  depthOf(key: number): number {
    return ((this.#traits[key] ?? 0) >> 8) & 15;
  }

  /** 1 with a query, 0 without. */
  queryOf(key: number): number {
    return (this.#traits[key] ?? 0) >> 12;
  }

  get bytes(): number {
    return this.families.bytes + this.regional.bytes + this.#names.length * 8;
  }

  write(writer: ByteWriter): void {
    this.families.write(writer);
    this.regional.write(writer);
  }

  /** Families of keys are read from the keys again; regions have kept their indexes, for none is ever forgotten. */
  read(reader: ByteReader): void {
    this.families.read(reader);
    this.regional.read(reader);
  }

  #grow(): void {
    const capacity = this.#state.byResource.capacity;
    if (capacity <= this.#names.length) return;
    this.#names = widened(this.#names, capacity);
    this.#folders = widenedShorts(this.#folders, capacity);
    this.#traits = widenedShorts(this.#traits, capacity);
  }
}

/** The family in one region. */
export function inRegion(family: number, region: number): number {
  return finish(family ^ Math.imul(region + 1, 0x9e3779b1));
}

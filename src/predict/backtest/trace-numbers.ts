/**
 * The engine's indexes as the trace's own numbers and names. Each is looked up once: the player's engine has room for as many resources
 * as the trace may have, so that no index ever becomes another key's.
 */
import type { RegionName, ResourceKey } from '../../kernel/index.ts';
import type { TraceMinutes } from './trace-minutes.ts';

/** What the engine calls its indexes. */
export interface EngineNames {
  readonly resources: { keyAt(index: number): ResourceKey | undefined };
  readonly regions: { keyAt(index: number): RegionName | undefined };
}

export class TraceNumbers {
  readonly #trace: Pick<TraceMinutes, 'resources' | 'regions'>;
  readonly #engine: EngineNames;
  #resources = new Int32Array(0);
  readonly #regions: number[] = [];
  readonly #names: (ResourceKey | undefined)[] = [];

  constructor(trace: Pick<TraceMinutes, 'resources' | 'regions'>, engine: EngineNames) {
    this.#trace = trace;
    this.#engine = engine;
  }

  /** The trace's number of a resource; −1 for one that is not in the trace. */
  resource(index: number): number {
    if (index >= this.#resources.length) {
      const wider = new Int32Array(Math.max(1024, index + 1, this.#resources.length * 2)).fill(-2);
      wider.set(this.#resources);
      this.#resources = wider;
    }
    let found = this.#resources[index] ?? -2;
    if (found === -2) {
      const resource = this.#engine.resources.keyAt(index);
      found = resource === undefined ? -1 : this.#trace.resources.indexOf(resource) ?? -1;
      this.#resources[index] = found;
    }
    return found;
  }

  /** The trace's number of a region; −1 for one that is not in the trace. */
  region(index: number): number {
    const known = this.#regions[index];
    if (known !== undefined) return known;
    const region = this.#engine.regions.keyAt(index);
    return this.#regions[index] = region === undefined ? -1 : this.#trace.regions.indexOf(region) ?? -1;
  }

  /** The name of a resource by the trace's number. */
  nameOf(key: number): ResourceKey | undefined {
    return this.#names[key] ??= this.#trace.resources.keyAt(key);
  }
}

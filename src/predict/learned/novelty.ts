/**
 * Which part of a region's last requests were for what it had not asked for lately. In a sweep of the whole site nearly all are; then what was asked for
 * a moment ago is the least likely to be asked for next, and the other way round among people. One number a region.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { facetsMax } from '../intake.ts';
import type { ObservedMinute } from '../stage.ts';
import type { EngineState } from '../state/state.ts';

/** Less than this of a request in the decayed hour before, and one is new: not in the last three hours. */
const newBelow = 0.05;
/** The part follows a region's last so many entries. */
const memory = 64;

export class Novelty {
  readonly #state: EngineState;
  readonly #parts = new Float32Array(facetsMax);

  constructor(state: EngineState) {
    this.#state = state;
  }

  /** The engine's counts have taken the minute already. The order of a region's entries within it does not matter. */
  observe({ startMs, keys, regions, counts }: ObservedMinute): void {
    const { regionsOf } = this.#state;
    const factor = regionsOf.hourFactor(startMs);
    const entries = new Int32Array(facetsMax);
    const fresh = new Int32Array(facetsMax);
    for (let i = 0; i < keys.length; i++) {
      const region = regions[i] ?? 0;
      const slot = regionsOf.find(keys[i] ?? 0, region);
      if (slot < 0) continue;
      entries[region] = (entries[region] ?? 0) + 1;
      if (regionsOf.hourAt(slot) * factor - (counts[i] ?? 0) < newBelow) fresh[region] = (fresh[region] ?? 0) + 1;
    }
    for (let region = 0; region < this.#state.regions.span; region++) {
      const count = entries[region] ?? 0;
      if (count === 0) continue;
      const part = this.#parts[region] ?? 0;
      this.#parts[region] = part + ((fresh[region] ?? 0) / count - part) * (1 - (1 - 1 / memory) ** count);
    }
  }

  /** `NaN` for a region never seen. */
  of(region: number): number {
    return region < 0 ? NaN : this.#parts[region] ?? 0;
  }

  write(writer: ByteWriter): void {
    const regions = Math.min(facetsMax, this.#state.regions.span);
    writer.uint(regions);
    for (let region = 0; region < regions; region++) writer.double(this.#parts[region] ?? 0);
  }

  /** Regions have their indexes for ever. */
  read(reader: ByteReader): void {
    const regions = reader.length(8);
    for (let region = 0; region < regions; region++) {
      const part = reader.double();
      if (region < facetsMax) this.#parts[region] = part >= 0 && part <= 1 ? part : 0;
    }
  }
}

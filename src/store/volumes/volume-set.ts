/**
 * The volumes of a store together: who they are, which of them work, which comes first for a blob, and when one that failed is tried again.
 */
import { type Clock, ForeshadowError, type Log, messageOf } from '../../kernel/index.ts';
import { type Disk, errnoOf } from '../../kernel/disk.ts';
import { identifyVolumes, isRefusal, readIdentity, type VolumeIdentity } from './identity.ts';
import { Volume } from './volume.ts';

const full = 'the disk is full';
const done = Promise.resolve();

export interface VolumeSetOptions {
  readonly paths: readonly string[];
  readonly site: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  readonly segmentBytes: number;
  /** How long a volume that failed is left alone. */
  readonly retryAfterMs: number;
}

export class VolumeSet {
  readonly volumes: readonly Volume[];
  /** Times a volume stopped working. */
  failures = 0;
  readonly #options: VolumeSetOptions;
  #identities: (VolumeIdentity | undefined)[] = [];
  #reviving: Promise<void> | undefined;

  constructor(options: VolumeSetOptions) {
    this.#options = options;
    this.volumes = options.paths.map((path) => new Volume(path, options));
  }

  /** Finds out who they are and has each loaded. Throws only when none is usable, or one belongs elsewhere. */
  async open(load: (ordinal: number, volume: Volume) => Promise<void>): Promise<void> {
    this.#identities = await identifyVolumes(this.#options, (path, error) => {
      const volume = this.volumes.find((one) => one.path === path);
      if (volume) this.fail(volume, 'failed', error);
    });
    for (const [ordinal, volume] of this.volumes.entries()) {
      if (this.#identities[ordinal]) await this.#load(ordinal, volume, load);
    }
    if (!this.volumes.some((volume) => volume.state === 'ok')) throw this.noneLeft(undefined);
  }

  async #load(ordinal: number, volume: Volume, load: (ordinal: number, volume: Volume) => Promise<void>): Promise<void> {
    try {
      await load(ordinal, volume);
      volume.state = 'ok';
      volume.error = undefined;
    } catch (error) {
      if (isRefusal(error)) throw error;
      this.fail(volume, 'failed', error);
    }
  }

  at(ordinal: number): Volume {
    const volume = this.volumes[ordinal];
    if (!volume) throw new Error('broken invariant: unknown volume');
    return volume;
  }

  /** The volumes in the order in which this blob prefers them: spreads blobs evenly, and is the same in every run. */
  placement(digest: Uint8Array): number[] {
    const count = this.volumes.length;
    const first = ((digest[4] ?? 0) * 256 + (digest[5] ?? 0)) % count;
    return Array.from({ length: count }, (_, step) => (first + step) % count);
  }

  fail(volume: Volume, state: 'degraded' | 'failed', error: unknown): void {
    volume.retryAtMs = this.#options.clock.monotonicMs() + this.#options.retryAfterMs;
    volume.error = errnoOf(error) === 'ENOSPC' ? full : messageOf(error);
    if (volume.state === state && this.failures > 0) return;
    this.failures += 1;
    volume.state = state;
    this.#options.log.error('volume-failed', { volume: volume.path, state, error: volume.error });
  }

  /** Whether the directory is there and is the one it was; one that was missing at the start must be of this store. */
  async isThere(ordinal: number): Promise<boolean> {
    try {
      const found = await readIdentity(this.#options.disk, this.at(ordinal).path);
      if (typeof found === 'string') return false;
      const before = this.#identities[ordinal];
      if (before) return found.volume === before.volume;
      const ours = this.#identities.find((identity) => identity !== undefined);
      if (found.site !== this.#options.site || found.store !== ours?.store) return false;
      this.#identities[ordinal] = found;
      return true;
    } catch {
      return false;
    }
  }

  /** Gives volumes that failed a while ago another chance: the next write or read decides. Calls together share one attempt. */
  reviveDue(load: (ordinal: number, volume: Volume) => Promise<void>): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const due = this.volumes.some((volume) => volume.state !== 'ok' && nowMs >= volume.retryAtMs);
    if (!this.#reviving && !due) return done;
    this.#reviving ??= this.#revive(nowMs, load).finally(() => {
      this.#reviving = undefined;
    });
    return this.#reviving;
  }

  async #revive(nowMs: number, load: (ordinal: number, volume: Volume) => Promise<void>): Promise<void> {
    for (const [ordinal, volume] of this.volumes.entries()) {
      if (volume.state === 'ok' || nowMs < volume.retryAtMs) continue;
      volume.retryAtMs = nowMs + this.#options.retryAfterMs;
      if (!(await this.isThere(ordinal))) continue;
      if (volume.loaded) volume.state = 'ok';
      else await this.#load(ordinal, volume, load).catch((error: unknown) => { this.fail(volume, 'failed', error); });
      if (volume.state !== 'ok') continue;
      volume.error = undefined;
      this.#options.log.info('volume-tried-again', { volume: volume.path });
    }
  }

  /** Nothing takes a write, or nothing can be used at all. */
  noneLeft(cause: unknown): ForeshadowError {
    const isFull = errnoOf(cause) === 'ENOSPC' || this.volumes.some((volume) => volume.error === full);
    const reasons = this.volumes.map((volume) => `${volume.path} (${volume.error ?? volume.state})`).join(', ');
    return new ForeshadowError(isFull ? 'storage-full' : 'storage-failed', {
      source: 'storage', retry: true, cause, message: `no volume takes the write: ${reasons}`,
      hint: isFull ? 'free space, lower budgets.storage or add a volume' : 'check the directories, their permissions and the disks under them',
    });
  }
}

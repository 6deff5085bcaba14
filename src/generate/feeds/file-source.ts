/**
 * A feed that is a file. It is looked at every so often, and read again when its time, size or inode is another; there and unchanged, it confirms
 * its value. Bad content (a writer half done) leaves the last good value, and is read again until the file has been still for a while.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { documentBytesMax, type Refused } from './document.ts';
import type { FeedInstance, FeedSource } from './instance.ts';

/** File systems tell times in steps: a file that changed less long ago may change again under the same time. */
const stillMs = 2_000;

interface Look {
  readonly signature: string;
  readonly changedMs: number;
  /** Undefined: not read, since nothing changed. */
  readonly bytes: Uint8Array | undefined;
}

export class FileSource implements FeedSource {
  readonly #instance: FeedInstance;
  readonly #path: string;
  readonly #everyMs: number;
  /** Of the content that was last read and, if it could not be used, is not to be read again. */
  #seen: { readonly signature: string; readonly good: boolean } | undefined;

  constructor(instance: FeedInstance, path: string, everyMs: number) {
    this.#instance = instance;
    this.#path = path;
    this.#everyMs = everyMs;
  }

  async attempt(signal: AbortSignal): Promise<number> {
    const { clock } = this.#instance.parts;
    const lookedMs = clock.nowMs();
    const look = await this.#look();
    if (signal.aborted) return 0;
    if ('kind' in look) {
      this.#instance.refuse(look);
    } else if (look.bytes === undefined) {
      if (this.#seen?.good === true) this.#instance.confirm(lookedMs);
    } else {
      const good = this.#instance.take(look.bytes, lookedMs);
      const still = Math.abs(clock.nowMs() - look.changedMs) > stillMs;
      this.#seen = still ? { signature: look.signature, good } : undefined;
    }
    return this.#everyMs;
  }

  async #look(): Promise<Look | Refused> {
    let file: FileHandle | undefined;
    try {
      // Without O_NONBLOCK a pipe in its place would hold a thread for ever.
      file = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
      const before = await signatureOf(file);
      if ('kind' in before) return before;
      if (before.signature === this.#seen?.signature) return { ...before, bytes: undefined };
      const bytes = await readUpTo(file, before.bytes);
      const after = await signatureOf(file);
      if ('kind' in after) return after;
      // Somebody is writing: what was read is judged, but not taken for the last word.
      return { signature: after.signature, changedMs: after.signature === before.signature ? after.changedMs : this.#instance.parts.clock.nowMs(), bytes };
    } catch (error) {
      const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
      return { kind: 'refused', reason: 'unreadable', message: `the file can not be read${code}` };
    } finally {
      await file?.close();
    }
  }
}

async function signatureOf(file: FileHandle): Promise<{ readonly signature: string; readonly changedMs: number; readonly bytes: number } | Refused> {
  const { ino, size, mtimeMs, ctimeMs, isFile } = await file.stat().then((stat) => ({ ino: stat.ino, size: stat.size, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs, isFile: stat.isFile() }));
  if (!isFile) return { kind: 'refused', reason: 'unreadable', message: 'the path names no plain file' };
  if (size > documentBytesMax) return { kind: 'refused', reason: 'too-large', message: `the file has more than ${documentBytesMax} bytes` };
  return { signature: `${ino} ${size} ${mtimeMs} ${ctimeMs}`, changedMs: Math.max(mtimeMs, ctimeMs), bytes: size };
}

/** As many bytes as there were when it was looked at; fewer, where it became shorter. */
async function readUpTo(file: FileHandle, bytes: number): Promise<Uint8Array> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await file.read(whole, at, bytes - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return whole.subarray(0, at);
}

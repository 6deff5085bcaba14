/**
 * The edge's bodies as another process sees them: the brain reads what the edge has captured. Read-only, at the same time; an index that is
 * not there yet, or has been moved aside since, is looked for again on the next call.
 */
import { statSync } from 'node:fs';
import type { BlobDigest } from '../../kernel/index.ts';
import { digestBytes } from '../digest.ts';
import { BodyReader } from './body-files.ts';
import { type LocalDatabase, openTables } from './database.ts';
import { decodePlace } from './entry.ts';
import { faultOfMetaPages, indexFile } from './index-guard.ts';

export interface LocalBodies extends AsyncDisposable {
  /** The body with its checksum verified; undefined when the edge doesn't have it (any more). */
  body(digest: BlobDigest): Uint8Array | undefined;
  close(): Promise<void>;
}

class LmdbLocalBodies implements LocalBodies {
  readonly #folder: string;
  readonly #bodies: BodyReader;
  #database: LocalDatabase | undefined;
  #inode = 0;

  constructor(path: string) {
    this.#folder = `${path}/index`;
    this.#bodies = new BodyReader(`${path}/bodies`);
  }

  body(digest: BlobDigest): Uint8Array | undefined {
    // The edge may rewrite a segment between the look-up and the read; then the index has the new place.
    for (let attempt = 0; attempt < 3; attempt++) {
      const value = this.#open()?.bodies.get(digestBytes(digest));
      const place = value && decodePlace(value);
      if (!place) return undefined;
      const body = this.#bodies.read(place);
      if (body) return body;
      this.#bodies.forget(place.segment);
      this.#database?.root.resetReadTxn();
    }
    return undefined;
  }

  #open(): LocalDatabase | undefined {
    const inode = inodeOf(`${this.#folder}/${indexFile}`);
    if (this.#database && inode === this.#inode) return this.#database;
    void this.#database?.root.close();
    this.#database = undefined;
    this.#bodies.close();
    if (inode === 0 || faultOfMetaPages(this.#folder) !== undefined) return undefined;
    try {
      this.#database = openTables(this.#folder, undefined, true);
      this.#inode = inode;
    } catch {
      // The edge is in the middle of making it; the next call finds it.
    }
    return this.#database;
  }

  async close(): Promise<void> {
    this.#bodies.close();
    await this.#database?.root.close();
    this.#database = undefined;
    this.#inode = 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}

export function openLocalBodies(path: string): LocalBodies {
  return new LmdbLocalBodies(path);
}

/** A folder of its own for each test, gone after it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class TemporaryFolders {
  #made: string[] = [];

  make(): string {
    const path = mkdtempSync(join(tmpdir(), 'foreshadow-test-'));
    this.#made.push(path);
    return path;
  }

  remove(): void {
    for (const path of this.#made) rmSync(path, { recursive: true, force: true });
    this.#made = [];
  }
}

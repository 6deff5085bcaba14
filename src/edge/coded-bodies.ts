/**
 * Which content coding a copy goes out in: one of those the generator prepared, or, of pages that were put together, gzip that is made beside the
 * serving thread once a page is sent again. Nothing is waited for: until a coding is there the plain body goes out.
 */
import type { CodedBody } from '../catalog/index.ts';
import { chooseCoding, type HeaderReader } from '../http/index.ts';
import type { BlobDigest } from '../kernel/index.ts';
import type { Copy } from './copies.ts';
import { codedCopy, makeOf, withVary } from './made-copy.ts';
import type { PreparedMemory } from './prepared-memory.ts';

export interface CodedBodiesOptions {
  readonly memory: PreparedMemory;
  readonly read: (digest: BlobDigest) => Uint8Array | undefined;
  /** gzip, beside the serving thread. */
  readonly gzip: (body: Uint8Array) => Promise<Uint8Array>;
}

/** Below, a coding saves no packet worth its time. */
const codedBytesMin = 1_024;
/** Pages being compressed at once; of further ones the next use tries again. */
const compressingMax = 4;
/** Accept-Encoding fields whose choice is remembered. */
const fieldsMax = 512;
const fieldCharactersMax = 256;
const gzipOnly: readonly Pick<CodedBody, 'coding'>[] = [{ coding: 'gzip' }];

export class CodedBodies {
  readonly #options: CodedBodiesOptions;
  /** Accept-Encoding → codings there are → the one. */
  readonly #chosen = new Map<string, Map<string, string>>();
  readonly #compressing = new Set<Copy>();

  constructor(options: CodedBodiesOptions) {
    this.#options = options;
  }

  /** The copy in the coding this client likes best, of those there are. */
  coded(copy: Copy, client: HeaderReader): Copy {
    if (copy.sending) return copy.sending.selection === 'any' ? this.#composed(copy, client) : copy;
    const { codings } = copy.record;
    if (!codings || codings.length === 0 || copy.keepsForm) return copy;
    const { memory, read } = this.#options;
    const wanted = this.#choose(client, codings);
    const prepared = codings.find(({ coding }) => coding === wanted);
    const coded = prepared && memory.obtain(copy, prepared.coding, () => {
      const body = read(prepared.body);
      return body && codedCopy(copy, prepared.coding, body);
    });
    return coded ?? memory.obtain(copy, 'identity', () => makeOf(copy, { headers: withVary(copy.record.headers, ['accept-encoding']), body: copy.body, validators: copy.validators }));
  }

  #composed(page: Copy, client: HeaderReader): Copy {
    const { sending, made } = page;
    if (!sending || page.body.byteLength < codedBytesMin) return page;
    if (this.#choose(client, gzipOnly) !== 'gzip') return page;
    const ready = made?.get('gzip');
    if (ready?.sending) {
      ready.sending.holdsUntilMs = sending.holdsUntilMs;
      return ready;
    }
    sending.uses++;
    if (sending.uses > 1 && this.#compressing.size < compressingMax && !this.#compressing.has(page) && !page.keepsForm) this.#compress(page);
    return page;
  }

  #compress(page: Copy): void {
    this.#compressing.add(page);
    const { gzip, memory } = this.#options;
    // What can't be compressed goes out plain.
    gzip(page.body).then((body) => {
      if (body.byteLength < page.body.byteLength) memory.obtain(page, 'gzip', () => codedCopy(page, 'gzip', body));
    }, () => undefined).finally(() => this.#compressing.delete(page));
  }

  /** Ranges are given of the plain body only. */
  #choose(client: HeaderReader, available: readonly Pick<CodedBody, 'coding'>[]): string {
    if (client.get('range') !== null) return 'identity';
    const field = client.get('accept-encoding');
    if (field === null) return 'identity';
    const known = this.#chosen.get(field);
    const key = available.length === 1 ? available[0]?.coding ?? '' : available.map(({ coding }) => coding).join();
    const before = known?.get(key);
    if (before !== undefined) return before;
    const chosen = chooseCoding(field, available.map(({ coding }) => coding));
    if (field.length <= fieldCharactersMax) this.#remember(field, key, chosen);
    return chosen;
  }

  #remember(field: string, key: string, chosen: string): void {
    if (this.#chosen.size >= fieldsMax) this.#chosen.clear();
    const known = this.#chosen.get(field);
    if (known) known.set(key, chosen);
    else this.#chosen.set(field, new Map([[key, chosen]]));
  }
}

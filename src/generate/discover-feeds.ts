/** Which syndication feeds the site's pages have named, and what is known of each: its validators, and whether it is one at all. Bounded. Pure state. */
import type { HeaderList } from '../http/index.ts';

/** Feeds read of one site; beyond, further ones are left out. */
export const syndicationFeedsMax = 20;
/** A feed that could not be read so often in a row is left alone. */
const failuresMax = 5;

interface Named {
  validators: HeaderList;
  failures: number;
}

export class NamedFeeds {
  readonly #feeds = new Map<string, Named>();

  /** `path`: with its query. */
  name(path: string): void {
    if (!this.#feeds.has(path) && this.#feeds.size < syndicationFeedsMax) this.#feeds.set(path, { validators: [], failures: 0 });
  }

  /** To be read now. */
  paths(): readonly string[] {
    return [...this.#feeds].flatMap(([path, { failures }]) => (failures < failuresMax ? [path] : []));
  }

  /** What a request for it is to carry, so that an unchanged feed costs next to nothing. */
  conditions(path: string): HeaderList {
    return this.#feeds.get(path)?.validators ?? [];
  }

  wasRead(path: string, headers: HeaderList): void {
    const value = (name: string): string | undefined => headers.find(([field]) => field === name)?.[1];
    const etag = value('etag');
    const modified = value('last-modified');
    const validators: HeaderList = [...(etag === undefined ? [] : [['if-none-match', etag] as const]), ...(modified === undefined ? [] : [['if-modified-since', modified] as const])];
    this.#feeds.set(path, { validators, failures: 0 });
  }

  failed(path: string): void {
    const feed = this.#feeds.get(path);
    if (feed) feed.failures++;
  }
}

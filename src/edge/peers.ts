/**
 * What is known of the addresses that connect: their plain form and whether they are trusted proxies. Parsing an address costs
 * about 3 µs, and the same few connect again and again, so that the last ones are remembered.
 */
import { plainAddress, type TrustedProxies } from '../http/index.ts';

const rememberedMax = 10_000;

export interface Peer {
  /** As the socket gave it. */
  readonly raw: string;
  /** `::ffff:192.0.2.1` is `192.0.2.1`; `unknown` where it has gone. */
  readonly address: string;
  readonly trusted: boolean;
}

export class Peers {
  readonly trusted: TrustedProxies;
  readonly #known = new Map<string, Peer>();

  constructor(trusted: TrustedProxies) {
    this.trusted = trusted;
  }

  of(raw: string | undefined): Peer {
    const name = raw ?? 'unknown';
    const known = this.#known.get(name);
    if (known) return known;
    const peer = { raw: name, address: plainAddress(name) ?? 'unknown', trusted: this.trusted(name) };
    if (this.#known.size >= rememberedMax) this.#known.clear();
    this.#known.set(name, peer);
    return peer;
  }
}

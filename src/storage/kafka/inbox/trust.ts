import type { BrokerClock } from '../wire/broker-clock.ts';
import type { RawRecord } from '../wire/log-batch.ts';
import { RecentSignatures } from './recent-signatures.ts';
import type { Signer } from './signature.ts';

/** How far the clocks of brokers may be apart; a frontend learns its broker's. */
const CLOCKS_APART_MS = 60_000;

/** What it takes to tell what frontends wrote from what others wrote. */
export class Trust {
  readonly signer: Signer;
  readonly clock: BrokerClock;
  readonly recent = new RecentSignatures();
  /**
   * Whether what no frontend can be shown to have written counts all the same: records without a signature, or with a key
   * that is not known here, or whose signature is of another time. For going over from a version that did not sign.
   */
  readonly acceptsUnsigned: boolean;
  readonly #windowMs: number;

  /** @param sendTimeoutMs how long a record may wait for Kafka after it was signed */
  constructor(signer: Signer, clock: BrokerClock, acceptsUnsigned: boolean, sendTimeoutMs: number) {
    this.signer = signer;
    this.clock = clock;
    this.acceptsUnsigned = acceptsUnsigned;
    this.#windowMs = CLOCKS_APART_MS + sendTimeoutMs;
  }

  /**
   * Whether a record was appended when it was signed, by the broker's own word: else it is a copy of an older one. Where a
   * topic keeps the producers' time, nobody can tell.
   * @param signedAt milliseconds since the epoch; anything else is not fresh
   */
  isFresh(raw: RawRecord, signedAt: number): boolean {
    return raw.hasAppendTime && Math.abs(raw.timestamp - signedAt) <= this.#windowMs;
  }
}

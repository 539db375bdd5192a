import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError } from '../../protocol/errors.ts';
import { dropOldest } from '../../util/bounded-map.ts';
import { TokenBucket } from '../../util/token-buckets.ts';
import { uuidKey } from '../../util/uuid.ts';
import type { SendResult } from '../commands/send.ts';
import type { Limits } from '../limits.ts';
import type { Waiter } from '../receipts/delivery-receipts.ts';

interface Remembered {
  readonly to: string;
  readonly completion: Promise<SendResult>;
}

/**
 * What a session has sent: how fast, and which ids lately. An id that comes again is answered as it was the first
 * time, without a second append. Bounded: above `rememberedSends` the oldest id is forgotten; sent again after that
 * it is stored again, and the recipient's client drops it.
 */
export class SendDedupe {
  /** Who wants to hear what became of the messages; null in a version that has no word for it. */
  readonly waiter: Waiter | null;
  readonly #limit: number;
  readonly #rate: TokenBucket;
  /** By `uuidKey` of the id. */
  readonly #sends = new Map<string, Remembered>();
  readonly #tells: boolean;

  /**
   * @param tells whether who sends too fast is told so, and when to try again; else its requests wait
   * @param rate how fast that is, where others share it
   */
  constructor(limits: Limits, waiter: Waiter | null, tells: boolean, rate?: TokenBucket) {
    this.waiter = waiter;
    this.#tells = tells;
    this.#limit = limits.rememberedSends;
    this.#rate = rate ?? new TokenBucket({ burst: limits.sendBurst, perSecond: limits.sendsPerSecond });
  }

  /** The send that had this id, if it is under way or succeeded. @throws ProtocolError `BAD_REQUEST` */
  find(id: Uint8Array, to: string): Promise<SendResult> | undefined {
    const found = this.#sends.get(uuidKey(id));
    if (found !== undefined && found.to !== to) {
      throw new ProtocolError('BAD_REQUEST', 'That id belongs to a message to somebody else.');
    }
    return found?.completion;
  }

  /**
   * Null where there is room for one more send, else resolves when there is. A refusal takes as long as the room would have taken to come: who
   * does not wait when told to costs no more than who does.
   * @throws ProtocolError `RATE_LIMITED`
   */
  pace(): Promise<void> | null {
    const waitMs = this.#rate.take();
    return waitMs > 0 ? this.#wait(waitMs) : null;
  }

  async #wait(firstMs: number): Promise<void> {
    for (let waitMs = firstMs; waitMs > 0; waitMs = this.#rate.take()) {
      await delay(waitMs);
      if (this.#tells) {
        const options = { retryAfterMs: waitMs };
        throw new ProtocolError('RATE_LIMITED', 'You are sending too fast: wait a moment.', options);
      }
    }
  }

  remember(id: Uint8Array, to: string, completion: Promise<SendResult>): void {
    this.#sends.set(uuidKey(id), { to, completion });
    dropOldest(this.#sends, this.#limit);
  }

  /** A send that failed: sent again, it is tried again. */
  forget(id: Uint8Array, completion: Promise<SendResult>): void {
    const key = uuidKey(id);
    if (this.#sends.get(key)?.completion === completion) this.#sends.delete(key);
  }
}

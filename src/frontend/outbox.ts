import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError } from '../protocol/errors.ts';
import { TokenBucket } from './identity/token-buckets.ts';
import type { Limits } from './limits.ts';
import type { Sent } from './requests.ts';
import type { Waiter } from './tracker.ts';

interface Remembered {
  readonly to: string;
  readonly completion: Promise<Sent>;
}

/**
 * What a session has sent: how fast, and which ids lately. An id that comes again is answered as it was the first
 * time, without a second append. Bounded: above `rememberedSends` the oldest id is forgotten; sent again after that
 * it is stored again, and the recipient's client drops it.
 */
export class Outbox {
  /** Who wants to hear what became of the messages; null in a version that has no word for it. */
  readonly waiter: Waiter | null;
  readonly #limit: number;
  readonly #rate: TokenBucket;
  readonly #sends = new Map<string, Remembered>();

  readonly #tells: boolean;

  /** @param tells whether who sends too fast is told so, and when to try again; else its requests wait */
  constructor(limits: Limits, waiter: Waiter | null, tells: boolean) {
    this.waiter = waiter;
    this.#tells = tells;
    this.#limit = limits.rememberedSends;
    this.#rate = new TokenBucket({ burst: limits.sendBurst, perSecond: limits.sendsPerSecond });
  }

  /** The send that had this id, if it is under way or succeeded. @throws ProtocolError `BAD_REQUEST` */
  find(id: string, to: string): Promise<Sent> | undefined {
    const found = this.#sends.get(id);
    if (found !== undefined && found.to !== to) {
      throw new ProtocolError('BAD_REQUEST', 'That id belongs to a message to somebody else.');
    }
    return found?.completion;
  }

  /**
   * Resolves when there is room for one more send. A refusal takes as long as the room would have taken to come: who
   * does not wait when told to costs no more than who does.
   * @throws ProtocolError `RATE_LIMITED`
   */
  async pace(): Promise<void> {
    for (let waitMs = this.#rate.take(); waitMs > 0; waitMs = this.#rate.take()) {
      await delay(waitMs);
      if (this.#tells) {
        const options = { retryAfterMs: waitMs };
        throw new ProtocolError('RATE_LIMITED', 'You are sending too fast: wait a moment.', options);
      }
    }
  }

  /** A send that failed is forgotten: sent again, it is tried again. */
  remember(id: string, to: string, completion: Promise<Sent>): void {
    const entry = { to, completion };
    this.#sends.set(id, entry);
    completion.catch(() => {
      if (this.#sends.get(id) === entry) this.#sends.delete(id);
    });
    if (this.#sends.size <= this.#limit) return;
    const [oldest] = this.#sends.keys();
    if (oldest !== undefined) this.#sends.delete(oldest);
  }
}

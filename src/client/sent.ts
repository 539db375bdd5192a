import { ClientError } from './errors.ts';
import type { Entry } from './outbox.ts';
import { aborted, type Settle, withSignal } from './with-signal.ts';

/** Messages whose delivery is waited for: as many as the outbox waits for. Of one more the oldest is given up. */
const MAX_FOLLOWED = 2_000;

/** What became of a stored message; `unknown`: nobody can say (any more), or the client was closed before. */
export type Delivery = 'delivered' | 'undeliverable' | 'unknown';

/** A message that Kafka has. */
export interface SentMessage {
  /** 16 bytes in hex. */
  readonly id: string;
  /** A name, or a room with its `#`. */
  readonly to: string;
  /** When it was stored, by the server's clock, in milliseconds since the epoch; null: the answer was lost, and a later word of it came. */
  readonly acceptedAt: number | null;
  /** Whether somebody was logged in to the recipient's account then; null likewise. */
  readonly recipientLoggedIn: boolean | null;
  /** What becomes of it; of one to a room `unknown` at once: `rooms.holders` says who has it. Never rejects. */
  readonly delivered: Promise<Delivery>;
}

/** What the server said of a message when it took it. */
export interface Acceptance {
  readonly acceptedAt: number;
  readonly recipientLoggedIn: boolean | null;
}

/** Follows messages of the outbox, for those who have sent them. */
export class SentMessages {
  readonly #unanswered = new Map<string, Settle<SentMessage> & { readonly withdraw: () => boolean }>();
  readonly #undelivered = new Map<string, (delivery: Delivery) => void>();

  /**
   * Resolves when the message is stored.
   * @param withdraw takes it back; false: it may be stored
   * @throws ClientError `REFUSED`, `ABORTED`, `CLOSED`, `DISCONNECTED` when it was given up without an answer
   */
  follow({ id }: Entry, withdraw: () => boolean, signal?: AbortSignal): Promise<SentMessage> {
    let isWithdrawn = true;
    return withSignal<SentMessage>(signal, (settle) => {
      this.#unanswered.set(id, { ...settle, withdraw });
      return () => {
        this.#unanswered.delete(id);
        isWithdrawn = withdraw();
      };
    }).catch((error: unknown) => {
      throw signal?.aborted && !isWithdrawn ? aborted(signal, false) : error;
    });
  }

  /** A message is in another state. */
  changed({ id, to, state, receipt, mayBeStored }: Entry, acceptance?: Acceptance): void {
    switch (state.kind) {
      case 'on-its-way':
      case 'waiting':
        return;
      case 'stored':
        if (acceptance !== undefined) this.#stored(id, to, acceptance);
        // It is in a room, or the server knows nothing of its fate any more.
        if (receipt === null) this.#settle(id, 'unknown');
        return;
      case 'delivered':
      case 'undeliverable':
        // It may be known before the answer.
        this.#stored(id, to);
        this.#settle(id, state.kind);
        return;
      case 'refused': {
        const { reason, refusal } = state;
        // What was given up before it went out has no refusal.
        this.#failed(
          id,
          new ClientError(refusal ? 'REFUSED' : 'CLOSED', reason, { refusal, nothingSent: true }),
        );
        return;
      }
      case 'unsure': {
        const text = 'Given up without an answer: the message may be stored or not.';
        this.#failed(id, new ClientError('DISCONNECTED', text, { nothingSent: !mayBeStored }));
      }
    }
  }

  /** Nothing is heard any more. @param error why. @param withdraws whether what waits is taken back, and not sent by anybody later */
  close({ code, message, refusal }: ClientError, withdraws: boolean): void {
    for (const [id, { withdraw }] of this.#unanswered) {
      this.#failed(id, new ClientError(code, message, { refusal, nothingSent: withdraws && withdraw() }));
    }
    for (const id of this.#undelivered.keys()) this.#settle(id, 'unknown');
  }

  #stored(id: string, to: string, acceptance?: Acceptance): void {
    const settle = this.#unanswered.get(id);
    if (settle === undefined) return;
    this.#unanswered.delete(id);
    // Of a message that was sent before under the same id, whoever did so waits as well.
    const other = this.#undelivered.get(id);
    const delivered = new Promise<Delivery>((resolve) => {
      this.#undelivered.set(id, (delivery) => {
        other?.(delivery);
        resolve(delivery);
      });
    });
    for (const oldest of this.#undelivered.keys()) {
      if (this.#undelivered.size <= MAX_FOLLOWED) break;
      this.#settle(oldest, 'unknown');
    }
    const { acceptedAt = null, recipientLoggedIn = null } = acceptance ?? {};
    settle.resolve({ id, to, acceptedAt, recipientLoggedIn, delivered });
  }

  #settle(id: string, delivery: Delivery): void {
    this.#undelivered.get(id)?.(delivery);
    this.#undelivered.delete(id);
  }

  #failed(id: string, error: ClientError): void {
    this.#unanswered.get(id)?.reject(error);
    this.#unanswered.delete(id);
  }
}

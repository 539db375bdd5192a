import type { ProtocolErrorCode } from '../protocol/errors.ts';
import { ID_BYTES } from '../protocol/v2/fields.ts';
import type { ServerFrameOf } from '../protocol/v2/replies.ts';
import { MAX_BODY_BYTES, MAX_RECEIPTS, type RequestOf } from '../protocol/v2/requests.ts';
import { backoffMs, retryMs } from '../util/backoff.ts';
import type { ServerConnection } from './connection.ts';
import { brief, ClientError, retryHint } from './errors.ts';
import type { ClientEvent, ClientOptions } from './events.ts';
import { hasRooms } from './how-to-login.ts';
import { isRoom, parseRecipient } from './names.ts';
import { type Entry, Outbox } from './outbox.ts';
import type { Welcome } from './reconnector.ts';
import { refusalOf } from './replies.ts';
import { hex } from './seen.ts';

/**
 * Refusals that say "not now" about a message. With UNAVAILABLE and INTERNAL it may be stored, which its id makes
 * harmless to repeat; to call it refused could be untrue.
 */
const NOT_NOW: ReadonlySet<ProtocolErrorCode> = new Set(['RATE_LIMITED', 'BUSY', 'UNAVAILABLE', 'INTERNAL']);
/** Those of them after which it is surely not stored. */
const NOT_STORED: ReadonlySet<ProtocolErrorCode> = new Set(['RATE_LIMITED', 'BUSY']);
/** After so many faults in a row the message that meets them stands in the way no longer. */
const MAX_FAULTS = 5;
/** Refusals that say "not on this connection": the next login takes the message along. */
const NOT_HERE: ReadonlySet<ProtocolErrorCode> = new Set([
  'NOT_LOGGED_IN',
  'REPLACED',
  'INBOX_LOST',
  'SHUTTING_DOWN',
]);

const ID = /^[0-9a-f]{32}$/;

export interface NewMessage {
  readonly to: string;
  readonly body: string;
  /** Random unless it is given. */
  readonly id?: string | undefined;
  /** What the server of the last connection has said; null before the first. */
  readonly welcome?: Welcome | null;
}

/** Loads what makes it only here: that takes 10 ms, which who has an id already need not wait for. */
function randomId(): string {
  return process.getBuiltinModule('node:crypto').randomBytes(ID_BYTES).toString('hex');
}

/** Carries an account's outbox to the server over whatever connection there is, and finds out what became of it. */
export class OutboxSender {
  readonly #options: ClientOptions;
  readonly #tell: (event: ClientEvent) => void;
  readonly #outbox = new Outbox();
  #connection: ServerConnection | undefined;
  #retry: NodeJS.Timeout | undefined;
  #pauses = 0;
  #asking: NodeJS.Timeout | undefined;

  constructor(options: ClientOptions, tell: (event: ClientEvent) => void) {
    this.#options = options;
    this.#tell = tell;
  }

  /** How many messages have no answer yet. */
  get unanswered(): number {
    return this.#outbox.unanswered;
  }

  /** Takes a message into the outbox, connection or not, and sends what can be sent. @throws ClientError `INVALID`, `BUSY`; nothing was sent */
  add({ to, body, id = randomId(), welcome = null }: NewMessage): Entry {
    const maxBytes = welcome?.limits.bodyBytes ?? MAX_BODY_BYTES;
    if (typeof body !== 'string') throw new ClientError('INVALID', 'A message is text.');
    const bytes = Buffer.byteLength(body);
    if (bytes === 0) throw new ClientError('INVALID', 'The message is empty.');
    if (bytes > maxBytes) {
      throw new ClientError('INVALID', `That is too long: ${maxBytes} bytes are allowed.`);
    }
    if (!ID.test(id)) throw new ClientError('INVALID', 'That is no id: 16 bytes in hex.');
    if (this.#outbox.isUnanswered(id)) {
      throw new ClientError('INVALID', 'A message with this id is on its way already.');
    }
    const recipient = parseRecipient(to);
    if (isRoom(recipient) && welcome?.features.includes('rooms') === false) {
      throw new ClientError(
        'INVALID',
        'Nothing goes to rooms here: the server is too old, or `rooms` was not asked for.',
      );
    }
    const entry = this.#outbox.add(id, recipient, body.toWellFormed());
    if (entry === null) {
      throw new ClientError('BUSY', 'Too many messages wait to be sent already: this one was not taken.');
    }
    // Before it can go out: whoever keeps messages has it by now, and `pump` makes that durable.
    this.#tell({ type: 'entered', entry });
    this.pump();
    return entry;
  }

  /** As `Outbox.withdraw`. */
  withdraw(id: string): boolean {
    const isTaken = this.#outbox.withdraw(id);
    if (isTaken) this.pump();
    return isTaken;
  }

  /** What an earlier process left of the account; what goes to rooms waits for one that has them. */
  restore(entries: readonly Entry[]): void {
    const mine = hasRooms(this.#options) ? entries : entries.filter(({ to }) => !isRoom(to));
    this.#changed(this.#outbox.restore(mine));
  }

  /** Logged in to the account on this connection. */
  begin(connection: ServerConnection): void {
    this.#connection = connection;
    this.#changed(this.#outbox.begin());
    this.pump();
    void this.#askForFates(connection, 0);
  }

  /** The connection or the login is gone. */
  interrupt(): void {
    this.#connection = undefined;
    clearTimeout(this.#retry);
    clearTimeout(this.#asking);
    this.#retry = undefined;
    this.#pauses = 0;
    this.#changed(this.#outbox.interrupt());
  }

  /** Another account, or none, from now on. */
  abandon(reason: string): void {
    this.interrupt();
    this.#changed(this.#outbox.abandon(reason));
  }

  /** A send was answered, in time or late. */
  answered(request: RequestOf<'send'>, reply: ServerFrameOf<'sent' | 'failure'>): void {
    const id = hex(request.id);
    if (reply.type === 'sent') {
      this.#pauses = 0;
      const { acceptedAt, receipt, recipientLoggedIn } = reply;
      for (const entry of this.#outbox.accepted(id, receipt)) {
        this.#tell({ type: 'outgoing', entry, acceptedAt, recipientLoggedIn });
      }
    } else if (NOT_NOW.has(reply.code)) {
      this.#hold(id, reply);
    } else if (NOT_HERE.has(reply.code)) {
      this.#outbox.putBack(id);
      this.interrupt();
    } else {
      const reason = `${brief(reply.message)}${retryHint(reply.retryAfterMs)}`;
      this.#changed(this.#outbox.refused(id, reason, refusalOf(reply).refusal));
    }
    this.pump();
  }

  delivered({ ids, undeliverable = [] }: ServerFrameOf<'delivered'>): void {
    this.#changed(this.#outbox.settled(ids.map(hex), 'delivered'));
    this.#changed(this.#outbox.settled(undeliverable.map(hex), 'undeliverable'));
    this.pump();
  }

  #hold(id: string, failure: ServerFrameOf<'failure'>): void {
    const { code, message, retryAfterMs, stored } = failure;
    if (code === 'INTERNAL' && this.#pauses >= MAX_FAULTS) {
      this.#pauses = 0;
      this.#changed(this.#outbox.giveUp(id));
      return;
    }
    this.#changed(this.#outbox.pause(id, !NOT_STORED.has(code) && stored !== false));
    // Several were on their way: one wait is for all of them.
    if (this.#retry !== undefined) return;
    const retryInMs = retryMs(this.#pauses, this.#options.held, retryAfterMs);
    const again = this.#pauses > 0;
    this.#pauses += 1;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#changed(this.#outbox.resume());
      this.pump();
    }, retryInMs);
    const refusal = { code, retryAfterMs, stored };
    this.#tell({ type: 'held', id, reason: brief(message), refusal, retryInMs, again });
  }

  /**
   * Sends what can be sent now. What goes out is on the disk before, as sent: a process that is killed in between never
   * leaves a message that the server has and the next process knows nothing of.
   */
  pump(): void {
    const connection = this.#connection;
    if (connection === undefined || connection.hasEnded) return;
    const taken = this.#outbox.take();
    const { store } = this.#options;
    if (store !== undefined && taken.length > 0) {
      this.#changed(taken.filter(({ isNews }) => isNews));
      store.commit();
    }
    for (const entry of taken) {
      const id = Buffer.from(entry.id, 'hex');
      const request = { type: 'send', id, to: entry.to, body: entry.body } as const;
      connection.ask(request).catch((error: unknown) => this.#failed(connection, entry, error));
    }
  }

  /** Answers have come through `answered` already; the end of the connection comes through `interrupt`. */
  #failed(connection: ServerConnection, entry: Entry, error: unknown): void {
    if (!(error instanceof ClientError)) throw error;
    if (connection !== this.#connection) return;
    if (error.code === 'TIMEOUT') {
      const changed = this.#outbox.unheard(entry.id);
      this.#changed(changed);
      if (changed.length > 0) this.#tell({ type: 'unheard', entry, reason: error.message });
    } else if (error.code === 'BUSY') {
      // Goes out after the next answer: there are some to come, or the connection would not be busy.
      this.#outbox.putBack(entry.id);
    } else if (error.code === 'INVALID') {
      this.#changed(this.#outbox.refused(entry.id, error.message));
      this.pump();
    }
  }

  /** Asks what became of messages that earlier connections have sent, until it is known of all. */
  async #askForFates(connection: ServerConnection, round: number): Promise<void> {
    try {
      const asked = this.#outbox.toAskFor(MAX_RECEIPTS);
      if (asked.length === 0) return;
      const { fates } = await connection.ask({
        type: 'receipts',
        receipts: asked.map(({ receipt }) => receipt),
      });
      if (connection !== this.#connection) return;
      const ids = asked.map(({ id }) => id);
      this.#changed(this.#outbox.told(ids, fates));
      if (this.#outbox.toAskFor(1).length === 0) return;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (connection !== this.#connection) return;
    }
    this.#asking = setTimeout(
      () => void this.#askForFates(connection, round + 1),
      backoffMs(round, this.#options.fates),
    );
  }

  #changed(entries: readonly Entry[]): void {
    for (const entry of entries) this.#tell({ type: 'outgoing', entry });
  }
}

import type { LossReason } from './inboxes.ts';

/**
 * What can go wrong behind the two doors of the engine, one code per meaning. The frontend turns a code
 * into the protocol's words; it never looks at Kafka's own errors.
 *
 * - `USERNAME_TAKEN`: create; somebody has that name.
 * - `INVITE_USED`: create; as many accounts as the invite allows exist already.
 * - `NO_SUCH_USER`: the account is gone, and its inbox topic with it.
 * - `NO_INBOX`: the account is there, but its topic is gone, or another one has its name; `Accounts.mend` makes that good.
 *   After an append nothing counts as stored.
 * - `ROOM_TAKEN`: create; there is a room of that name.
 * - `NO_SUCH_ROOM`: the room is gone, or its topic is.
 * - `TOPIC_NOT_ALLOWED`: no room may be a window on that topic, or there is none, or none that can be read.
 * - `BAD_FILTER`, `BAD_TEMPLATE`: of a window; `place` says where in the text.
 * - `ALREADY_LOGGED_IN`: open; another session holds the inbox.
 * - `BUSY`: a bounded queue is full or a race took too long; nothing was done, try again.
 * - `UNAVAILABLE`: Kafka did not answer in time. After an append the message *may* have been stored.
 * - `REFUSED`: Kafka does not let us do it, and will not before its operator changes something; nothing was done.
 * - `LOST`: this inbox's lease is gone, `loss` says why where that is known; the session must end.
 * - `MAILBOX_FULL`: append; the inbox, or this sender's share of it, is full; nothing was stored.
 * - `TOO_LARGE`: the record is larger than a batch of ours may be; nothing was stored.
 */
export type EngineErrorCode =
  | 'USERNAME_TAKEN'
  | 'INVITE_USED'
  | 'NO_SUCH_USER'
  | 'NO_INBOX'
  | 'ROOM_TAKEN'
  | 'NO_SUCH_ROOM'
  | 'TOPIC_NOT_ALLOWED'
  | 'BAD_FILTER'
  | 'BAD_TEMPLATE'
  | 'ALREADY_LOGGED_IN'
  | 'BUSY'
  | 'UNAVAILABLE'
  | 'REFUSED'
  | 'LOST'
  | 'MAILBOX_FULL'
  | 'TOO_LARGE';

/** A place in a text; both count from 1, columns in UTF-16 units. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/**
 * The only error that leaves `src/storage/`. `message` is a sentence for the log, not for the user; of a window it says what is wrong
 * with what the user wrote.
 */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  readonly loss: LossReason | undefined;
  readonly place: TextPlace | undefined;

  constructor(
    code: EngineErrorCode,
    message: string,
    options: { cause?: unknown; loss?: LossReason | undefined; place?: TextPlace } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.loss = options.loss;
    this.place = options.place;
  }
}

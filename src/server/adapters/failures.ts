import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { EngineError, type EngineErrorCode } from '../../core/errors.ts';
import type { LossReason } from '../../core/inboxes.ts';
import { ProtocolError, type ProtocolErrorCode } from '../../protocol/errors.ts';

/** The engine's words in the protocol's: the only place that knows both. */
const CODES: Record<EngineErrorCode, ProtocolErrorCode> = {
  USERNAME_TAKEN: 'USERNAME_TAKEN',
  INVITE_USED: 'REGISTRATION_CLOSED',
  NO_SUCH_USER: 'NO_SUCH_USER',
  NO_INBOX: 'UNAVAILABLE',
  ROOM_TAKEN: 'ROOM_TAKEN',
  NO_SUCH_ROOM: 'NO_SUCH_ROOM',
  TOPIC_NOT_ALLOWED: 'TOPIC_NOT_ALLOWED',
  BAD_FILTER: 'BAD_FILTER',
  BAD_TEMPLATE: 'BAD_TEMPLATE',
  ALREADY_LOGGED_IN: 'ALREADY_LOGGED_IN',
  BUSY: 'BUSY',
  UNAVAILABLE: 'UNAVAILABLE',
  REFUSED: 'UNAVAILABLE',
  LOST: 'REPLACED',
  MAILBOX_FULL: 'MAILBOX_FULL',
  TOO_LARGE: 'TOO_LARGE',
};

const NO_INBOX = 'The inbox was deleted or replaced in Kafka. Log in again: that makes it anew.';

/**
 * What a failed handler tells the client: its own ProtocolError as it is, the engine's in the protocol's words,
 * and anything else, a fault of ours, as INTERNAL with a reference that is in the log as well.
 * @param whose for the log
 */
export function toProtocolError(error: unknown, log: Logger, whose: { peer?: string } = {}): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof EngineError && error.code === 'REFUSED') {
    const reference = referenceOf();
    log.error({ ...whose, reference, reason: error.message }, 'a request failed: Kafka refused it');
    const text = `The message store refuses that: tell who runs the server. Reference: ${reference}`;
    return new ProtocolError('UNAVAILABLE', text, { cause: error, isUndone: true });
  }
  if (error instanceof EngineError) {
    log.debug({ ...whose, code: error.code, reason: error.message }, 'request refused by the engine');
    const code = error.loss === 'lost' ? 'INBOX_LOST' : CODES[error.code];
    return new ProtocolError(code, sentenceFor(error), { cause: error, place: error.place });
  }
  const reference = referenceOf();
  log.error({ ...whose, err: error, reference }, 'a request failed for a reason nobody expected');
  return new ProtocolError('INTERNAL', `Something went wrong in the server. Reference: ${reference}`, {
    cause: error,
  });
}

/** Codes whose sentence says what is wrong with what the person has written. */
const OF_WINDOWS: ReadonlySet<EngineErrorCode> = new Set(['TOPIC_NOT_ALLOWED', 'BAD_FILTER', 'BAD_TEMPLATE']);

function sentenceFor({ code, message }: EngineError): string | undefined {
  if (OF_WINDOWS.has(code)) return message;
  return code === 'NO_INBOX' ? NO_INBOX : undefined;
}

function referenceOf(): string {
  return randomBytes(4).toString('hex');
}

/** The last words to somebody whose inbox was lost. */
export function lossError(reason: LossReason): ProtocolError {
  switch (reason) {
    case 'fenced':
      return new ProtocolError('REPLACED', 'Your login has ended: the account was logged in to elsewhere.');
    case 'lost':
      return new ProtocolError('INBOX_LOST');
    case 'changed':
      return new ProtocolError(
        'UNAVAILABLE',
        'Your login has ended: the message store lost a part of your inbox. Log in again for the rest.',
      );
    case 'deleted':
      return new ProtocolError('NO_SUCH_USER', 'Your login has ended: the account was removed.');
    case 'no inbox':
      return new ProtocolError('UNAVAILABLE', `Your login has ended. ${NO_INBOX}`);
  }
}

/** The last words to somebody who still listens after ending in the middle of a frame. */
export function cutShortError(): ProtocolError {
  return new ProtocolError('BAD_FRAME', 'The connection ended within a frame.', { fatal: true });
}

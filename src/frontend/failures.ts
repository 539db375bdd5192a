import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { EngineError, type EngineErrorCode } from '../kafka/errors.ts';
import { ProtocolError, type ProtocolErrorCode } from '../protocol/errors.ts';

/** The engine's words in the protocol's: the only place that knows both. */
const CODES: Record<EngineErrorCode, ProtocolErrorCode> = {
  USERNAME_TAKEN: 'USERNAME_TAKEN',
  NO_SUCH_USER: 'NO_SUCH_USER',
  ALREADY_LOGGED_IN: 'ALREADY_LOGGED_IN',
  BUSY: 'BUSY',
  UNAVAILABLE: 'UNAVAILABLE',
  LOST: 'REPLACED',
  TOO_LARGE: 'TOO_LARGE',
};

/**
 * What a failed handler tells the client: its own ProtocolError as it is, the engine's in the protocol's words,
 * and anything else, a fault of ours, as INTERNAL with a reference that is in the log as well.
 */
export function toProtocolError(error: unknown, log: Logger): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof EngineError) {
    log.debug({ code: error.code, reason: error.message }, 'request refused by the engine');
    return new ProtocolError(CODES[error.code], undefined, { cause: error });
  }
  const reference = randomBytes(4).toString('hex');
  log.error({ err: error, reference }, 'a request failed for a reason nobody expected');
  return new ProtocolError('INTERNAL', `Something went wrong in the server. Reference: ${reference}`, {
    cause: error,
  });
}

/*
 * retrieve → retrieved {messages}: the undelivered messages that were not pushed, oldest first, as many as fit
 * into one reply. They count as delivered once the reply has gone out.
 * Failures: UNAVAILABLE, REPLACED (the inbox was lost meanwhile).
 */
import type { Result } from '../requests.ts';
import type { Caller, Seat, Services } from './context.ts';

/** @throws EngineError */
export async function retrieve(services: Services, caller: Caller, seat: Seat): Promise<Result> {
  const { retrieveBytes, retrieveMessages } = services.limits;
  const messages = await seat.inbox.read({ maxBytes: retrieveBytes, maxMessages: retrieveMessages });
  return { type: 'retrieved', messages: messages.slice(0, caller.version.fitRetrieved(messages)) };
}

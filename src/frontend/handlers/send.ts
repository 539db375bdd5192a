/*
 * send {id, to, body} → sent {accepted, recipient logged in}: stores one message in the recipient's inbox. Confirmed
 * only after Kafka has it. An id that was sent lately is answered as it was then.
 * Failures: NO_SUCH_USER, BLOCKED, MAILBOX_FULL, RATE_LIMITED, BUSY, TOO_LARGE, BAD_REQUEST (the id was used for
 * somebody else; nothing was stored); UNAVAILABLE (it may have been).
 */
import type { Account } from '../../kafka/accounts.ts';
import { EngineError } from '../../kafka/errors.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { SendRequest, Sent } from '../requests.ts';
import type { Seat, Services } from './context.ts';

/** A send that has its place in the recipient's inbox; the next one of the session may be admitted. */
export interface Admitted {
  readonly completion: Promise<Sent>;
}

/**
 * Two steps, so that a session's sends can overlap in Kafka and keep their order: nothing else of the session is
 * carried out until this resolves, and whatever goes wrong later is in `completion`.
 * @throws ProtocolError, EngineError
 */
export async function admitSend(services: Services, seat: Seat, request: SendRequest): Promise<Admitted> {
  const sentBefore = seat.outbox.find(request.id, request.to);
  if (sentBefore !== undefined) return { completion: sentBefore };
  await seat.outbox.pace();
  const to = await findRecipient(services, request.to);
  if (to.blocked.includes(seat.account.name)) throw new ProtocolError('BLOCKED');
  const completion = store(services, seat, to, request);
  seat.outbox.remember(request.id, request.to, completion);
  return { completion };
}

async function findRecipient(services: Services, name: string): Promise<Account> {
  const account = services.accounts.get(name) ?? (await services.accounts.find(name));
  if (account === undefined) throw new ProtocolError('NO_SUCH_USER', `There is no user called ${name}.`);
  return account;
}

async function store(services: Services, seat: Seat, to: Account, request: SendRequest): Promise<Sent> {
  const { id, body, contentType } = request;
  const message = { id, from: seat.account, body, ...(contentType !== null && { contentType }) };
  const appending = services.inboxes.append(to, message);
  const asking = services.presence.isLoggedIn(to);
  const accepted = await explained(appending);
  const { waiter } = seat.outbox;
  if (waiter !== null) services.tracker.track(waiter, id, to, accepted.offset);
  return { type: 'sent', id, from: seat.account, to, accepted, recipientLoggedIn: await asking };
}

/** A send without an answer is the one failure after which trying again may repeat the message: say so. */
async function explained<Value>(appending: Promise<Value>): Promise<Value> {
  try {
    return await appending;
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'UNAVAILABLE') throw error;
    throw new ProtocolError(
      'UNAVAILABLE',
      'The message store did not answer: your message may have been stored or not.',
      { cause: error },
    );
  }
}

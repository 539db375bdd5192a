/*
 * send {to, body} → sent {delivered or queued}: stores one message in the recipient's inbox. Confirmed only after
 * Kafka has it.
 * Failures: NO_SUCH_USER, BUSY, TOO_LARGE (nothing was stored); UNAVAILABLE (it may have been).
 */
import { randomUUID } from 'node:crypto';
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
  const to = await findRecipient(services, request.to);
  return { completion: store(services, seat.account, to, request.body) };
}

async function findRecipient(services: Services, name: string): Promise<Account> {
  const account = services.accounts.get(name) ?? (await services.accounts.find(name));
  if (account === undefined) throw new ProtocolError('NO_SUCH_USER', `There is no user called ${name}.`);
  return account;
}

async function store(services: Services, from: Account, to: Account, body: string): Promise<Sent> {
  const appending = services.inboxes.append(to, { id: randomUUID(), from, body });
  const asking = services.presence.isLoggedIn(to);
  const accepted = await explained(appending);
  return { type: 'sent', to, accepted, recipientLoggedIn: await asking };
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

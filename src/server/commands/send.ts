/*
 * send {id, to, body} → sent {accepted, recipient logged in}: stores one message in the recipient's inbox. Confirmed
 * only after Kafka has it. An id that was sent lately is answered as it was then.
 * To a room (`#name`) the same, by who is in it.
 * Failures: NO_SUCH_USER, NO_SUCH_ROOM, NOT_A_MEMBER, READ_ONLY (a room that shows a topic), BLOCKED, MAILBOX_FULL, RATE_LIMITED, BUSY, TOO_LARGE, BAD_REQUEST (the id was used for
 * somebody else; nothing was stored); UNAVAILABLE (it may have been, unless the failure says that it was not).
 */
import type { Account } from '../../core/accounts.ts';
import { EngineError } from '../../core/errors.ts';
import type { Accepted, OutgoingMessage } from '../../core/inboxes.ts';
import type { Life, Room } from '../../core/rooms.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { isRoom } from '../../protocol/names.ts';
import type { Principal, Services } from './context.ts';
import { askedMember } from './rooms/asked.ts';

export interface SendRequest {
  readonly type: 'send';
  /** 16 bytes, the same for each attempt at the same message. */
  readonly id: Uint8Array;
  readonly to: string;
  /** Not empty. */
  readonly body: Uint8Array;
  /** Media type of the body. */
  readonly contentType: string;
}

export interface SendResult {
  readonly type: 'sent';
  readonly id: Uint8Array;
  readonly from: Account;
  readonly to: Account | Room;
  readonly accepted: Accepted;
  /** Whether the recipient was logged in anywhere, as far as could be learned in time. */
  readonly recipientLoggedIn: boolean;
}

/** A send that has its place in the recipient's inbox; the next one of the session may be admitted. */
export interface Admitted {
  readonly completion: Promise<SendResult>;
}

/**
 * Two steps, so that a session's sends can overlap in Kafka and keep their order: nothing else of the session is
 * carried out until this has returned or resolved, and whatever goes wrong later is in `completion`. A promise only
 * where something has to be waited for: this is what a frontend does most.
 * @throws ProtocolError, EngineError
 */
export function admitSend(
  services: Services,
  principal: Principal,
  request: SendRequest,
): Admitted | Promise<Admitted> {
  const sentBefore = principal.sends.find(request.id, request.to);
  if (sentBefore !== undefined) return { completion: sentBefore };
  if (isRoom(request.to)) return admitToRoom(services, principal, request);
  const room = principal.sends.pace();
  const to = services.accounts.get(request.to);
  if (room === null && to !== undefined) return admit(services, principal, to, request);
  return admitLater(services, principal, room, request);
}

async function admitLater(
  services: Services,
  principal: Principal,
  room: Promise<void> | null,
  request: SendRequest,
): Promise<Admitted> {
  await room;
  const to = await services.accounts.find(request.to);
  if (to === undefined) throw new ProtocolError('NO_SUCH_USER', `There is no user called ${request.to}.`);
  return admit(services, principal, to, request);
}

function admit(services: Services, principal: Principal, to: Account, request: SendRequest): Admitted {
  if (to.blocked.includes(principal.account.name)) throw new ProtocolError('BLOCKED');
  const completion = store(services, principal, to, request);
  principal.sends.remember(request.id, request.to, completion);
  return { completion };
}

function store(
  services: Services,
  principal: Principal,
  to: Account,
  request: SendRequest,
): Promise<SendResult> {
  const { id, body, contentType } = request;
  const { sends, account: from } = principal;
  const copyFrom = copyFromOf(services, principal, to);
  const appending = services.inboxes.append(to, { id, from, body, contentType, copyFrom });
  // Asked now and not afterwards, so that both take as long as the slower one; but behind the message, whose recipient waits.
  const asking = services.presence.isHere(to) ? null : services.presence.isLoggedIn(to);
  const accept = (accepted: Accepted): SendResult | Promise<SendResult> => {
    if (sends.waiter !== null) services.deliveryReceipts.track(sends.waiter, id, to, accepted);
    const sent: SendResult = { type: 'sent', id, from, to, accepted, recipientLoggedIn: true };
    return asking === null ? sent : asking.then((recipientLoggedIn) => ({ ...sent, recipientLoggedIn }));
  };
  const completion = appending.then(accept, (error) => {
    sends.forget(id, completion);
    throw explained(error, to);
  });
  return completion;
}

/** Whoever has several devices is shown on the others what one of them sent. */
function copyFromOf(
  { accounts }: Services,
  { account, inbox }: Principal,
  to: Account,
): OutgoingMessage['copyFrom'] {
  // A message to oneself comes to all of them anyway.
  if (inbox === null || to.name === account.name) return undefined;
  // As it is now: the others may have come since this one logged in.
  const { devices = [] } = accounts.get(account.name) ?? account;
  return devices.length > 0 ? { device: inbox.device } : undefined;
}

async function admitToRoom(
  services: Services,
  principal: Principal,
  request: SendRequest,
): Promise<Admitted> {
  // To who has not announced them there are none.
  if (!principal.features.has('rooms')) throw new ProtocolError('INVALID_USERNAME');
  await principal.sends.pace();
  const { room } = await askedMember(services, principal, request.to);
  if (room.window !== undefined) throw new ProtocolError('READ_ONLY');
  const { id, body, contentType } = request;
  const { account: from, sends } = principal;
  const completion = services.rooms.append(room, { id, from, body, contentType }).then(
    (accepted): SendResult => ({ type: 'sent', id, from, to: room, accepted, recipientLoggedIn: false }),
    (error) => {
      sends.forget(id, completion);
      throw explained(error, room);
    },
  );
  sends.remember(id, request.to, completion);
  return { completion };
}

/** A send without an answer is the one failure after which trying again may repeat the message: say so. */
function explained(error: unknown, to: Life): unknown {
  if (!(error instanceof EngineError)) return error;
  if (error.code === 'NO_INBOX') {
    const text = `The inbox of ${to.name} was deleted or replaced in Kafka, and takes messages again once ${to.name} has logged in.`;
    return new ProtocolError('UNAVAILABLE', text, { cause: error, isUndone: true });
  }
  if (error.code !== 'UNAVAILABLE') return error;
  return new ProtocolError(
    'UNAVAILABLE',
    'The message store did not answer: your message may have been stored or not.',
    { cause: error },
  );
}

import type { ProtocolErrorCode } from '../protocol/errors.ts';
import type { Message, ServerFrame, ServerFrameOf } from '../protocol/v2/replies.ts';
import {
  MAX_PAGE,
  REPLY_TYPES,
  REQUEST_OPCODES,
  type ReplyTypes,
  type Request,
  type RequestOf,
} from '../protocol/v2/requests.ts';
import { MAX_MEMBERS_PAGE, MAX_ROOMS_PAGE } from '../protocol/v2/rooms.ts';
import { brief, ClientError } from './errors.ts';
import { hex } from './seen.ts';

/** Why a server refuses. */
export type RefusalCode = ProtocolErrorCode;
export type { Message };

/** Requests that have a reply. */
export type RequestType = Exclude<Request['type'], 'ack'>;
export type ReplyTo<Type extends RequestType> = ServerFrameOf<ReplyTypes[Type]>;

const PUSHES: ReadonlySet<ServerFrame['type']> = new Set([
  'message',
  'delivered',
  'gap',
  'notice',
  'sent-elsewhere',
  'read-elsewhere',
  'ping',
  'goodbye',
]);

/** The type of the success reply to a request; null where there is none. */
export function replyTypeOf(request: Request): ServerFrame['type'] | null {
  return REPLY_TYPES[request.type];
}

/** Whether a frame takes the turn of the oldest unanswered request (undefined: there is none). */
export function answers(frame: ServerFrame, oldest: Request | undefined): boolean {
  if (PUSHES.has(frame.type)) return false;
  // An ack has no reply: its failure takes no request's turn.
  return !(frame.type === 'failure' && (oldest === undefined || frame.request === REQUEST_OPCODES.ack));
}

/**
 * Whether the server may let the request wait for minutes, so that no answer is no sign that it is dead: after wrong
 * passwords, be they of others behind the same address.
 */
export function mayWait(request: Request): boolean {
  return request.type === 'login' && request.password !== undefined;
}

/** The server's refusal as an error. */
export function refusalOf(failure: ServerFrameOf<'failure'>): ClientError {
  const { code, message, retryAfterMs, undelivered, stored } = failure;
  return new ClientError('REFUSED', brief(message), {
    refusal: { code, retryAfterMs, undelivered, stored },
  });
}

/**
 * What is wrong with a reply of the right type; undefined if nothing is. A server that mixes up its answers, or gives
 * more than was asked for, is not one to be believed.
 */
export function contradiction(request: Request, reply: ServerFrame): string | undefined {
  if (reply.type === 'sent' && request.type === 'send' && hex(reply.id) !== hex(request.id)) {
    return 'the answer is for another message';
  }
  if (reply.type === 'created' || reply.type === 'logged-in') {
    const isOther = 'username' in request && request.username?.toLowerCase() !== reply.username;
    if (isOther) return 'the login is of another account';
    const onlySends = 'deliver' in request && request.deliver === 'none';
    const isWhole =
      reply.inbox !== undefined &&
      reply.token !== undefined &&
      reply.tokenExpiresAt !== undefined &&
      reply.undelivered !== undefined;
    return isWhole || onlySends ? undefined : 'the login is without a token, or what waits';
  }
  if (reply.type === 'listed' && request.type === 'list') return wrongPage(request, reply.names);
  if (reply.type === 'rooms-listed' && request.type === 'rooms') {
    return wrongPage(
      { limit: MAX_ROOMS_PAGE, ...request },
      reply.rooms.map(({ room }) => room),
    );
  }
  if (reply.type === 'members-listed' && request.type === 'members') {
    return wrongPage({ limit: MAX_MEMBERS_PAGE, ...request }, reply.members);
  }
  if ('room' in request && 'room' in reply && request.room?.toLowerCase() !== reply.room) {
    return 'the answer is for another room';
  }
  if (reply.type === 'retrieved' && request.type === 'retrieve') {
    const { limit = MAX_PAGE } = request;
    return reply.messages.length > limit ? 'more messages than were asked for' : undefined;
  }
  if (reply.type === 'status' && request.type === 'status') {
    const asked = new Set(request.names.map((name) => name.toLowerCase()));
    return reply.loggedIn.every((name) => asked.has(name)) ? undefined : 'names that nobody asked for';
  }
  if (reply.type === 'fates' && request.type === 'receipts') {
    return reply.fates.length === request.receipts.length ? undefined : 'another number of fates';
  }
  return undefined;
}

/** Pages come in byte order, each behind the one before: otherwise a list would have no end. */
function wrongPage(
  { after, limit = MAX_PAGE }: Pick<RequestOf<'list'>, 'after' | 'limit'>,
  names: readonly string[],
): string | undefined {
  if (names.length > limit) return 'more names than were asked for';
  let last = after?.toLowerCase();
  for (const name of names) {
    // Names are ASCII: their order is that of their bytes.
    if (last !== undefined && name <= last) return 'names out of order';
    last = name;
  }
  return undefined;
}

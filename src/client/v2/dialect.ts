import { v2 } from '../../protocol/v2/codec.ts';
import type { ServerFrame, ServerFrameOf } from '../../protocol/v2/replies.ts';
import {
  MAX_PAGE,
  REPLY_TYPES,
  REQUEST_OPCODES,
  type ReplyTypes,
  type Request,
  type RequestOf,
} from '../../protocol/v2/requests.ts';
import type { Connection } from '../connection.ts';
import type { Dialect } from '../dialect.ts';
import { brief } from '../errors.ts';
import { hex } from './seen.ts';

type Answered = Exclude<Request['type'], 'ack'>;
type ReplyTo<Type extends Answered> = ServerFrameOf<ReplyTypes[Type]>;

const PUSHES: ReadonlySet<ServerFrame['type']> = new Set(['message', 'delivered', 'ping', 'goodbye']);

export const dialect2: Dialect<Request, ServerFrame> = {
  codec: v2,
  replies: REPLY_TYPES,
  greeting: { type: 'hello', client: 'milena-terminal' },
  beginsSession: ({ type }) => type === 'created' || type === 'logged-in',
  answers: (frame, oldest) => {
    if (PUSHES.has(frame.type)) return false;
    // An ack has no reply: its failure takes no request's turn.
    return !(frame.type === 'failure' && (oldest === undefined || frame.request === REQUEST_OPCODES.ack));
  },
  // After wrong passwords, be they of others behind the same address.
  mayWait: (request) => request.type === 'login' && request.password !== undefined,
  contradiction,
  failure: (frame) => {
    if (frame.type !== 'failure') return undefined;
    const { code, message, retryAfterMs, undelivered, stored } = frame;
    return { text: brief(message), refusal: { code, retryAfterMs, undelivered, stored } };
  },
};

/** A server that mixes up its answers, or gives more than was asked for, is not one to be believed. */
function contradiction(request: Request, reply: ServerFrame): string | undefined {
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
  { after, limit = MAX_PAGE }: RequestOf<'list'>,
  names: readonly string[],
): string | undefined {
  if (names.length > limit) return 'more names than were asked for';
  let last = after?.toLowerCase();
  for (const name of names) {
    // Usernames are ASCII: their order is that of their bytes.
    if (last !== undefined && name <= last) return 'names out of order';
    last = name;
  }
  return undefined;
}

export type Connection2 = Connection<Request, ServerFrame>;

/** A request and its reply, whose type the connection has checked. @throws ClientError any code but `OFFLINE` */
export async function ask<Type extends Answered>(
  connection: Connection2,
  request: RequestOf<Type> & { readonly type: Type },
): Promise<ReplyTo<Type>> {
  return (await connection.request(request)) as ReplyTo<Type>;
}

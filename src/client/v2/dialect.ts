import { OPCODE } from '../../protocol/opcodes.ts';
import { v2 } from '../../protocol/v2/codec.ts';
import type { ServerFrame, ServerFrameOf } from '../../protocol/v2/replies.ts';
import type { Request, RequestOf } from '../../protocol/v2/requests.ts';
import type { Connection } from '../connection.ts';
import type { Dialect } from '../dialect.ts';

const REPLIES = {
  hello: 'welcome',
  create: 'created',
  login: 'logged-in',
  logout: 'logged-out',
  delete: 'deleted',
  list: 'listed',
  retrieve: 'retrieved',
  send: 'sent',
  ack: null,
  status: 'status',
  ping: 'pong',
  password: 'password-changed',
  receipts: 'fates',
  block: 'blocked',
} as const satisfies Record<Request['type'], ServerFrame['type'] | null>;

type Answered = Exclude<Request['type'], 'ack'>;
type ReplyTo<Type extends Answered> = ServerFrameOf<(typeof REPLIES)[Type]>;

const PUSHES: ReadonlySet<ServerFrame['type']> = new Set(['message', 'delivered', 'ping', 'goodbye']);

export const dialect2: Dialect<Request, ServerFrame> = {
  codec: v2,
  replies: REPLIES,
  greeting: { type: 'hello', client: 'milena-terminal' },
  beginsSession: ({ type }) => type === 'created' || type === 'logged-in',
  answers: (frame, oldest) => {
    if (PUSHES.has(frame.type)) return false;
    // An ack has no reply: its failure takes no request's turn.
    return !(frame.type === 'failure' && (oldest === undefined || frame.request === OPCODE.ACK));
  },
  failure: (frame) => {
    if (frame.type !== 'failure') return undefined;
    const { code, message, retryAfterMs, undelivered } = frame;
    return { text: message, refusal: { code, retryAfterMs, undelivered } };
  },
};

export type Connection2 = Connection<Request, ServerFrame>;

/** A request and its reply, whose type the connection has checked. @throws ClientError any code but `OFFLINE` */
export async function ask<Type extends Answered>(
  connection: Connection2,
  request: RequestOf<Type> & { readonly type: Type },
): Promise<ReplyTo<Type>> {
  return (await connection.request(request)) as ReplyTo<Type>;
}

import type { InboxMessage, LossReason } from '../kafka/inboxes.ts';
import type { ProtocolError } from '../protocol/errors.ts';
import type { OffsetRange } from './delivery.ts';
import type { Seat } from './handlers/context.ts';
import type { Admitted } from './handlers/send.ts';
import type { ReplySlot } from './reply-queue.ts';
import type { Request, Result, Sent } from './requests.ts';
import type { Version } from './versions.ts';

/** A request and the place of its reply. */
export interface Turn {
  readonly request: Request;
  readonly version: Version;
  readonly slot: ReplySlot;
  started: boolean;
}

/** Everything that happens to a session comes as one of these, through one queue. */
export type SessionEvent =
  /** The connection has frames, has room, or has ended. */
  | { readonly type: 'connection' }
  /** A deadline of the connection has passed. */
  | { readonly type: 'expired'; readonly error: ProtocolError }
  /** A send has its place in the recipient's inbox … */
  | { readonly type: 'admitted'; readonly turn: Turn; readonly admitted: Admitted }
  /** … and later it is stored, or not. */
  | { readonly type: 'sent'; readonly turn: Turn; readonly sent: Sent }
  | { readonly type: 'send failed'; readonly turn: Turn; readonly error: unknown }
  /** The request whose turn it was is carried out, or not. */
  | { readonly type: 'done'; readonly turn: Turn; readonly result: Result }
  | { readonly type: 'failed'; readonly turn: Turn; readonly error: unknown }
  /** The inbox speaks. */
  | { readonly type: 'message'; readonly message: InboxMessage }
  | { readonly type: 'lost'; readonly reason: LossReason }
  /** The network took messages of this seat. */
  | { readonly type: 'flushed'; readonly seat: Seat; readonly range: OffsetRange }
  | { readonly type: 'shutdown' }
  /** The inbox is given back. */
  | { readonly type: 'left' };

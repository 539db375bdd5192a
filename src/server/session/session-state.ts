import type { InboxMessage, LossReason, OffsetRange } from '../../core/inboxes.ts';
import type { InboxNote } from '../../core/notes.ts';
import type { ProtocolError } from '../../protocol/errors.ts';
import type { Result } from '../commands/command.ts';
import type { Admitted, SendResult } from '../commands/send.ts';
import type { ActiveSession } from './active-session.ts';
import type { PendingRequest } from './reply-queue.ts';

/** Everything a session can be. */
export type State =
  | { readonly name: 'anonymous' }
  /** A create or login is under way; the inbox may already speak. */
  | {
      readonly name: 'entering';
      readonly early: (InboxMessage | InboxNote)[];
      trouble: LossReason | 'too much' | null;
    }
  | { readonly name: 'loggedIn'; readonly active: ActiveSession }
  /** The account is being removed, so the loss of its inbox is no surprise. */
  | { readonly name: 'deleting'; readonly active: ActiveSession; loss: LossReason | null }
  /** The inbox is given back, the last words are written. */
  | { readonly name: 'leaving' }
  | { readonly name: 'closed' };

type StateName = State['name'];

/** Where each state may go. Anything else is a fault of ours. */
const TRANSITIONS: Readonly<Record<StateName, readonly StateName[]>> = {
  anonymous: ['entering', 'leaving'],
  entering: ['anonymous', 'loggedIn'],
  loggedIn: ['deleting', 'leaving'],
  deleting: ['loggedIn', 'leaving'],
  leaving: ['closed'],
  closed: [],
};

/** @throws Error for a transition that is not in the table */
export function demandTransition(from: State, to: State): void {
  if (!TRANSITIONS[from.name].includes(to.name)) {
    throw new Error(`a session cannot go from ${from.name} to ${to.name}`);
  }
}

/** Everything that happens to a session comes as one of these, through one queue. */
export type SessionEvent =
  /** The connection has frames, or has ended. */
  | { readonly type: 'connection' }
  /** It has room again. */
  | { readonly type: 'writable' }
  /** The session is to end: a deadline has passed, the client is silent for too long, the frontend shuts down. */
  | { readonly type: 'over'; readonly farewell: ProtocolError }
  /** A send has its place in the recipient's inbox … */
  | { readonly type: 'admitted'; readonly pending: PendingRequest; readonly admitted: Admitted }
  /** … and later it is stored, or not. */
  | { readonly type: 'sent'; readonly pending: PendingRequest; readonly sent: SendResult }
  | { readonly type: 'send failed'; readonly pending: PendingRequest; readonly error: unknown }
  /** The request is carried out, or not. */
  | { readonly type: 'done'; readonly pending: PendingRequest; readonly result: Result }
  | { readonly type: 'failed'; readonly pending: PendingRequest; readonly error: unknown }
  /** The inbox speaks. */
  | { readonly type: 'message'; readonly message: InboxMessage | InboxNote }
  | { readonly type: 'lost'; readonly reason: LossReason }
  /** The network took messages of this login. */
  | { readonly type: 'flushed'; readonly active: ActiveSession; readonly range: OffsetRange }
  /** Something that concerns a room that somebody is in. */
  | { readonly type: 'rooms'; readonly active: ActiveSession; readonly act: () => void }
  /** The recipients of messages that this session sent have spoken, or are gone. */
  | {
      readonly type: 'receipts';
      readonly delivered: readonly Uint8Array[];
      readonly undeliverable: readonly Uint8Array[];
    }
  /** The inbox is given back. */
  | { readonly type: 'left' };

/** Hands out events one after the other: what one of them brings about comes behind it, never within it. */
export class EventQueue {
  readonly #handle: (event: SessionEvent) => void;
  /**
   * Empty but for what one event brings about while it is handled. Its sources are bounded themselves: the inbox
   * is paused when the connection is full, requests are taken one at a time.
   */
  readonly #events: SessionEvent[] = [];
  #isHandling = false;

  /** @param handle must not throw */
  constructor(handle: (event: SessionEvent) => void) {
    this.#handle = handle;
  }

  /** A function of its own: whatever makes events is given it. */
  readonly push = (event: SessionEvent): void => {
    if (this.#isHandling) {
      this.#events.push(event);
      return;
    }
    this.#isHandling = true;
    for (let next: SessionEvent | undefined = event; next !== undefined; next = this.#events.shift())
      this.#handle(next);
    this.#isHandling = false;
  };
}

import type { Account } from '../../core/accounts.ts';
import type { Inbox, OffsetRange } from '../../core/inboxes.ts';
import type { Note } from '../../core/notes.ts';
import type { Life } from '../../core/rooms.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Feature } from '../../protocol/v2/features.ts';
import { uuidKey } from '../../util/uuid.ts';
import type { Version } from '../adapters/version.ts';
import type { Principal, Services } from '../commands/context.ts';
import type { LoginResult } from '../commands/entry.ts';
import { giveBack } from '../commands/logout.ts';
import type { SendOnlyLogin } from '../commands/senders.ts';
import { LoginGrounds } from '../identity/login-grounds.ts';
import type { Connection } from '../net/connection.ts';
import { Keepalive } from '../net/keepalive.ts';
import type { Waiter } from '../receipts/delivery-receipts.ts';
import { InboxDelivery } from './delivery.ts';
import { ReadMarks } from './read-marks.ts';
import { RoomDeliveries } from './room-deliveries.ts';
import { SendDedupe } from './send-dedupe.ts';
import type { SessionEvent } from './session-state.ts';

/**
 * What a login brings with it: whose it is, its messages' way to the client, word of what became of those it sent, and an
 * ear for a client that is gone without a word.
 */
export class ActiveSession implements Principal {
  readonly account: Account;
  readonly inbox: Inbox | null;
  readonly sends: SendDedupe;
  readonly features: ReadonlySet<Feature>;
  /** Null of a login that only sends. */
  readonly delivery: InboxDelivery | null;
  /** Null where the client has announced none. */
  readonly rooms: RoomDeliveries | null;
  readonly #services: Services;
  readonly #connection: Connection;
  readonly #version: Version;
  readonly #dispatch: (event: SessionEvent) => void;
  readonly #waiter: Waiter;
  /** Null of a login that holds the inbox. */
  readonly #sender: SendOnlyLogin | null;
  readonly #grounds: LoginGrounds;
  #keepalive: Keepalive | null = null;
  #marks: ReadMarks | null = null;

  constructor(
    services: Services,
    connection: Connection,
    version: Version,
    { account, passwordId, held, features }: LoginResult,
    dispatch: (event: SessionEvent) => void,
  ) {
    this.#services = services;
    this.#connection = connection;
    this.#version = version;
    this.#dispatch = dispatch;
    const { limits, senders } = services;
    this.#waiter = {
      account: uuidKey(account.incarnation),
      settled: (delivered, undeliverable) => dispatch({ type: 'receipts', delivered, undeliverable }),
    };
    const over = (farewell: ProtocolError) => dispatch({ type: 'over', farewell });
    this.#sender = held === null ? senders.enter(account.name, over) : null;
    const grounds = { account, passwordId, device: held?.inbox.device, hasInbox: held !== null };
    this.#grounds = new LoginGrounds(services.accounts, grounds, over);
    const waiter = version.deliveredBy === 'client' ? this.#waiter : null;
    this.account = account;
    this.inbox = held?.inbox ?? null;
    this.sends = new SendDedupe(limits, waiter, version.resumes, this.#sender?.rate);
    const flushed = (range: OffsetRange) => dispatch({ type: 'flushed', active: this, range });
    const { window } = limits;
    this.delivery = held && new InboxDelivery(held.inbox, connection, { version, window, flushed });
    this.features = features;
    const inTurn = (act: () => void) => dispatch({ type: 'rooms', active: this, act });
    this.rooms =
      held !== null && features.has('rooms')
        ? new RoomDeliveries({
            ...{ services, inbox: held.inbox, connection, version, inTurn },
            windows: features.has('windows'),
          })
        : null;
    // Who only sends is not there for others: nothing would reach them.
    if (held !== null) services.presence.entered(this);
  }

  /** The login is answered: what is said in rooms may come, and the client is asked for signs of life. */
  begin(): void {
    this.rooms?.begin();
    this.#keepAlive();
  }

  /** Lets rest what the client is behind with, and goes on with it when there is room. */
  balance(): void {
    this.delivery?.balance();
    this.rooms?.balance();
  }

  /** Takes the client for dead when it is silent for too long, in a version whose clients answer. */
  #keepAlive(): void {
    const { ping } = this.#version;
    if (ping === null) return;
    const { pingAfterMs, closeAfterMs } = this.#services.limits;
    this.#keepalive = new Keepalive({
      pingAfterMs,
      closeAfterMs,
      heardAt: () => this.#connection.heardAt,
      ping: () => this.#connection.write(ping),
      dead: () => this.#dispatch({ type: 'over', farewell: new ProtocolError('TIMEOUT') }),
    });
  }

  /** The client says that it has these. What it was not given does not count. @throws ProtocolError `NOT_A_MEMBER` */
  acknowledge(ranges: readonly OffsetRange[], room?: Life): void {
    if (room !== undefined) {
      if (this.rooms === null) throw new ProtocolError('NOT_A_MEMBER');
      this.rooms.acknowledge(room, ranges);
    } else this.delivered(this.delivery?.acknowledge(ranges) ?? []);
  }

  /**
   * These count as delivered: for Kafka, and for those who sent them through this frontend. Where somebody else may hold
   * the inbox by now, they are told only of what is committed.
   */
  delivered(ranges: readonly OffsetRange[]): void {
    const { account, inbox } = this;
    const known: OffsetRange[] = [];
    for (const range of ranges) {
      if (inbox?.acknowledge(range.first, range.last) === true) known.push(range);
      this.delivery?.counted(range);
    }
    if (inbox !== null) this.#services.deliveryReceipts.acknowledged(account, known, inbox);
  }

  markRead(conversation: string, upTo: number): void {
    this.#marks ??= new ReadMarks((note) => this.#note(note));
    this.#marks.mark(conversation, upTo);
  }

  #note(note: Note): void {
    const { inboxes, log } = this.#services;
    inboxes.note(this.account, this.inbox?.device, note).catch((error: unknown) => {
      log.debug({ err: error, user: this.account.name }, 'what was read is not known elsewhere');
    });
  }

  setsPassword(credential: string): void {
    this.#grounds.sets(credential);
  }

  /** The client has asked for something. */
  asked(): void {
    this.#sender?.used();
  }

  /** Tells the client what became of messages it sent. */
  tell(delivered: readonly Uint8Array[], undeliverable: readonly Uint8Array[]): void {
    const frame = this.#version.encodeDelivered(delivered, undeliverable);
    if (frame !== null) this.#connection.write(frame);
  }

  /** Something goes out to the client now: what is known of its messages goes along. */
  tellAlong(): void {
    this.#services.deliveryReceipts.tellNow(this.#waiter);
  }

  /** Nothing more is pushed, and nobody waits for anything any more. @returns settles when the inbox is given back */
  end(): Promise<void> {
    this.delivery?.stop();
    this.rooms?.end();
    this.#grounds.close();
    this.#sender?.leave();
    this.#keepalive?.stop();
    this.#marks?.close();
    const { deliveryReceipts, presence } = this.#services;
    deliveryReceipts.forget(this.#waiter);
    const { account, inbox } = this;
    // After a logout or a deletion the inbox is given back already, and closing it again does nothing.
    const left = inbox === null ? Promise.resolve() : giveBack(this.#services, { account, inbox });
    presence.leaving(this, left);
    return left;
  }
}

import { ProtocolError } from '../protocol/errors.ts';
import type { Message, ServerFrame } from '../protocol/v2/replies.ts';
import { Acks } from './acks.ts';
import type { ServerConnection } from './connection.ts';
import { ClientError } from './errors.ts';
import type { ClientEvent } from './events.ts';
import type { Identity } from './identity.ts';
import { hex, messageKey, Seen } from './seen.ts';
import type { MessageStore } from './store.ts';

/**
 * Messages that may wait to be shown. A server keeps to a window far below it; one that sends more is given up, since
 * whoever shows them would drown.
 */
const MAX_OPEN = 20_000;
/** So many shown messages are acknowledged at once, without waiting for more. */
const ACK_AT_ONCE = 200;

/** Takes messages once each and acknowledges what was shown. */
export class Receiver {
  readonly #ackDelayMs: number;
  readonly #store: MessageStore | undefined;
  readonly #seen = new Seen();
  readonly #acks: Acks;
  /** Of what was taken and not shown: where it lies, by its key, and where its copies do, which are acknowledged with it. */
  readonly #unshown = new Map<string, number>();
  readonly #copies = new Map<number, { readonly key: string; readonly seqs: Set<number> }>();
  #inbox: string | undefined;
  #connection: ServerConnection | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param comesAll whether sessions have `deliver: all` */
  constructor(ackDelayMs: number, store?: MessageStore, comesAll = true) {
    this.#ackDelayMs = ackDelayMs;
    this.#acks = new Acks(comesAll);
    this.#store = store;
  }

  begin(connection: ServerConnection, { inbox }: Identity): void {
    if (inbox === this.#inbox) this.#acks.renewed();
    else {
      this.#acks.clear();
      this.#unshown.clear();
      this.#copies.clear();
    }
    this.#inbox = inbox;
    this.#connection = connection;
  }

  interrupt(): void {
    this.#connection = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Whether the message is to be shown; one that was shown already, by this process or an earlier one, is acknowledged
   * again instead, since its acknowledgement was lost, or its sender has sent it again. What was taken and not shown yet is not:
   * its sender would take it for delivered.
   * @throws ProtocolError for more than a server may send
   */
  take(message: Message): boolean {
    if (this.#inbox === undefined) throw new ProtocolError('BAD_FRAME', 'a message without a login');
    if (this.#acks.open >= MAX_OPEN) throw new ProtocolError('BAD_FRAME', `more than ${MAX_OPEN} messages`);
    const key = messageKey(this.#inbox, message);
    const isNew = this.#seen.add(key) && !this.#store?.hasSeen(key);
    const { seq } = message;
    if (!isNew && this.#acks.isOpen(seq)) return false;
    this.#acks.received(seq);
    const first = this.#unshown.get(key);
    if (isNew) {
      this.#unshown.set(key, seq);
      this.#copies.set(seq, { key, seqs: new Set() });
    } else if (first === undefined) this.shown(this.#inbox, seq);
    else this.#copies.get(first)?.seqs.add(seq);
    return isNew;
  }

  /** Tells what another device of the account has done, and acknowledges that. @returns false for any other push */
  noted(frame: ServerFrame, tell: (event: ClientEvent) => void): boolean {
    if (frame.type !== 'sent-elsewhere' && frame.type !== 'read-elsewhere') return false;
    if (this.#inbox === undefined) throw new ProtocolError('BAD_FRAME', 'a note without a login');
    const { seq, device = null } = frame;
    this.#acks.received(seq);
    if (frame.type === 'read-elsewhere') {
      tell({ type: frame.type, conversation: frame.conversation, upTo: frame.upTo, device });
    } else {
      const { to, body, sentAt, contentType } = frame;
      const [id, toIncarnation] = [hex(frame.id), hex(frame.toIncarnation)];
      tell({ type: frame.type, id, to, toIncarnation, body, sentAt, contentType, device });
    }
    this.shown(this.#inbox, seq);
    return true;
  }

  /** Whether a message was taken and waits to be shown. */
  isOpen(seq: number): boolean {
    return this.#copies.has(seq);
  }

  /** A message was shown. */
  shown(inbox: string, seq: number): void {
    if (inbox !== this.#inbox) return;
    this.#acks.shown(seq);
    const copies = this.#copies.get(seq);
    if (copies !== undefined) {
      this.#copies.delete(seq);
      this.#unshown.delete(copies.key);
      for (const copy of copies.seqs) this.#acks.shown(copy);
    }
    if (this.#connection === undefined) return;
    if (this.#acks.waiting >= ACK_AT_ONCE) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#ackDelayMs);
  }

  /** Acknowledges now what was shown. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const connection = this.#connection;
    if (connection === undefined || connection.hasEnded) return;
    for (let ack = this.#acks.take(); ack !== null; ack = this.#acks.take()) {
      try {
        connection.tell({ type: 'ack', ...ack });
      } catch (error) {
        // The connection has just ended: what is not acknowledged comes again.
        if (!(error instanceof ClientError)) throw error;
        return;
      }
    }
  }
}

import { ProtocolError } from '../protocol/errors.ts';
import type { Message, ServerFrame } from '../protocol/v2/replies.ts';
import { sameUuid } from '../util/uuid.ts';
import type { ServerConnection } from './connection.ts';
import { ClientError } from './errors.ts';
import type { ClientEvent, ClientOptions } from './events.ts';
import type { Identity } from './identity.ts';
import { ReceivedLog } from './received-log.ts';
import { hex, messageKey, Seen } from './seen.ts';

/**
 * Messages that may wait to be shown, of one log and of all: somebody may be in 200 rooms. A server keeps to a window for each, far
 * below it; one that sends more is given up, since whoever shows them would drown.
 */
const MAX_OPEN = 20_000;
const MAX_OPEN_IN_ALL = 100_000;
/** Logs of which something was received; with one more, a room of which nothing waits is forgotten, or the server given up. */
const MAX_LOGS = 1_000;
/** Messages of all rooms together that are remembered; as `Seen` has it. */
const MAX_SEEN_IN_ROOMS = 50_000;
/** So many shown messages are acknowledged at once, without waiting for more. */
const ACK_AT_ONCE = 200;

/** Where a message lies: in a life of a room, or in the inbox. */
type Place = Pick<Message, 'seq' | 'room' | 'roomIncarnation'>;

/** Takes messages once each and acknowledges what was shown. */
export class Receiver {
  readonly #options: Pick<ClientOptions, 'ackDelayMs' | 'store' | 'deliver'>;
  readonly #tell: (event: ClientEvent) => void;
  readonly #seen = new Seen();
  readonly #seenInRooms = new Seen(MAX_SEEN_IN_ROOMS);
  /** By room; undefined: the inbox. Bounded: see `MAX_LOGS`. */
  readonly #logs = new Map<string | undefined, ReceivedLog>();
  #inbox: string | undefined;
  #connection: ServerConnection | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    options: Pick<ClientOptions, 'ackDelayMs' | 'store' | 'deliver'>,
    tell: (event: ClientEvent) => void,
  ) {
    this.#options = options;
    this.#tell = tell;
  }

  begin(connection: ServerConnection, { inbox }: Identity): void {
    if (inbox !== this.#inbox) this.#logs.clear();
    for (const log of this.#logs.values()) log.renewed();
    this.#inbox = inbox;
    this.#connection = connection;
  }

  interrupt(): void {
    this.#connection = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Tells what the server has pushed. @returns false: it is nothing that one receives. @throws ProtocolError */
  pushed(frame: ServerFrame): boolean {
    switch (frame.type) {
      case 'message':
        this.#receive(frame, true);
        return true;
      case 'gap':
        this.#tell({ type: 'gap', room: frame.room, messages: frame.messages });
        return true;
      case 'notice': {
        const { room, text, records = null, partition = null, offset = null } = frame;
        this.#tell({ type: frame.type, room, text, records, partition, offset });
        return true;
      }
      case 'sent-elsewhere': {
        const { to, body, sentAt, contentType, device = null } = frame;
        const [id, toIncarnation] = [hex(frame.id), hex(frame.toIncarnation)];
        this.#pass(frame.seq);
        this.#tell({ type: frame.type, id, to, toIncarnation, body, sentAt, contentType, device });
        return true;
      }
      case 'read-elsewhere': {
        const { conversation, upTo, device = null } = frame;
        this.#pass(frame.seq);
        this.#tell({ type: frame.type, conversation, upTo, device });
        return true;
      }
      default:
        return false;
    }
  }

  /** Tells what is new of messages that were asked for. @returns those that wait to be shown. @throws ProtocolError */
  retrieved(messages: readonly Message[]): readonly Message[] {
    return messages.filter(
      (message) => this.#receive(message, false) || this.#logs.get(message.room)?.isOpen(message.seq),
    );
  }

  /** A message was shown. */
  shown(inbox: string, { seq, room, roomIncarnation }: Place): void {
    const log = inbox === this.#inbox ? this.#logs.get(room) : undefined;
    // The same place in a later life of the room is another message.
    if (log === undefined || !isSameRoom(log.roomIncarnation, roomIncarnation)) return;
    log.shown(seq);
    if (this.#connection === undefined) return;
    if (log.waiting >= ACK_AT_ONCE) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#options.ackDelayMs);
  }

  /** The account is not in the room any more: nothing of it is acknowledged. */
  left(room: string): void {
    this.#logs.delete(room);
  }

  /** Acknowledges now what was shown. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const connection = this.#connection;
    if (connection === undefined || connection.hasEnded) return;
    for (const [room, log] of this.#logs) {
      for (let ack = log.nextAck(); ack !== null; ack = log.nextAck()) {
        try {
          const { roomIncarnation } = log;
          connection.tell({ type: 'ack', ...ack, ...(room !== undefined && { room, roomIncarnation }) });
        } catch (error) {
          // The connection has just ended: what is not acknowledged comes again.
          if (!(error instanceof ClientError)) throw error;
          return;
        }
      }
    }
  }

  /**
   * Tells a message if it is to be shown; one that was shown already, by this process or an earlier one, is acknowledged
   * again instead, since its acknowledgement was lost, or its sender has sent it again. What was taken and not shown yet is not:
   * its sender would take it for delivered.
   * @returns whether it was told. @throws ProtocolError for more than a server may send
   */
  #receive(message: Message, isPushed: boolean): boolean {
    const inbox = this.#demandInbox();
    const { seq, room, roomIncarnation } = message;
    if ((room === undefined) !== (roomIncarnation === undefined))
      throw new ProtocolError('BAD_FRAME', 'a message of a room without its incarnation');
    const log = this.#log(message, !message.verified && message.partition !== undefined);
    if (log.open >= MAX_OPEN || (room !== undefined && this.#open >= MAX_OPEN_IN_ALL)) {
      throw new ProtocolError('BAD_FRAME', 'more messages than may wait to be shown');
    }
    const key = messageKey(inbox, message);
    const seen = room === undefined ? this.#seen : this.#seenInRooms;
    const isNew = seen.add(key) && !this.#options.store?.hasSeen(key);
    if (!log.take(seq, key, isNew)) this.shown(inbox, message);
    if (isNew) this.#tell({ type: 'message', message, inbox, isPushed });
    return isNew;
  }

  /** How many messages wait to be shown, of all logs. */
  get #open(): number {
    let open = 0;
    for (const log of this.#logs.values()) open += log.open;
    return open;
  }

  /** What nobody has to show is acknowledged as it comes. */
  #pass(seq: number): void {
    const inbox = this.#demandInbox();
    this.#log({ seq }).passed(seq);
    this.shown(inbox, { seq });
  }

  /** @throws ProtocolError */
  #demandInbox(): string {
    if (this.#connection === undefined || this.#inbox === undefined)
      throw new ProtocolError('BAD_FRAME', 'a message without a login');
    return this.#inbox;
  }

  /**
   * @param isWindow of a topic with partitions, of which none waits for another
   * @throws ProtocolError where there are more than a server may have
   */
  #log({ room, roomIncarnation }: Place, isWindow = false): ReceivedLog {
    let log = this.#logs.get(room);
    if (log !== undefined && isSameRoom(log.roomIncarnation, roomIncarnation)) return log;
    if (log === undefined && this.#logs.size >= MAX_LOGS) this.#forgetRoom();
    // Of rooms nothing waits to be retrieved.
    const comesAll = room !== undefined || (this.#options.deliver ?? 'all') === 'all';
    log = new ReceivedLog(comesAll && !isWindow, roomIncarnation);
    this.#logs.set(room, log);
    return log;
  }

  #forgetRoom(): void {
    for (const [room, { open, waiting }] of this.#logs) {
      if (room === undefined || open > 0 || waiting > 0) continue;
      this.#logs.delete(room);
      return;
    }
    throw new ProtocolError('BAD_FRAME', `messages of more than ${MAX_LOGS} rooms`);
  }
}

function isSameRoom(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : sameUuid(one, other);
}

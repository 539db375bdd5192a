import { randomUUID } from 'node:crypto';
import { type Account, isSameLife } from '../../core/accounts.ts';
import { EngineError } from '../../core/errors.ts';
import {
  type Accepted,
  type InboxMessage,
  type LossReason,
  type OutgoingMessage,
  PLAIN_TEXT,
} from '../../core/inboxes.ts';
import { MemberIndex } from '../../core/member-index.ts';
import type { Note } from '../../core/notes.ts';
import type { Life, Membership, Room } from '../../core/rooms.ts';
import { SortedNames } from '../../core/sorted-names.ts';
import type { StoredToken } from '../../core/storage.ts';
import { newUuid } from '../../util/uuid.ts';
import { Watchers } from '../../util/watchers.ts';
import { Mailbox, type MailboxEntry, MEMORY_LIMITS, type MemoryLimits } from './mailbox.ts';
import { RoomLog } from './room-log.ts';

/** Larger ones are refused as Kafka's inboxes refuse them (`max.message.bytes`), with what a record has beside its body. */
const MAX_MESSAGE_BYTES = 131_072;
/** Bytes that a message takes beside its body: 630 of V8's heap, measured with 200,000 of them, and some of malloc's. */
const MESSAGE_OVERHEAD = 768;
/** Of all that is kept so much may be of rooms: past that the oldest goes, which is no loss but a retention that is shorter. */
const ROOM_SHARE = 0.25;

/**
 * What the storages of one process share: accounts, messages and tokens, until it ends. Messages have a bound in bytes; the number of
 * accounts is the server's to bound, which says how many may be made.
 */
export class MemoryStore {
  readonly accounts = new Map<string, Account>();
  readonly accountWatchers = new Watchers<[]>();
  /** Of all accounts. */
  readonly names = new SortedNames();
  /** By the id that an account has as that of its topic. */
  readonly mailboxes = new Map<string, Mailbox>();
  /** By `deviceKey`, with the life that each belongs to. */
  readonly tokens = new Map<string, { readonly incarnation: Uint8Array; readonly token: StoredToken }>();
  readonly rooms = new Map<string, Room>();
  /** By the id that a room has as that of its topic. */
  readonly roomLogs = new Map<string, RoomLog>();
  /** Of all rooms, without their `#`. */
  readonly roomNames = new SortedNames();
  /** By the name of the room, a slash, and that of the person. */
  readonly members = new Map<string, Membership>();
  readonly memberIndex = new MemberIndex();
  readonly #limits: MemoryLimits;
  #bytes = 0;
  /** Of what was said in rooms, and the rooms that keep something, the one in which something was said last at the end. */
  #roomBytes = 0;
  readonly #spoken = new Set<RoomLog>();

  constructor(limits: MemoryLimits = MEMORY_LIMITS) {
    this.#limits = limits;
  }

  /** A new account, or a change of one. */
  putAccount(account: Account): void {
    this.accounts.set(account.name, account);
    this.names.add(account.name);
    this.accountWatchers.tell(account.name);
  }

  /** With its messages and its token. */
  removeAccount({ name, topicId }: Account): void {
    this.accounts.delete(name);
    this.names.delete(name);
    for (const key of this.tokens.keys())
      if (key === name || key.startsWith(`${name}.`)) this.tokens.delete(key);
    this.removeMailbox(topicId, 'deleted');
    this.accountWatchers.tell(name);
  }

  /** @returns the id of a new one */
  newMailbox(): string {
    const id = randomUUID();
    this.mailboxes.set(id, new Mailbox(this.#limits.mailbox));
    return id;
  }

  removeMailbox(id: string, why: LossReason): void {
    const mailbox = this.mailboxes.get(id);
    if (mailbox === undefined) return;
    this.mailboxes.delete(id);
    for (const message of mailbox.messages()) this.#bytes -= sizeOf(message);
    for (const holder of [...mailbox.holders.values()]) holder.lose(why);
  }

  /** This life of an account, as it is now. @throws EngineError `NO_SUCH_USER` */
  demandAccount(account: Account): Account {
    const current = this.accounts.get(account.name);
    if (isSameLife(current, account)) return current;
    throw new EngineError('NO_SUCH_USER', `${account.name} is gone or has another life`);
  }

  /** @throws EngineError `NO_SUCH_USER`, `NO_INBOX` */
  demandMailbox(account: Account): Mailbox {
    const mailbox = this.mailboxes.get(this.demandAccount(account).topicId);
    if (mailbox === undefined) throw new EngineError('NO_INBOX', `the inbox of ${account.name} is gone`);
    return mailbox;
  }

  /** @throws EngineError `NO_SUCH_USER`, `NO_INBOX`, `MAILBOX_FULL`, `TOO_LARGE` */
  append(to: Account, message: OutgoingMessage): Accepted {
    const { offset, acceptedAt } = this.#put(to, message);
    const { from, copyFrom, id, body, contentType } = message;
    const { name } = from;
    if (copyFrom !== undefined) {
      const { name: recipient, incarnation: toIncarnation } = to;
      const note = { kind: 'sent', id, to: recipient, toIncarnation, body, contentType } as const;
      // As on Kafka: what cannot be told to others is stored all the same.
      if (this.mailboxes.has(from.topicId)) this.note(from, copyFrom.device, note);
    }
    this.mailboxes.get(this.accounts.get(name)?.topicId ?? '')?.wroteTo(to);
    return { offset, acceptedAt, epoch: 0 };
  }

  /** @throws EngineError as `append` */
  note(owner: Account, device: string | undefined, note: Note): void {
    const content =
      note.kind === 'sent' ? note : { id: newUuid(), body: new Uint8Array(), contentType: PLAIN_TEXT };
    const { id, body, contentType } = content;
    // It is kept for longer than what it is a part of.
    const kept =
      note.kind === 'sent' ? { ...note, id: new Uint8Array(id), body: new Uint8Array(body) } : note;
    this.#put(owner, { id, body, contentType, from: owner }, { device, note: kept });
  }

  #put(
    to: Account,
    { id, from, body, contentType }: OutgoingMessage,
    note?: MailboxEntry['note'],
  ): MailboxEntry {
    const mailbox = this.demandMailbox(to);
    const size = sizeOf({ body });
    if (size > MAX_MESSAGE_BYTES) throw new EngineError('TOO_LARGE', `${body.length} bytes`);
    mailbox.demandRoom(from);
    if (this.#bytes + size > this.#limits.maxBytes)
      for (const message of mailbox.shed()) this.#bytes -= sizeOf(message);
    if (this.#bytes + size > this.#limits.maxBytes)
      throw new EngineError('MAILBOX_FULL', `${this.#bytes} bytes are kept, which is all there may be`);
    this.#bytes += size;
    return mailbox.put({ ...copied({ id, from, body, contentType }), ...(note !== undefined && { note }) });
  }

  /** A new room, or a change of one. */
  putRoom(room: Room): void {
    const { name, topicId, retentionMs } = room;
    const isNew = !isSameLife(this.rooms.get(name), room);
    this.rooms.set(name, room);
    this.roomNames.add(name.slice(1));
    const log = this.roomLogs.get(topicId);
    if (log === undefined) this.roomLogs.set(topicId, new RoomLog(retentionMs, this.#dropped));
    else log.retentionMs = retentionMs;
    if (isNew) this.#roomChanged(room);
  }

  /** With what was said in it. */
  removeRoom(room: Room): void {
    const { name, topicId } = room;
    this.rooms.delete(name);
    this.roomNames.delete(name.slice(1));
    const log = this.roomLogs.get(topicId);
    this.roomLogs.delete(topicId);
    if (log !== undefined) this.#spoken.delete(log);
    while (log?.dropOldest());
    this.#roomChanged(room);
  }

  #roomChanged(room: Room): void {
    this.memberIndex.roomChanged(room, (name) => this.members.get(`${room.name}/${name}`));
  }

  /** What is said in this life of a room, if it is there. */
  logOf(room: Life): RoomLog | undefined {
    const current = this.rooms.get(room.name);
    return isSameLife(current, room) ? this.roomLogs.get(current.topicId) : undefined;
  }

  /** This life of a room, and its log. @throws EngineError `NO_SUCH_ROOM` */
  demandRoom(room: Room): { readonly current: Room; readonly log: RoomLog } {
    const current = this.rooms.get(room.name);
    const log = this.roomLogs.get(room.topicId);
    if (isSameLife(current, room) && log !== undefined) return { current, log };
    throw new EngineError('NO_SUCH_ROOM', `${room.name} is gone or has another life`);
  }

  /** @throws EngineError `NO_SUCH_ROOM`, `TOO_LARGE` */
  say(to: Room, { id, from, body, contentType }: OutgoingMessage): Accepted {
    const { log } = this.demandRoom(to);
    const size = sizeOf({ body });
    if (size > MAX_MESSAGE_BYTES) throw new EngineError('TOO_LARGE', `${body.length} bytes`);
    this.#makeRoom(log, size);
    const { offset, acceptedAt } = log.append(copied({ id, from, body, contentType }));
    return { offset, acceptedAt, epoch: 0 };
  }

  /** What goes is the oldest of whichever keeps more: the room in which something is said, or the one that is silent for longest. */
  #makeRoom(log: RoomLog, size: number): void {
    this.#bytes += size;
    this.#roomBytes += size;
    this.#spoken.delete(log);
    while (this.#roomBytes > this.#limits.maxBytes * ROOM_SHARE) {
      const [silent = log] = this.#spoken;
      const fuller = silent.size > log.size ? silent : log;
      if (!fuller.dropOldest()) break;
      if (fuller.size === 0) this.#spoken.delete(fuller);
    }
    this.#spoken.add(log);
  }

  readonly #dropped = (message: InboxMessage): void => {
    this.#roomBytes -= sizeOf(message);
    this.#bytes -= sizeOf(message);
  };

  /** A device of an inbox's owner has these messages. */
  acknowledge(mailbox: Mailbox, device: string | undefined, first: number, last: number): void {
    for (const message of mailbox.acknowledge(device, first, last)) this.#bytes -= sizeOf(message);
  }

  /** A device of an inbox's owner is none any more. */
  forget(account: Account, device: string | undefined): void {
    const mailbox = this.mailboxes.get(account.topicId);
    for (const message of mailbox?.forget(device) ?? []) this.#bytes -= sizeOf(message);
    for (const name of this.memberIndex.rooms(account, 'member')) {
      const room = this.rooms.get(name);
      if (room !== undefined) this.logOf(room)?.forgetDevice(account, device);
    }
  }
}

/** What is given is a part of what came in from the network, all of which would be kept with it. */
function copied({ id, from, body, contentType }: OutgoingMessage) {
  const { name, incarnation } = from;
  return {
    id: new Uint8Array(id),
    from: { kind: 'user', name, incarnation } as const,
    body: Buffer.from(new Uint8Array(body).buffer),
    contentType,
  };
}

function sizeOf({ body }: Pick<InboxMessage, 'body'>): number {
  return body.length + MESSAGE_OVERHEAD;
}

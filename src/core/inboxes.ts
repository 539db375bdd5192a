import type { Account } from './accounts.ts';
import type { DeviceState } from './devices.ts';
import type { InboxNote, Note } from './notes.ts';
import type { FollowedRoom, Room, RoomListener } from './rooms.ts';
import type { RecordPlace } from './windows.ts';

/** A message on its way into an inbox. */
export interface OutgoingMessage {
  /** 16 bytes, made by the client or frontend; the recipient's client drops a repeated (sender incarnation, id). */
  readonly id: Uint8Array;
  readonly from: Account;
  /** Not empty. */
  readonly body: Uint8Array;
  /** Media type of the body. */
  readonly contentType: string;
  /** Set where the sender's other devices are to hear of it by a note: the one that it was sent with. */
  readonly copyFrom?: { readonly device: string | undefined } | undefined;
}

/** Media type of what is only a text, in UTF-8. */
export const PLAIN_TEXT = 'text/plain; charset=utf-8';

/** Kafka's word that a message is stored (`acks=all`). */
export interface Accepted {
  /** Offset in the inbox topic; below 2^53. */
  readonly offset: number;
  /** Kafka's append time, milliseconds since the epoch. */
  readonly acceptedAt: number;
  /** Leader epoch of the partition when it was sent; -1 where that may have changed meanwhile. */
  readonly epoch: number;
}

/**
 * Who wrote a message: a user, vouched for by a frontend's signature, or any other Kafka producer (`external`), whose
 * name is only what it says.
 */
export type Sender =
  | { readonly kind: 'user'; readonly name: string; readonly incarnation: Uint8Array }
  | { readonly kind: 'external'; readonly name: string };

/** A message out of an inbox. */
export interface InboxMessage {
  readonly offset: number;
  /** 16 bytes; null where an external producer gave none, or another kind of id. */
  readonly id: Uint8Array | null;
  readonly from: Sender;
  /** A view of what was fetched: to be copied where it is to stay. Of an external producer it may be anything. */
  readonly body: Uint8Array;
  /** Media type of the body, as the sender gave it; null where an external producer gave none. */
  readonly contentType: string | null;
  /** Kafka's append time, milliseconds since the epoch. */
  readonly acceptedAt: number;
  /** Set of a record that a window shows, whose `offset` is as `seqOf` has it, and whose sender is called as the topic is. */
  readonly record?: ShownRecord | undefined;
}

/** Where a record lies that a window shows. */
export interface ShownRecord extends RecordPlace {
  /** Why the filter or the template failed, so that the record is shown as it is; null where they did not. */
  readonly note: string | null;
}

/**
 * Why a held inbox was lost:
 * - `fenced`: another session holds it, or its device was forgotten;
 * - `lost`: the lease is gone, and nobody else is known to hold it;
 * - `deleted`: the account was removed, and the inbox topic with it;
 * - `no inbox`: the account is there, but its topic is gone, or another one has its name;
 * - `changed`: its log is another one than what was delivered of it: to be opened anew.
 */
export type LossReason = 'fenced' | 'lost' | 'deleted' | 'no inbox' | 'changed';

export interface OpenOptions {
  /** `all`: deliver from the first offset on that is not delivered. `live`: deliver only what is appended from now on; the rest waits for `read`. */
  readonly deliver: 'all' | 'live';
  /** Take the inbox from whoever holds it. Without it a live holder means ALREADY_LOGGED_IN. */
  readonly takeover?: boolean;
  /**
   * Which of the account's devices opens it, one of its `devices`; absent: the main one. Each has a position and a holder of its
   * own. One that never opened it begins with what no device has.
   */
  readonly device?: string | undefined;
  /** Of a device that never opened it: so many offsets back from the log's end it begins, whatever others have. */
  readonly last?: number | undefined;
  /** It rests at first: nothing is pushed before `resume`. */
  readonly isPaused?: boolean | undefined;
  /**
   * Called in offset order, each offset at most once per open, never after `lost` and never while paused. Only what some other
   * producer wrote in a transaction comes when that is committed, also behind later ones.
   */
  readonly onMessage: (message: InboxMessage) => void;
  /** The same of notes that other devices of the owner have left, in one order with messages. Without it they are stepped over. */
  readonly onNote?: ((note: InboxNote) => void) | undefined;
  /** Called at most once; the inbox is dead afterwards. */
  readonly onLost: (reason: LossReason) => void;
}

/** What a log was found to lack of what its owner's position counts on. */
export interface Surprise {
  /** Offsets that counted as delivered, where other messages lie by now: so many may be had twice. */
  readonly again: number;
  /** Offsets that were deleted unread. */
  readonly gone: number;
}

/** An inbox that this process holds, from `open` to `close` or `onLost`. */
export interface Inbox {
  readonly owner: Account;
  /** Whose of the owner's devices it is; undefined: the main one's. */
  readonly device: string | undefined;
  /** 16 bytes. With an offset it names a message: another one once the log was cut, and the same offsets mean others. */
  readonly id: Uint8Array;
  /** What was found when it was opened. */
  readonly surprise: Surprise;

  /**
   * Number of accepted messages that no device has acknowledged, as of now.
   * @throws EngineError `UNAVAILABLE`, `LOST`
   */
  undelivered(): Promise<number>;

  /**
   * Asks Kafka whether this inbox is still held: before something is done that cannot be undone.
   * @throws EngineError `UNAVAILABLE`, `LOST`
   */
  confirm(): Promise<void>;

  /**
   * Undelivered messages that were not pushed through `onMessage`, oldest first; what was read and not
   * acknowledged is read again. Stops before `maxBytes` of bodies, but returns at least one if there is one.
   * @throws EngineError `UNAVAILABLE`, `LOST`
   */
  read(limits: { maxBytes: number; maxMessages?: number }): Promise<InboxMessage[]>;

  /** Leader epoch under which what lies at this offset was appended; -1 where that is not known. */
  epochAt(offset: number): number;

  /**
   * The recipient has the messages with these offsets (inclusive). Commits happen by themselves, at most every half second.
   * @returns whether the inbox is known to be held now; otherwise only a commit tells that they count
   */
  acknowledge(first: number, last: number): boolean;

  /**
   * Follows a room from where this device is in it; where that is not known, or lies in front of it, from `since` on.
   * @param since of a window: when they came into it, `at` of the membership
   * @throws EngineError `NO_SUCH_ROOM`, `UNAVAILABLE`, `LOST`
   */
  follow(room: Room, since: number, listener: RoomListener): Promise<FollowedRoom>;

  /** Stops `onMessage` at once; the reader is slow. Nothing is lost, only left in Kafka. */
  pause(): void;
  /** Goes on after the last message that was given to `onMessage`. */
  resume(): void;

  /** Commits what was acknowledged and gives the inbox back. Never throws; idempotent. */
  close(): Promise<void>;

  /** Gives the inbox back and deletes its consumer group: for the owner's removal. Never throws. */
  discard(): Promise<void>;
}

/** The door to all inboxes. */
export interface Inboxes {
  /**
   * Appends one message. Resolves only after Kafka stored it with `acks=all`; calls to the same inbox are stored
   * in the order of the calls.
   * @throws EngineError `NO_SUCH_USER`, `NO_INBOX`, `MAILBOX_FULL`, `BUSY` (queue full, nothing stored), `TOO_LARGE`,
   * `UNAVAILABLE` (may have been stored)
   */
  append(to: Account, message: OutgoingMessage): Promise<Accepted>;

  /**
   * Leaves a note for the account's other devices, in its inbox.
   * @param device that it is from
   * @throws as `append`
   */
  note(owner: Account, device: string | undefined, note: Note): Promise<void>;

  /**
   * Takes the inbox, exclusively over all frontends.
   * @throws EngineError `ALREADY_LOGGED_IN`, `NO_SUCH_USER`, `NO_INBOX`, `BUSY`, `UNAVAILABLE`
   */
  open(owner: Account, options: OpenOptions): Promise<Inbox>;

  /**
   * Which of these inboxes somebody holds now, through any frontend and with any device.
   * @throws EngineError `UNAVAILABLE`
   */
  held(accounts: readonly Account[]): Promise<boolean[]>;

  /** The account's devices, the main one first. @throws EngineError `NO_INBOX`, `UNAVAILABLE` */
  devices(account: Account): Promise<DeviceState[]>;

  /**
   * What is kept of a device that is none of the account's any more, or of an account that is gone, is kept no longer: its position.
   * @param how `takeover`: its holder is fenced; without it one that lives means ALREADY_LOGGED_IN
   * @throws EngineError `ALREADY_LOGGED_IN`, `BUSY`, `UNAVAILABLE`
   */
  forget(account: Account, device: string | undefined, how: { readonly takeover: boolean }): Promise<void>;

  /**
   * What became of these messages, by what is committed in Kafka: half a second after an acknowledgement, or some seconds
   * where a thousand inboxes are busy.
   * @param how `inLog`: look for what waits and is in no log any more, too
   * @throws EngineError `UNAVAILABLE`
   */
  fates(receipts: readonly Receipt[], how: { readonly inLog: boolean }): Promise<Fate[]>;
}

/** Receipts have no room for more of a time, in milliseconds. Two messages at one offset are known by it. */
export const RECEIPT_TIME = 2 ** 24;

/** Where an accepted message lies. */
export interface Receipt {
  readonly to: Account;
  readonly offset: number;
  /** Leader epoch of the partition when it was sent; -1 where nobody knows. */
  readonly epoch: number;
  /** Kafka's append time modulo `RECEIPT_TIME`, or the whole of it; null where nobody knows. */
  readonly acceptedAt: number | null;
}

/** `waiting`: for the recipient's acknowledgement; `undeliverable`: it is not in the inbox any more, and was not read. */
export type Fate = 'delivered' | 'waiting' | 'undeliverable';

/** Offsets first..last, both included. */
export interface OffsetRange {
  readonly first: number;
  readonly last: number;
}

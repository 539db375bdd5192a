import type { Account } from '../../core/accounts.ts';
import { EngineError } from '../../core/errors.ts';
import type { Inbox, InboxMessage, LossReason, OpenOptions } from '../../core/inboxes.ts';
import type { InboxNote } from '../../core/notes.ts';
import type { FollowedRoom, Room, RoomListener } from '../../core/rooms.ts';
import { demandUuid } from '../../util/uuid.ts';
import type { Mailbox, MailboxHolder } from './mailbox.ts';
import type { MemoryStore } from './memory-store.ts';
import { placeKey } from './room-log.ts';

/** An inbox in memory that somebody holds. */
export class MemoryInbox implements Inbox, MailboxHolder {
  readonly owner: Account;
  readonly device: string | undefined;
  readonly id: Uint8Array;
  readonly surprise = { again: 0, gone: 0 };
  readonly #store: MemoryStore;
  readonly #mailbox: Mailbox;
  readonly #options: OpenOptions;
  readonly #onReleased: () => void;
  /** Where pushing began, and the next offset to look at: what lies between was pushed. */
  readonly #start: number;
  #next: number;
  /** Last offset that the owner was given, by push or by read. */
  #handedOut: number;
  readonly #followed = new Set<FollowedRoom>();
  #isOpen = true;
  #isPaused: boolean;
  /** A turn of the event loop will look for what is to be pushed. */
  #isDue = false;

  /** Takes the mailbox from whoever holds it. */
  constructor(
    store: MemoryStore,
    mailbox: Mailbox,
    owner: Account,
    options: OpenOptions,
    onReleased: () => void,
  ) {
    this.owner = owner;
    this.device = options.device;
    this.id = demandUuid(owner.topicId);
    this.#store = store;
    this.#mailbox = mailbox;
    this.#options = options;
    this.#isPaused = options.isPaused ?? false;
    this.#onReleased = onReleased;
    mailbox.begin(this.device, options.last ?? 0);
    this.#start = options.deliver === 'live' ? mailbox.next : mailbox.first(this.device);
    this.#next = this.#start;
    this.#handedOut = this.#start - 1;
    mailbox.holders.get(this.device)?.lose('fenced');
    mailbox.holders.set(this.device, this);
    this.appended();
  }

  epochAt(): number {
    return 0;
  }

  async undelivered(): Promise<number> {
    this.#demandHeld();
    return this.#mailbox.size;
  }

  async confirm(): Promise<void> {
    this.#demandHeld();
  }

  async read(limits: { maxBytes: number; maxMessages?: number }): Promise<InboxMessage[]> {
    this.#demandHeld();
    const { maxBytes, maxMessages = Number.POSITIVE_INFINITY } = limits;
    const found: InboxMessage[] = [];
    let bytes = 0;
    for (const message of [...this.#mailbox.waiting(this.device)]) {
      if (message.offset >= this.#start && message.offset < this.#next) continue;
      if (message.note !== undefined) {
        this.#store.acknowledge(this.#mailbox, this.device, message.offset, message.offset);
        continue;
      }
      bytes += message.body.length;
      if (found.length > 0 && (bytes > maxBytes || found.length >= maxMessages)) break;
      found.push(message);
      this.#handedOut = Math.max(this.#handedOut, message.offset);
    }
    return found;
  }

  acknowledge(first: number, last: number): boolean {
    // Nobody can have what was not handed out yet.
    if (this.#isOpen)
      this.#store.acknowledge(this.#mailbox, this.device, first, Math.min(last, this.#handedOut));
    return this.#isOpen;
  }

  async follow(room: Room, since: number, listener: RoomListener): Promise<FollowedRoom> {
    this.#demandHeld();
    const { log } = this.#store.demandRoom(room);
    const followed = log.follow(placeKey(this.owner, this.device), since, listener);
    this.#followed.add(followed);
    return followed;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.appended();
  }

  async close(): Promise<void> {
    this.#release();
  }

  discard(): Promise<void> {
    return this.close();
  }

  /** @internal What is pushed comes in a turn of its own, never while somebody sends, opens or resumes. */
  appended(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#push();
    });
  }

  /** @internal */
  lose(reason: LossReason): void {
    if (this.#release()) setImmediate(() => this.#options.onLost(reason));
  }

  #push(): void {
    while (this.#isOpen && !this.#isPaused && this.#next < this.#mailbox.next) {
      const message = this.#mailbox.get(this.#next, this.device);
      this.#next += 1;
      if (message === undefined) continue;
      this.#handedOut = Math.max(this.#handedOut, message.offset);
      if (message.note === undefined) this.#options.onMessage(message);
      else this.#leave(message.offset, message.acceptedAt, message.note);
    }
  }

  /** A note of another device, which is for those who want it. */
  #leave(offset: number, acceptedAt: number, { device, note }: Pick<InboxNote, 'device' | 'note'>): void {
    const { onNote } = this.#options;
    if (onNote !== undefined && device !== this.device) onNote({ offset, acceptedAt, device, note });
    else this.#store.acknowledge(this.#mailbox, this.device, offset, offset);
  }

  /** @returns whether it was held until now */
  #release(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#mailbox.holders.delete(this.device);
    for (const room of this.#followed) room.leave();
    this.#onReleased();
    return true;
  }

  #demandHeld(): void {
    if (!this.#isOpen) throw new EngineError('LOST', `${this.owner.name} is not held any more`);
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Account, AccountChange, AccountChanger, NewAccount } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import type { Accepted, Inbox, OpenOptions, OutgoingMessage, Receipt } from '../../src/core/inboxes.ts';
import type { Note } from '../../src/core/notes.ts';
import type { Room } from '../../src/core/rooms.ts';
import type { Storage, StoredToken } from '../../src/core/storage.ts';
import { MEMORY_LIMITS } from '../../src/storage/memory/mailbox.ts';
import { MemoryAccounts } from '../../src/storage/memory/memory-accounts.ts';
import { MemoryInboxes } from '../../src/storage/memory/memory-inboxes.ts';
import { MemoryRooms } from '../../src/storage/memory/memory-rooms.ts';
import { MemoryResumeTokens } from '../../src/storage/memory/memory-storage.ts';
import { MemoryStore } from '../../src/storage/memory/memory-store.ts';
import { uuidBytes } from '../../src/util/uuid.ts';
import { type RawRecord, textOf } from '../contracts/cluster.ts';
import { FaultyInbox } from './faulty-inbox.ts';

/** A storage on a store that misbehaves as it is told. */
export interface FaultyStorage extends Storage {
  readonly inboxes: FaultyInboxes;
}

/** Memory as a storage, with the faults that a real one cannot easily be told to have: each answer takes a turn of the event loop. */
export class FaultyStore extends MemoryStore {
  /** Appends that may wait at once; the next one is BUSY. */
  maxWaitingAppends = 10_000;
  /** Number of appends that wait for their answer. */
  waitingAppends = 0;
  /** All that was ever accepted, in its order. */
  readonly accepted: { readonly to: string; readonly text: string }[] = [];
  readonly held = new Set<FaultyInbox>();
  #isAvailable = true;
  #gate: Promise<void> | null = null;
  #exit: Promise<void> | null = null;

  /** One server's storage, among others on this store. */
  open(): FaultyStorage {
    const inboxes = new FaultyInboxes(this);
    return {
      accounts: new FaultyAccounts(this),
      inboxes,
      rooms: new FaultyRooms(this),
      tokens: new FaultyTokens(this),
      close: () => inboxes.close(),
    };
  }

  get isAvailable(): boolean {
    return this.#isAvailable;
  }

  /** With false everything fails with UNAVAILABLE, nothing is delivered and no acknowledgement counts. */
  setAvailable(isAvailable: boolean): void {
    this.#isAvailable = isAvailable;
    for (const inbox of this.held) inbox.availabilityChanged();
  }

  /** Appends wait, in order, until the returned function is called. */
  holdAppends(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = null;
      resolve();
    };
  }

  /** Inboxes are given back no sooner than the returned function is called. */
  holdCloses(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exit = promise;
    return () => {
      this.#exit = null;
      resolve();
    };
  }

  async appendsAllowed(): Promise<void> {
    while (this.#gate !== null) await this.#gate;
  }

  async closesAllowed(): Promise<void> {
    await nextTurn();
    while (this.#exit !== null) await this.#exit;
  }

  /** Whoever holds this inbox loses it to nobody. */
  fence(name: string): void {
    this.mailboxes
      .get(this.accounts.get(name)?.topicId ?? '')
      ?.holders.get(undefined)
      ?.lose('fenced');
  }

  /** An operator deletes the topic of an inbox. */
  deleteTopic(id: string): void {
    this.removeMailbox(id, 'no inbox');
  }

  /** A record by a producer that is no server. */
  async produceRaw(account: Account, { key, value, headers }: RawRecord): Promise<void> {
    await nextTurn();
    this.demandMailbox(account).put({
      id: uuidBytes(headers?.ce_id ?? ''),
      from: { kind: 'external', name: key ?? '' },
      body: Buffer.from(value),
      contentType: headers?.['content-type'] ?? null,
    });
  }

  /** Texts that were ever accepted for somebody. */
  acceptedFor(name: string): string[] {
    return this.accepted.filter(({ to }) => to === name).map(({ text }) => text);
  }

  /** One step over the network. @throws EngineError `UNAVAILABLE` */
  async roundTrip(): Promise<void> {
    await nextTurn();
    if (!this.#isAvailable) throw new EngineError('UNAVAILABLE', 'the storage was told to be unavailable');
  }
}

/** One whose inboxes take so many undelivered messages each, of whomever. */
export function smallStore(maxMessages: number): FaultyStore {
  const mailbox = { ...MEMORY_LIMITS.mailbox, maxMessages, senderShare: 1, strangerShare: 1 };
  return new FaultyStore({ ...MEMORY_LIMITS, mailbox });
}

class FaultyAccounts extends MemoryAccounts {
  readonly #faults: FaultyStore;

  constructor(store: FaultyStore) {
    super(store);
    this.#faults = store;
  }

  /** Whom the table shows needs no look. */
  override async find(name: string) {
    return this.get(name) ?? this.findEvenly(name);
  }

  override async findEvenly(name: string) {
    await this.#faults.roundTrip();
    return super.findEvenly(name);
  }

  override async create(wanted: NewAccount) {
    await this.#faults.roundTrip();
    return super.create(wanted);
  }

  override async update(account: Account, change: AccountChange | AccountChanger) {
    await this.#faults.roundTrip();
    return super.update(account, change);
  }

  override async mend(account: Account) {
    await this.#faults.roundTrip();
    return super.mend(account);
  }

  override async remove(account: Account) {
    await this.#faults.roundTrip();
    return super.remove(account);
  }
}

class FaultyRooms extends MemoryRooms {
  readonly #faults: FaultyStore;

  constructor(store: FaultyStore) {
    super(store);
    this.#faults = store;
  }

  override async append(to: Room, message: OutgoingMessage) {
    await this.#faults.appendsAllowed();
    await this.#faults.roundTrip();
    return super.append(to, message);
  }
}

class FaultyTokens extends MemoryResumeTokens {
  readonly #faults: FaultyStore;

  constructor(store: FaultyStore) {
    super(store);
    this.#faults = store;
  }

  override async put(account: Account, token: StoredToken, device?: string) {
    await this.#faults.roundTrip();
    return super.put(account, token, device);
  }

  override async find(account: Account, device?: string) {
    await this.#faults.roundTrip();
    return super.find(account, device);
  }

  override async remove(account: Account, device?: string) {
    await this.#faults.roundTrip();
    return super.remove(account, device);
  }
}

export class FaultyInboxes extends MemoryInboxes {
  /** How many messages each call of `fates` asked for. */
  readonly askedReceipts: number[] = [];
  readonly #faults: FaultyStore;
  readonly #held = new Set<FaultyInbox>();

  constructor(store: FaultyStore) {
    super(store);
    this.#faults = store;
  }

  /** Number of inboxes that this storage holds. */
  get openCount(): number {
    return this.#held.size;
  }

  /** Number of held inboxes that rest. */
  get pausedCount(): number {
    return [...this.#held].filter((inbox) => inbox.isPaused).length;
  }

  /** Number of messages that went through `onMessage` of this name's held inbox. */
  pushedCount(name: string): number {
    return [...this.#held].find((inbox) => inbox.owner.name === name)?.pushedCount ?? 0;
  }

  override async append(to: Account, message: OutgoingMessage): Promise<Accepted> {
    const faults = this.#faults;
    if (faults.waitingAppends >= faults.maxWaitingAppends)
      throw new EngineError('BUSY', 'too many appends wait');
    faults.waitingAppends += 1;
    try {
      await faults.appendsAllowed();
      await faults.roundTrip();
      const accepted = await super.append(to, message);
      faults.accepted.push({ to: to.name, text: textOf(message) });
      return accepted;
    } finally {
      faults.waitingAppends -= 1;
    }
  }

  override async note(owner: Account, device: string | undefined, note: Note) {
    await this.#faults.roundTrip();
    return super.note(owner, device, note);
  }

  override async open(owner: Account, options: OpenOptions): Promise<Inbox> {
    await this.#faults.roundTrip();
    const inbox: FaultyInbox = new FaultyInbox(this.#faults, options, () => {
      this.#held.delete(inbox);
      this.#faults.held.delete(inbox);
    });
    inbox.hold(await super.open(owner, inbox.options));
    this.#held.add(inbox);
    this.#faults.held.add(inbox);
    return inbox;
  }

  override async held(accounts: readonly Account[]) {
    await this.#faults.roundTrip();
    return super.held(accounts);
  }

  override async devices(account: Account) {
    await this.#faults.roundTrip();
    return super.devices(account);
  }

  override async forget(account: Account, device: string | undefined, how: { readonly takeover: boolean }) {
    await this.#faults.roundTrip();
    return super.forget(account, device, how);
  }

  override async fates(receipts: readonly Receipt[]) {
    this.askedReceipts.push(receipts.length);
    await this.#faults.roundTrip();
    return super.fates(receipts);
  }

  override async close(): Promise<void> {
    await Promise.all([...this.#held].map((inbox) => inbox.close()));
  }
}

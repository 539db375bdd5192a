import type { Account } from '../../core/accounts.ts';
import { type DeviceState, devicesOf } from '../../core/devices.ts';
import { EngineError } from '../../core/errors.ts';
import type {
  Accepted,
  Fate,
  Inbox,
  Inboxes,
  OpenOptions,
  OutgoingMessage,
  Receipt,
} from '../../core/inboxes.ts';
import type { Note } from '../../core/notes.ts';
import { MemoryInbox } from './memory-inbox.ts';
import type { MemoryStore } from './memory-store.ts';

/** The inboxes, in memory, and those that one storage holds. */
export class MemoryInboxes implements Inboxes {
  readonly #store: MemoryStore;
  readonly #open = new Set<Inbox>();

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async append(to: Account, message: OutgoingMessage): Promise<Accepted> {
    return this.#store.append(to, message);
  }

  async note(owner: Account, device: string | undefined, note: Note): Promise<void> {
    this.#store.note(owner, device, note);
  }

  async open(owner: Account, options: OpenOptions): Promise<Inbox> {
    const mailbox = this.#store.demandMailbox(owner);
    if (mailbox.holders.has(options.device) && options.takeover !== true)
      throw new EngineError('ALREADY_LOGGED_IN', `${owner.name} is held`);
    const inbox: MemoryInbox = new MemoryInbox(this.#store, mailbox, owner, options, () =>
      this.#open.delete(inbox),
    );
    this.#open.add(inbox);
    return inbox;
  }

  async held(accounts: readonly Account[]): Promise<boolean[]> {
    return accounts.map(({ topicId }) => (this.#store.mailboxes.get(topicId)?.holders.size ?? 0) > 0);
  }

  async devices(account: Account): Promise<DeviceState[]> {
    const mailbox = this.#store.demandMailbox(account);
    return devicesOf(account).map((name) => {
      return { name, isHeld: mailbox.holders.has(name), waiting: [...mailbox.waiting(name)].length };
    });
  }

  async forget(
    account: Account,
    device: string | undefined,
    { takeover }: { readonly takeover: boolean },
  ): Promise<void> {
    if (!takeover && this.#store.mailboxes.get(account.topicId)?.holders.has(device))
      throw new EngineError('ALREADY_LOGGED_IN', `${account.name} is held`);
    this.#store.forget(account, device);
  }

  /** Nothing is ever gone unread but with the account. */
  async fates(receipts: readonly Receipt[]): Promise<Fate[]> {
    return receipts.map(({ to, offset }) => {
      const mailbox = this.#store.mailboxes.get(to.topicId);
      return mailbox?.isDelivered(offset) ? 'delivered' : 'waiting';
    });
  }

  /** Gives back every inbox. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((inbox) => inbox.close()));
  }
}

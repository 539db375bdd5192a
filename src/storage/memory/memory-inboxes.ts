import type { Account } from '../../core/accounts.ts';
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

  async open(owner: Account, options: OpenOptions): Promise<Inbox> {
    const mailbox = this.#store.demandMailbox(owner);
    if (mailbox.holder !== null && options.takeover !== true)
      throw new EngineError('ALREADY_LOGGED_IN', `${owner.name} is held`);
    const inbox: MemoryInbox = new MemoryInbox(this.#store, mailbox, owner, options, () =>
      this.#open.delete(inbox),
    );
    this.#open.add(inbox);
    return inbox;
  }

  async held(accounts: readonly Account[]): Promise<boolean[]> {
    return accounts.map(({ topicId }) => (this.#store.mailboxes.get(topicId)?.holder ?? null) !== null);
  }

  /** Nothing is ever gone unread but with the account. */
  async fates(receipts: readonly Receipt[]): Promise<Fate[]> {
    return receipts.map(({ to, offset }) => {
      const mailbox = this.#store.mailboxes.get(to.topicId);
      const isDelivered = mailbox !== undefined && offset < mailbox.next && mailbox.get(offset) === undefined;
      return isDelivered ? 'delivered' : 'waiting';
    });
  }

  /** Gives back every inbox. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((inbox) => inbox.close()));
  }
}

import { type Account, isSameLife } from '../../core/accounts.ts';
import { deviceKey } from '../../core/devices.ts';
import type { ResumeTokens, Storage, StoredToken } from '../../core/storage.ts';
import { MemoryAccounts } from './memory-accounts.ts';
import { MemoryInboxes } from './memory-inboxes.ts';
import { MemoryRooms } from './memory-rooms.ts';
import { MemoryStore } from './memory-store.ts';

/**
 * A storage that keeps everything in this process, and nothing when that ends: to try the server, and for tests.
 * @param store what several storages share, as several servers on one Kafka do; one of its own unless given
 */
export function openMemoryStorage(store = new MemoryStore()): Storage {
  const inboxes = new MemoryInboxes(store);
  return {
    accounts: new MemoryAccounts(store),
    inboxes,
    rooms: new MemoryRooms(store),
    tokens: new MemoryResumeTokens(store),
    close: () => inboxes.close(),
  };
}

/** The resume tokens, in memory: one for each device at most. */
export class MemoryResumeTokens implements ResumeTokens {
  readonly #store: MemoryStore;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async put(account: Account, { tokenHash, ...rest }: StoredToken, device?: string): Promise<void> {
    const { incarnation } = account;
    this.#store.tokens.set(deviceKey(account, device), {
      incarnation,
      token: { ...rest, tokenHash: Buffer.from(tokenHash) },
    });
  }

  async find(account: Account, device?: string): Promise<StoredToken | undefined> {
    const stored = this.#store.tokens.get(deviceKey(account, device));
    return isSameLife(stored, account) && stored.token.expiresAt > Date.now() ? stored.token : undefined;
  }

  async remove(account: Account, device?: string): Promise<void> {
    const key = deviceKey(account, device);
    if (isSameLife(this.#store.tokens.get(key), account)) this.#store.tokens.delete(key);
  }
}

import type { Storage } from '../../core/storage.ts';
import { MemoryAccounts } from './memory-accounts.ts';
import { MemoryInboxes } from './memory-inboxes.ts';
import { MemoryResumeTokens } from './memory-resume-tokens.ts';
import { MemoryStore } from './memory-store.ts';

/**
 * A storage that keeps everything in this process, and nothing when that ends: to try the server, and for tests.
 * @param store what several storages share, as several servers on one Kafka do; one of its own unless given
 */
export function openMemoryStorage(store = new MemoryStore()): Storage {
  const inboxes = new MemoryInboxes(store);
  let isHealthy = true;
  return {
    accounts: new MemoryAccounts(store),
    inboxes,
    tokens: new MemoryResumeTokens(store),
    get isHealthy() {
      return isHealthy;
    },
    async close() {
      isHealthy = false;
      await inboxes.close();
    },
  };
}

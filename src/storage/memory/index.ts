/** Memory as a storage: what is public of it. */
export { MEMORY_LIMITS, type MemoryLimits } from './mailbox.ts';
export { openMemoryStorage } from './memory-storage.ts';
export { MemoryStore } from './memory-store.ts';

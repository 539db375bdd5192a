/** Memory as a storage: what is public of it. */
export { MEMORY_LIMITS, type MemoryLimits } from './memory-limits.ts';
export { openMemoryStorage } from './memory-storage.ts';
export { MemoryStore } from './memory-store.ts';

import type { InboxMessage } from '../../../core/inboxes.ts';

/** Why records are not shown. */
export type Unshown = 'untold' | 'old' | 'gone' | 'skipped' | 'unreadable';

/** Records that are not shown, though no filter has left them out. */
export interface Remark {
  readonly why: Unshown;
  readonly records: number;
  /** Offset of the first one. */
  readonly from: number;
}

/** A stretch of a partition, looked at once for all who are shown it: first..next - 1. */
export interface Chunk {
  readonly first: number;
  readonly next: number;
  /** What of it is shown, in its order. The very same object to all, so that it is encoded once. */
  readonly messages: readonly InboxMessage[];
  readonly remarks: readonly Remark[];
}

/** Chunks are some thousand records each; what is kept of all of them, in characters of their lines. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** What an empty one counts. */
const CHUNK_CHARACTERS = 256;

/** Chunks that somebody has been shown, for whoever comes a little later: all windows' together, the oldest go first. */
export class ChunkCache {
  readonly #sizes = new Map<Chunk, { readonly size: number; readonly forget: () => void }>();
  #characters = 0;

  /** @param forget called when it goes */
  add(chunk: Chunk, forget: () => void): void {
    const size = chunk.messages.reduce((sum, { body }) => sum + body.length, CHUNK_CHARACTERS);
    this.#sizes.set(chunk, { size, forget });
    this.#characters += size;
    for (const oldest of this.#sizes.keys()) {
      if (this.#characters <= MAX_CHARACTERS || oldest === chunk) return;
      this.remove(oldest);
    }
  }

  remove(chunk: Chunk): void {
    const known = this.#sizes.get(chunk);
    if (known === undefined) return;
    this.#sizes.delete(chunk);
    this.#characters -= known.size;
    known.forget();
  }
}

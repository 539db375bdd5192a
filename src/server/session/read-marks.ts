import type { Note } from '../../core/notes.ts';
import { ProtocolError } from '../../protocol/errors.ts';

/** Of one conversation it is written down at most this often. */
const EVERY_MS = 2_000;
/** Conversations of which that happens at the same time; with one more the client is told to wait. */
const MOST = 32;

interface Mark {
  /** What was written down last. */
  written: number;
  upTo: number;
  timer: NodeJS.Timeout;
}

/** Up to where conversations were read with one device: gathered, for its owner's others. */
export class ReadMarks {
  readonly #write: (note: Note) => void;
  /** By conversation. */
  readonly #marks = new Map<string, Mark>();

  constructor(write: (note: Note) => void) {
    this.#write = write;
  }

  /** @throws ProtocolError `RATE_LIMITED` */
  mark(conversation: string, upTo: number): void {
    const known = this.#marks.get(conversation);
    if (known !== undefined) {
      known.upTo = Math.max(known.upTo, upTo);
      return;
    }
    if (this.#marks.size >= MOST)
      throw new ProtocolError('RATE_LIMITED', undefined, { retryAfterMs: EVERY_MS });
    this.#write({ kind: 'read', conversation, upTo });
    const timer = setTimeout(() => this.#look(conversation), EVERY_MS);
    this.#marks.set(conversation, { written: upTo, upTo, timer });
  }

  /** Writes down what waits. */
  close(): void {
    for (const [conversation, { written, upTo, timer }] of this.#marks) {
      clearTimeout(timer);
      if (upTo > written) this.#write({ kind: 'read', conversation, upTo });
    }
    this.#marks.clear();
  }

  #look(conversation: string): void {
    const mark = this.#marks.get(conversation);
    this.#marks.delete(conversation);
    if (mark !== undefined && mark.upTo > mark.written) this.mark(conversation, mark.upTo);
  }
}

import type { Message } from '../../protocol/v2/replies.ts';

/** Messages that are remembered. With one more the oldest is forgotten, and would be shown again if it came again. */
const MAX_SEEN = 10_000;

/**
 * Which messages were taken already: a message comes again when its acknowledgement was lost. A user's message is known
 * by its sender's incarnation and its id, so that nobody can suppress another's; an external one, whose id anybody may
 * have chosen, by its place in the inbox.
 */
export class Seen {
  readonly #limit: number;
  /** A set keeps the order in which keys were added. */
  readonly #keys = new Set<string>();

  constructor(limit: number = MAX_SEEN) {
    this.#limit = limit;
  }

  /** Remembers the message; false if it was known. @param inbox id of the inbox that it came from, in hex */
  add(inbox: string, message: Message): boolean {
    const key = message.verified
      ? `${inbox} ${hex(message.fromIncarnation)} ${hex(message.id)}`
      : `${inbox} ${message.seq}`;
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    for (const oldest of this.#keys) {
      if (this.#keys.size <= this.#limit) break;
      this.#keys.delete(oldest);
    }
    return true;
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

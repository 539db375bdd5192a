import type { Message } from '../protocol/v2/replies.ts';
import { dropOldest } from '../util/bounded-map.ts';

/** Messages that are remembered. With one more the oldest is forgotten, and would be shown again if it came again. */
const MAX_SEEN = 10_000;

/**
 * By what a message is known when it comes again. A user's message by its sender's incarnation and its id, so that
 * nobody can suppress another's; an external one, whose id anybody may have chosen, by its place in the inbox. In a room by its
 * time as well: a room that is made again has another log, and the same places.
 * @param inbox id of the account's inbox, in hex
 */
export function messageKey(inbox: string, message: Message): string {
  const { room, seq, sentAt } = message;
  const log = room === undefined ? inbox : `${inbox} ${room}`;
  if (message.verified) return `${log} ${hex(message.fromIncarnation)} ${hex(message.id)}`;
  return room === undefined ? `${log} ${seq}` : `${log} ${seq} ${sentAt}`;
}

/** Which messages were taken already: a message comes again when its acknowledgement was lost. */
export class Seen {
  readonly #limit: number;
  /** A set keeps the order in which keys were added. */
  readonly #keys = new Set<string>();

  constructor(limit: number = MAX_SEEN) {
    this.#limit = limit;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Remembers the message; false if it was known. @param key as `messageKey` makes it */
  add(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    dropOldest(this.#keys, this.#limit);
    return true;
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

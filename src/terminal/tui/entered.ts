import { asText } from '../chat/commands.ts';
import type { History } from '../history/history.ts';
import { peerKey } from '../history/peers.ts';
import type { Peer } from '../history/types.ts';
import { sanitiseTyped } from '../sanitise.ts';
import { MAX_HISTORY } from './input-line.ts';

/** Conversations whose texts are held; the one that was looked at longest ago is forgotten when one more comes. */
const MAX_CONVERSATIONS = 100;

/** What was entered in each conversation, for the up key and for looking in it. */
export class Entered {
  readonly #texts = new Map<string, readonly string[]>();

  /** Oldest first; at first what was sent there before the program began. */
  of(history: History | null, peer: Peer | null): readonly string[] {
    const known = this.#texts.get(peerKey(peer));
    if (known !== undefined || peer === null) return known ?? [];
    const messages = history?.before(peer, null, MAX_HISTORY) ?? [];
    // What was sent may be of a pipe, and so may have anything in it.
    return messages
      .filter(({ direction }) => direction === 'out')
      .map(({ body }) => sanitiseTyped(asText(body)));
  }

  keep(peer: Peer | null, texts: readonly string[]): void {
    const key = peerKey(peer);
    this.#texts.delete(key);
    this.#texts.set(key, texts);
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= MAX_CONVERSATIONS) break;
      this.#texts.delete(oldest);
    }
  }

  /** Somebody else is at the keys. */
  forget(): void {
    this.#texts.clear();
  }
}

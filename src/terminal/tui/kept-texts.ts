import { putLast } from '../../util/bounded-map.ts';
import { asText } from '../chat/commands.ts';
import type { History } from '../history/history.ts';
import { type Peer, peerKey } from '../history/types.ts';
import { sanitiseTyped } from '../sanitise.ts';
import { MAX_HISTORY } from './input-line.ts';

/** Conversations whose texts are held; the one that was looked at longest ago is forgotten when one more comes. */
const MAX_CONVERSATIONS = 100;

/** What was entered in each conversation, for the up key and for looking in it. */
export class InputHistory {
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
    putLast(this.#texts, peerKey(peer), texts, MAX_CONVERSATIONS);
  }

  /** Somebody else is at the keys. */
  forget(): void {
    this.#texts.clear();
  }
}

/** How long after the last key press what is written is kept on disk. */
const KEEP_AFTER_MS = 500;

/** What is written and not sent, for each conversation in the history, and where none is open in memory. */
export class Drafts {
  #atHome = '';
  #timer: NodeJS.Timeout | undefined;

  of(history: History | null, peer: Peer | null): string {
    return peer === null ? this.#atHome : (history?.conversation(peer)?.draft ?? '');
  }

  /** Keeps what is written; true if it is another than before. */
  keep(history: History | null, peer: Peer | null, text: string): boolean {
    clearTimeout(this.#timer);
    if (peer === null) this.#atHome = text;
    if (peer === null || history === null || this.of(history, peer) === text) return false;
    history.draft(peer, text);
    return true;
  }

  /** Calls `keep` when the person pauses. */
  whenPausing(keep: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(keep, KEEP_AFTER_MS);
  }

  /** Somebody else is at the keys. */
  forget(): void {
    this.#atHome = '';
  }
}

import type { History } from '../history/history.ts';
import type { Peer } from '../history/types.ts';

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

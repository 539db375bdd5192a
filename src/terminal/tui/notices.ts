import { putLast } from '../../util/bounded-map.ts';
import { type Peer, peerKey } from '../history/types.ts';
import type { Notice } from './message-rows.ts';

/** The client's own lines that a conversation keeps; the oldest goes when one more comes. */
const MAX_NOTICES = 200;
/** Conversations that have some; those of the one that was left longest ago go. */
const MAX_CONVERSATIONS = 100;

/** What the client said itself; `after`: the newest message of the conversation then, behind which it stays. */
export interface Said {
  readonly notice: Notice;
  readonly after: number;
}

/** The client's own lines, by the conversation where the person read them, for as long as the program runs. */
export class Notices {
  /** The one that was opened last at the end. */
  readonly #conversations = new Map<string, Said[]>();

  /** The list of a conversation, which `addNotice` adds to. @param peer null: where none is open */
  of(peer: Peer | null): Said[] {
    const key = peerKey(peer);
    const said = this.#conversations.get(key) ?? [];
    putLast(this.#conversations, key, said, MAX_CONVERSATIONS);
    return said;
  }

  /** Somebody else is at the keys: what was said where no conversation is open stays. */
  forget(): void {
    const home = this.of(null);
    this.#conversations.clear();
    this.#conversations.set(peerKey(null), home);
  }
}

/** What is said twice in a row, with nothing in between, stands there once. */
export function addNotice(list: Said[], said: Said): void {
  const last = list.at(-1);
  if (last?.after === said.after && last.notice.text === said.notice.text) list.pop();
  list.push(said);
  if (list.length > MAX_NOTICES) list.shift();
}

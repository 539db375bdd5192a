import type { History } from '../history/history.ts';
import type { Peer, StoredMessage } from '../history/types.ts';

/** Messages that are read from the history at once. */
const PAGE = 100;
/** Messages that are held at most; with more, those furthest from what is shown go. */
const MAX_HELD = 1_000;
/** Longer texts are counted as they come, and together may have so many characters: the rest is read again when it is looked at. */
const LONG_CHARACTERS = 16_384;
const MAX_LONG_CHARACTERS = 16 * 1024 * 1024;

/** The messages of one conversation around what is shown: a piece of the history without gaps, of a bounded size. */
export class HeldMessages {
  readonly #history: History | null;
  readonly #peer: Peer | null;
  readonly #messages: StoredMessage[] = [];
  /** Whether the history has older messages than the held ones; and newer ones. */
  #hasOlder: boolean;
  #hasNewer = false;
  #version = 0;

  /** The newest messages. @param peer null: no conversation, and so no messages */
  constructor(history: History | null, peer: Peer | null) {
    this.#history = history;
    this.#peer = peer;
    this.#hasOlder = this.isSomewhere;
    this.older();
  }

  /** Whether there is a history with such a conversation. */
  get isSomewhere(): boolean {
    return this.#history !== null && this.#peer !== null;
  }

  /** Another one after each change. */
  get version(): number {
    return this.#version;
  }

  /** Oldest first. */
  get messages(): readonly StoredMessage[] {
    return this.#messages;
  }

  get hasOlder(): boolean {
    return this.#hasOlder;
  }

  get hasNewer(): boolean {
    return this.#hasNewer;
  }

  /** Of the texts. */
  get characters(): number {
    return this.#messages.reduce((sum, { body }) => sum + body.length, 0);
  }

  /** The newest message of the conversation, held or not; 0 = none. */
  get newest(): number {
    const held = this.#messages.at(-1)?.id ?? 0;
    if (!this.#hasNewer || this.#history === null || this.#peer === null) return held;
    return this.#history.conversation(this.#peer)?.lastId ?? held;
  }

  /** A message came. @param isFollowing the newest ones are what is shown */
  arrived(message: StoredMessage, isFollowing: boolean): void {
    if (this.#hasNewer) return;
    const isFull = this.#messages.length >= MAX_HELD || this.#isLong(message);
    if (isFull && !isFollowing) {
      // Somebody reads further above: it is read from the history when they come down.
      this.#hasNewer = this.isSomewhere;
      if (this.#hasNewer) return;
    }
    this.#messages.push(message);
    if (isFull && isFollowing) {
      this.#messages.splice(0, Math.ceil(this.#messages.length / 2));
      this.#hasOlder = true;
    }
    this.#version += 1;
  }

  changed(message: StoredMessage): void {
    const index = this.#messages.findLastIndex(({ id }) => id === message.id);
    if (index < 0) return;
    this.#messages[index] = message;
    this.#version += 1;
  }

  /** The history may have got messages that `arrived` was not told of. */
  reread(): void {
    this.#hasNewer = this.isSomewhere;
    this.#version += 1;
  }

  /** Holds the newest ones. */
  toNewest(): void {
    if (!this.#hasNewer) return;
    this.#messages.length = 0;
    this.#hasNewer = false;
    this.#hasOlder = true;
    this.older();
  }

  /** Holds a page of messages up to and with that one, and a page of those behind it. */
  around(id: number): void {
    if (this.#history === null || this.#peer === null) return;
    const before = this.#history.before(this.#peer, id + 1, PAGE);
    const after = this.#history.after(this.#peer, id, PAGE);
    this.#messages.splice(0, this.#messages.length, ...before, ...after);
    this.#hasOlder = true;
    this.#hasNewer = true;
    this.#version += 1;
  }

  /** Reads a page of older messages, if there are any. */
  older(): void {
    if (!this.#hasOlder || this.#history === null || this.#peer === null) return;
    const page = this.#history.before(this.#peer, this.#messages[0]?.id ?? null, PAGE);
    this.#hasOlder = page.length === PAGE;
    this.#messages.unshift(...page);
    this.#version += 1;
  }

  newer(): void {
    if (!this.#hasNewer || this.#history === null || this.#peer === null) return;
    const page = this.#history.after(this.#peer, this.#messages.at(-1)?.id ?? 0, PAGE);
    this.#hasNewer = page.length === PAGE;
    this.#messages.push(...page);
    this.#version += 1;
  }

  /** Lets go of messages far from that one, which is shown. */
  trim(id: number): void {
    const at = this.#messages.findIndex((message) => message.id === id);
    if (at < 0) return;
    let { characters } = this;
    let [from, to] = [0, this.#messages.length];
    while (to - from > MAX_HELD || (characters > MAX_LONG_CHARACTERS && to - from > 1)) {
      // The end that is further away.
      const goes = at - from > to - 1 - at ? from++ : --to;
      characters -= this.#messages[goes]?.body.length ?? 0;
    }
    if (to - from === this.#messages.length) return;
    this.#hasOlder ||= from > 0;
    this.#hasNewer ||= to < this.#messages.length;
    this.#messages.splice(to);
    this.#messages.splice(0, from);
    this.#version += 1;
  }

  /** Whether the texts that are held become too long with this one. */
  #isLong({ body }: StoredMessage): boolean {
    if (body.length <= LONG_CHARACTERS) return false;
    return this.characters + body.length > MAX_LONG_CHARACTERS;
  }
}

import type { History } from '../history/history.ts';
import type { Peer, StoredMessage } from '../history/types.ts';
import { type Above, dayBegins, type Layout, messageRows, type Notice, noticeRows } from './message-rows.ts';
import type { Row } from './rows.ts';

/** Messages that are read from the history at once. */
const PAGE = 100;
/** Messages that are held at most; with more, those furthest from what is shown go. */
const MAX_HELD = 1_000;
/** Longer texts are counted, and together may have so many characters: the rest is read again when it is looked at. */
const LONG_CHARACTERS = 16_384;
const MAX_LONG_CHARACTERS = 16 * 1024 * 1024;
/** The client's own lines that are held; the oldest goes when one more comes. */
const MAX_NOTICES = 200;

type Item =
  | { readonly key: string; readonly message: StoredMessage }
  /** `after`: the newest message when it was said; it stays behind that one. */
  | { readonly key: string; readonly notice: Notice; readonly after: number };

/** The lowest row that is shown: the `row`-th of an item. */
interface Anchor {
  readonly key: string;
  readonly row: number;
}

interface LaidOut {
  readonly layout: Layout;
  readonly day: number | null;
  readonly unread: number;
  readonly today: number;
  readonly rows: readonly Row[];
}

/**
 * What was said in one conversation, and the client's own lines in between, as rows. Only what is looked at is read from
 * the history and laid out, so that the cost depends on the rows of the screen and not on the messages.
 */
export class Timeline {
  readonly #history: History | null;
  readonly #peer: Peer | null;
  readonly #messages: StoredMessage[] = [];
  readonly #notices: { notice: Notice; after: number }[] = [];
  readonly #laidOut = new WeakMap<object, LaidOut>();
  #items: Item[] | undefined;
  /** Whether the history has older messages than the held ones; and newer ones. */
  #hasOlder: boolean;
  #hasNewer = false;
  /** Null: the newest row is the lowest one, and stays so when more comes. */
  #anchor: Anchor | null = null;
  #newBelow = 0;
  #layout: Layout;
  #now: number;
  /** The first unread message when the conversation was opened, and how many there were. */
  #unread: { readonly id: number; readonly count: number } | null = null;

  /** @param peer null: no conversation, only the client's own lines */
  constructor(history: History | null, peer: Peer | null, layout: Layout, now: number) {
    this.#history = history;
    this.#peer = peer;
    this.#layout = layout;
    this.#now = now;
    this.#hasOlder = history !== null && peer !== null;
    this.#older();
  }

  /** Whether the newest row is in sight. */
  get isAtEnd(): boolean {
    return this.#anchor === null;
  }

  /** Messages that came while the newest row was out of sight. */
  get newBelow(): number {
    return this.#newBelow;
  }

  /** Of the texts of the messages that are held. */
  get heldCharacters(): number {
    return this.#messages.reduce((sum, { body }) => sum + body.length, 0);
  }

  /** The newest message that is held; 0 = none. */
  get newest(): number {
    return this.#messages.at(-1)?.id ?? 0;
  }

  /** @param now for the words of the days, in milliseconds since the epoch */
  layOut(layout: Layout, now: number): void {
    this.#layout = layout;
    this.#now = now;
  }

  /** Marks where the unread messages begin. */
  markUnread(id: number | null, count: number): void {
    this.#unread = id === null ? null : { id, count };
  }

  arrived(message: StoredMessage): void {
    if (this.#anchor !== null) this.#newBelow += message.direction === 'in' ? 1 : 0;
    if (this.#hasNewer) return;
    const isFull = this.#messages.length >= MAX_HELD || this.#isLong(message);
    if (isFull && this.#anchor !== null) {
      // Somebody reads further above: it is read from the history when they come down.
      this.#hasNewer = this.#history !== null && this.#peer !== null;
      if (this.#hasNewer) return;
    }
    this.#messages.push(message);
    this.#items = undefined;
    if (isFull && this.#anchor === null) {
      this.#messages.splice(0, Math.ceil(this.#messages.length / 2));
      this.#hasOlder = true;
    }
  }

  /** Whether the texts that are held become too long with this one. */
  #isLong({ body }: StoredMessage): boolean {
    if (body.length <= LONG_CHARACTERS) return false;
    return this.heldCharacters + body.length > MAX_LONG_CHARACTERS;
  }

  changed(message: StoredMessage): void {
    const index = this.#messages.findLastIndex(({ id }) => id === message.id);
    if (index < 0) return;
    this.#messages[index] = message;
    this.#items = undefined;
  }

  said(notice: Notice): void {
    this.#notices.push({ notice, after: this.#newest() });
    if (this.#notices.length > MAX_NOTICES) this.#notices.shift();
    this.#items = undefined;
  }

  /** Shows the newest row, from now on. */
  toEnd(): void {
    this.#anchor = null;
    this.#newBelow = 0;
    if (!this.#hasNewer) return;
    this.#messages.length = 0;
    this.#hasNewer = false;
    this.#hasOlder = true;
    this.#older();
  }

  /** The history may have got messages that `arrived` was not told of. */
  reread(): void {
    this.#hasNewer = this.#history !== null && this.#peer !== null;
    this.#items = undefined;
    if (this.#anchor === null) this.toEnd();
  }

  /** Shows the oldest rows. */
  toStart(height: number): void {
    if (this.#history === null || this.#peer === null) return;
    const oldest = this.#history.after(this.#peer, 0, PAGE);
    this.#replace(oldest);
    const first = this.#list()[0];
    if (first !== undefined) this.#anchor = { key: first.key, row: 0 };
    this.scroll(-height, height);
  }

  /** Shows a message, wherever it is, at the lower end of the window. */
  toMessage(id: number, height: number): void {
    if (this.#history === null || this.#peer === null) return;
    const around = this.#history.before(this.#peer, id + 1, PAGE);
    this.#replace([...around, ...this.#history.after(this.#peer, id, PAGE)]);
    this.#anchor = { key: `m${id}`, row: Number.MAX_SAFE_INTEGER };
    this.scroll(Math.floor(height / 3), height);
  }

  /** Moves the window by so many rows; negative is towards what is older. @param height rows of the window */
  scroll(by: number, height: number): void {
    if (by < 0) {
      const above = this.#upward(height - by);
      const lowest = above[Math.max(0, Math.min(-by, above.length - height))];
      if (lowest !== undefined && above.length > height) this.#anchor = lowest.place;
    } else if (this.#anchor !== null) {
      const below = this.#downward(by + 1);
      const lowest = below.at(-1);
      this.#anchor = lowest === undefined || below.length <= by ? null : lowest.place;
    }
    if (this.#anchor !== null && this.#downward(2).length === 1) this.#anchor = null;
    if (this.#anchor === null) this.toEnd();
    else this.#trim();
  }

  /** The rows to show, at most `height`, oldest first. */
  window(height: number): Row[] {
    let above = this.#upward(height);
    if (above.length < height && this.#anchor !== null) {
      // Another width has made the rows above fewer: there is room for some below.
      this.scroll(height - above.length, height);
      above = this.#upward(height);
    }
    return above.map(({ row }) => row).reverse();
  }

  /** Rows from the anchor on, towards what is older. */
  #upward(count: number): { row: Row; place: Anchor }[] {
    const found: { row: Row; place: Anchor }[] = [];
    let index = this.#anchorIndex();
    let from = this.#anchor?.row ?? Number.MAX_SAFE_INTEGER;
    while (found.length < count) {
      if (index <= 0) {
        // Also for the first one that is held: whether a day begins with it, the one before it says.
        const before = this.#list().length;
        if (this.#older()) index += this.#list().length - before;
      }
      const item = this.#list()[index];
      if (item === undefined) break;
      const rows = this.#rowsOf(item, index);
      for (let row = Math.min(from, rows.length - 1); row >= 0 && found.length < count; row--) {
        found.push({ row: rows[row] ?? [], place: { key: item.key, row } });
      }
      from = Number.MAX_SAFE_INTEGER;
      index -= 1;
    }
    return found;
  }

  /** Rows from the anchor on, towards what is newer; the anchor's own is the first. */
  #downward(count: number): { row: Row; place: Anchor }[] {
    const found: { row: Row; place: Anchor }[] = [];
    let index = this.#anchorIndex();
    let from = this.#anchor?.row ?? Number.MAX_SAFE_INTEGER;
    while (found.length < count) {
      if (index >= this.#list().length && !this.#newer()) break;
      const item = this.#list()[index];
      if (item === undefined) break;
      const rows = this.#rowsOf(item, index);
      for (let row = Math.min(from, rows.length - 1); row < rows.length && found.length < count; row++) {
        found.push({ row: rows[row] ?? [], place: { key: item.key, row } });
      }
      from = 0;
      index += 1;
    }
    return found;
  }

  #anchorIndex(): number {
    const list = this.#list();
    const { key } = this.#anchor ?? {};
    const index = key === undefined ? -1 : list.findLastIndex((item) => item.key === key);
    return index < 0 ? list.length - 1 : index;
  }

  /** Held messages and what the client said behind each. */
  #list(): readonly Item[] {
    if (this.#items !== undefined) return this.#items;
    const items: Item[] = [];
    const first = this.#hasOlder ? (this.#messages[0]?.id ?? 0) : 0;
    let next = this.#notices.findIndex(({ after }) => after >= first);
    if (next < 0) next = this.#notices.length;
    const said = (before: number) => {
      for (let at = this.#notices[next]; at !== undefined && at.after < before; at = this.#notices[next]) {
        items.push({ key: `n${at.notice.id}`, ...at });
        next += 1;
      }
    };
    for (const message of this.#messages) {
      said(message.id);
      items.push({ key: `m${message.id}`, message });
    }
    if (!this.#hasNewer) said(Number.POSITIVE_INFINITY);
    this.#items = items;
    return items;
  }

  #rowsOf(item: Item, index: number): readonly Row[] {
    if ('notice' in item) {
      const known = this.#laidOut.get(item.notice);
      if (known?.layout === this.#layout) return known.rows;
      const rows = noticeRows(item.notice, this.#layout);
      this.#laidOut.set(item.notice, { layout: this.#layout, day: null, unread: 0, today: 0, rows });
      return rows;
    }
    const { message } = item;
    const above = this.#above(message, index);
    // Words like Yesterday hold for a day only.
    const today = above.day === null ? 0 : Math.floor(this.#now / 60_000);
    const known = this.#laidOut.get(message);
    const same = known?.layout === this.#layout && known.day === above.day && known.unread === above.unread;
    if (same && known.today === today) return known.rows;
    const rows = messageRows(message, this.#layout, above, this.#now);
    this.#laidOut.set(message, { layout: this.#layout, ...above, today, rows });
    return rows;
  }

  #above(message: StoredMessage, index: number): Above {
    let before = index - 1;
    const list = this.#list();
    while (before >= 0 && !('message' in (list[before] ?? {}))) before -= 1;
    const previous = list[before];
    const at = previous !== undefined && 'message' in previous ? previous.message.at : null;
    const unread = this.#unread?.id === message.id ? this.#unread.count : 0;
    return { day: dayBegins(at, message.at), unread };
  }

  /** Reads a page of older messages; false if there are none. */
  #older(): boolean {
    if (!this.#hasOlder || this.#history === null || this.#peer === null) return false;
    const first = this.#messages[0]?.id ?? null;
    const page = this.#history.before(this.#peer, first, PAGE);
    this.#hasOlder = page.length === PAGE;
    this.#messages.unshift(...page);
    this.#items = undefined;
    return page.length > 0;
  }

  #newer(): boolean {
    if (!this.#hasNewer || this.#history === null || this.#peer === null) return false;
    const page = this.#history.after(this.#peer, this.newest, PAGE);
    this.#hasNewer = page.length === PAGE;
    this.#messages.push(...page);
    this.#items = undefined;
    return page.length > 0;
  }

  #replace(messages: readonly StoredMessage[]): void {
    this.#messages.length = 0;
    this.#messages.push(...messages);
    this.#hasOlder = true;
    this.#hasNewer = true;
    this.#items = undefined;
  }

  /** Lets go of messages far from what is shown. */
  #trim(): void {
    const surplus = this.#messages.length - MAX_HELD;
    if (surplus <= 0) return;
    const id = Number(/^m(\d+)$/.exec(this.#anchor?.key ?? '')?.[1] ?? Number.NaN);
    const at = this.#messages.findIndex((message) => message.id === id);
    if (at < 0) return;
    if (at > this.#messages.length / 2) {
      this.#messages.splice(0, surplus);
      this.#hasOlder = true;
    } else {
      this.#messages.splice(MAX_HELD);
      this.#hasNewer = true;
    }
    this.#items = undefined;
  }

  #newest(): number {
    if (!this.#hasNewer || this.#history === null || this.#peer === null) return this.newest;
    return this.#history.conversation(this.#peer)?.lastId ?? this.newest;
  }
}

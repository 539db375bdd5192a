import type { History } from '../history/history.ts';
import type { Peer, StoredMessage } from '../history/types.ts';
import { type BareSaid, bareMessage } from './bare-lines.ts';
import { DayHeadings } from './days.ts';
import { HeldMessages } from './held-messages.ts';
import { type Item, ItemRows } from './item-rows.ts';
import type { Layout, Notice } from './message-rows.ts';
import { addNotice, type Said } from './notices.ts';
import type { Row } from './rows.ts';

/** Rows of what came before that stay in sight above the first unread message. */
const CONTEXT_ROWS = 2;
/** The bare view looks so many windows back for messages. */
const BARE_WINDOWS = 3;

/** The lowest row that is shown: the `row`-th of an item. */
interface Anchor {
  readonly key: string;
  readonly row: number;
}

interface Found {
  readonly row: Row;
  readonly place: Anchor;
  readonly item: Item;
  /** The lowest row of the item. */
  readonly isLast: boolean;
}

/**
 * Messages in the window: `first` is the uppermost that any row is of, `last` the lowest that ends in it; less than
 * `first` if none does.
 */
export interface Sight {
  readonly first: number;
  readonly last: number;
}

/**
 * What was said in one conversation, and the client's own lines in between, as rows. Only what is looked at is read from
 * the history and laid out, so that the cost depends on the rows of the screen and not on the messages.
 */
export class Timeline {
  readonly #held: HeldMessages;
  readonly #notices: Said[];
  readonly #rows: ItemRows;
  /** What is held, as it was at that version. */
  #items: { readonly version: number; readonly list: readonly Item[] } | undefined;
  /** Null: the newest row is the lowest one, and stays so when more comes. */
  #anchor: Anchor | null = null;
  /** The newest message and the newest line of the client's own when the window was emptied; null: it was not. */
  #cleared: { readonly message: number; readonly notice: number } | null = null;

  /**
   * @param peer null: no conversation, only the client's own lines
   * @param notices what the client said there before; what it says is added
   */
  constructor(history: History | null, peer: Peer | null, layout: Layout, now: number, notices: Said[] = []) {
    this.#notices = notices;
    this.#held = new HeldMessages(history, peer);
    this.#rows = new ItemRows(layout, now);
  }

  /** Whether the newest row is in sight. */
  get isAtEnd(): boolean {
    return this.#anchor === null;
  }

  /** Users who have said something among the messages that are held, in a room; whoever did last first. */
  get speakers(): string[] {
    const authors = this.#held.messages.flatMap(({ author }) =>
      author?.kind === 'user' ? [author.name] : [],
    );
    return [...new Set(authors.reverse())];
  }

  /** Of the texts of the messages that are held. */
  get heldCharacters(): number {
    return this.#held.characters;
  }

  /** @param now for the words of the days, in milliseconds since the epoch */
  layOut(layout: Layout, now: number): void {
    this.#rows.layOut(layout, now);
  }

  /** Marks where the unread messages begin. */
  markUnread(id: number | null, count: number): void {
    this.#rows.unread = id === null ? null : { id, count };
  }

  arrived(message: StoredMessage): void {
    this.#held.arrived(message, this.#anchor === null);
  }

  changed(message: StoredMessage): void {
    this.#held.changed(message);
  }

  said(notice: Notice): void {
    addNotice(this.#notices, { notice, after: this.#held.newest });
    this.#items = undefined;
  }

  /** Shows the newest row, from now on. */
  toEnd(): void {
    this.#anchor = null;
    this.#held.toNewest();
  }

  /** An empty window, in which only what comes from now on is shown; whoever goes up sees the rest again. */
  clear(): void {
    this.toEnd();
    const notice = this.#notices.at(-1)?.notice.id ?? 0;
    this.#cleared = { message: this.#held.newest, notice };
  }

  /** Whether what stood in the window before it was emptied is out of it. */
  get isCleared(): boolean {
    return this.#anchor === null && this.#cleared !== null;
  }

  /** The history may have got messages that `arrived` was not told of. */
  reread(): void {
    this.#held.reread();
    if (this.#anchor === null) this.toEnd();
  }

  /** Shows the oldest rows. */
  toStart(height: number): void {
    if (!this.#held.isSomewhere) return;
    this.#held.around(0);
    const first = this.#list()[0];
    if (first !== undefined) this.#anchor = { key: first.key, row: 0 };
    this.scroll(-height, height);
  }

  /** Shows a message, wherever it is: what was looked for in it, or else its end, with what follows below. */
  toMessage(id: number, height: number): void {
    if (!this.#held.isSomewhere) return;
    this.#held.around(id);
    const key = `m${id}`;
    const item = this.#list().find((one) => one.key === key);
    const rows = item === undefined ? [] : this.#rows.of(item);
    const hit = rows.findIndex((row) => row.some(({ role }) => role === 'found' || role === 'found-here'));
    this.#anchor = { key, row: hit < 0 ? Number.MAX_SAFE_INTEGER : hit };
    this.scroll(Math.floor(height / 3), height);
  }

  /**
   * Shows a message and as much as fits of what follows, below a row or two of what came before it.
   * @returns false if that is what the window shows already
   */
  readFrom(id: number, height: number): boolean {
    if (!this.#held.isSomewhere) return false;
    const { key, row } = this.#anchor ?? {};
    this.#held.around(id);
    this.#anchor = { key: `m${id}`, row: 0 };
    this.scroll(Math.max(0, height - 1 - Math.min(CONTEXT_ROWS, Math.floor(height / 4))), height);
    return this.#anchor?.key !== key || this.#anchor?.row !== row;
  }

  /** Shows the line above the messages that were unread; false if there is none. */
  toMark(height: number): boolean {
    const { unread } = this.#rows;
    if (unread === null) return false;
    this.readFrom(unread.id, height);
    return true;
  }

  /** Moves the window by so many rows; negative is towards what is older. @param height rows of the window */
  scroll(by: number, height: number): void {
    if (by < 0 && this.isCleared) {
      // First what stood there, so that nobody misses rows of it.
      this.#cleared = null;
      return;
    }
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
    else this.#held.trim(Number(/^m(\d+)$/.exec(this.#anchor.key)?.[1] ?? Number.NaN));
  }

  /** Another width or height may have made room below: then the window comes to what is newer, and to the end. */
  fill(height: number): void {
    this.#inWindow(height);
  }

  /** The rows to show, at most `height`, oldest first. */
  window(height: number): Row[] {
    return this.#inWindow(height)
      .map(({ row }) => row)
      .reverse();
  }

  /** The messages that any row of the window is of, oldest first, and some before them in the place of the client's own lines. */
  bare(height: number): BareSaid[] {
    this.fill(height);
    // The uppermost row of each counts.
    const places = new Map(this.#upward(BARE_WINDOWS * height).map(({ item, place }) => [item, place.row]));
    return [...places].toReversed().flatMap(([item, row]) => {
      if (!('message' in item)) return [];
      return [bareMessage(item.message, row / this.#rows.of(item).length)];
    });
  }

  /** Null: no message is in the window. */
  inSight(height: number): Sight | null {
    const found = this.#inWindow(height);
    const uppermost = found.findLast(({ item }) => 'message' in item)?.item;
    if (uppermost === undefined || !('message' in uppermost)) return null;
    const lowest = found.find(({ item, isLast }) => isLast && 'message' in item)?.item;
    const first = uppermost.message.id;
    return { first, last: lowest !== undefined && 'message' in lowest ? lowest.message.id : first - 1 };
  }

  #inWindow(height: number): Found[] {
    let above = this.#upward(height);
    if (above.length < height && this.#anchor !== null) {
      // Another width has made the rows above fewer: there is room for some below.
      this.scroll(height - above.length, height);
      above = this.#upward(height);
    }
    return above;
  }

  /** Rows from the anchor on, towards what is older. */
  #upward(count: number): Found[] {
    const found: Found[] = [];
    let index = this.#anchorIndex();
    let from = this.#anchor?.row ?? Number.MAX_SAFE_INTEGER;
    while (found.length < count) {
      if (index <= 0) {
        // Also for the first one that is held: whether a day begins with it, the one before it says.
        const before = this.#list().length;
        // Without any, what was said before the first one comes into the list.
        this.#held.older();
        index += this.#list().length - before;
      }
      const item = this.#list()[index];
      if (item === undefined || (this.isCleared && this.#isOld(item))) break;
      const rows = this.#rows.of(item);
      for (let row = Math.min(from, rows.length - 1); row >= 0 && found.length < count; row--) {
        found.push(foundAt(rows, row, item));
      }
      from = Number.MAX_SAFE_INTEGER;
      index -= 1;
    }
    return found;
  }

  /** Rows from the anchor on, towards what is newer; the anchor's own is the first. */
  #downward(count: number): Found[] {
    const found: Found[] = [];
    let index = this.#anchorIndex();
    let from = this.#anchor?.row ?? Number.MAX_SAFE_INTEGER;
    while (found.length < count) {
      if (index >= this.#list().length) this.#held.newer();
      const item = this.#list()[index];
      if (item === undefined) break;
      const rows = this.#rows.of(item);
      for (let row = Math.min(from, rows.length - 1); row < rows.length && found.length < count; row++) {
        found.push(foundAt(rows, row, item));
      }
      from = 0;
      index += 1;
    }
    return found;
  }

  /** Whether it was there when the window was emptied. */
  #isOld(item: Item): boolean {
    const { message = 0, notice = 0 } = this.#cleared ?? {};
    return 'message' in item ? item.message.id <= message : item.notice.id <= notice;
  }

  #anchorIndex(): number {
    const list = this.#list();
    const { key } = this.#anchor ?? {};
    const index = key === undefined ? -1 : list.findLastIndex((item) => item.key === key);
    return index < 0 ? list.length - 1 : index;
  }

  /** Held messages and what the client said behind each. */
  #list(): readonly Item[] {
    const { version, messages, hasOlder, hasNewer } = this.#held;
    if (this.#items?.version === version) return this.#items.list;
    const list: Item[] = [];
    const days = new DayHeadings(this.#rows.now);
    const first = hasOlder ? (messages[0]?.id ?? 0) : 0;
    let next = this.#notices.findIndex(({ after }) => after >= first);
    if (next < 0) next = this.#notices.length;
    const said = (before: number) => {
      for (let at = this.#notices[next]; at !== undefined && at.after < before; at = this.#notices[next]) {
        list.push({ key: `n${at.notice.id}`, ...at });
        next += 1;
      }
    };
    for (const message of messages) {
      said(message.id);
      list.push({ key: `m${message.id}`, message, day: days.before(message.at) });
    }
    if (!hasNewer) said(Number.POSITIVE_INFINITY);
    this.#items = { version, list };
    return list;
  }
}

function foundAt(rows: readonly Row[], row: number, item: Item): Found {
  return {
    row: rows[row] ?? [],
    place: { key: item.key, row },
    item,
    isLast: row === rows.length - 1,
  };
}

import type { StoredMessage } from '../history/types.ts';
import { type Above, type Layout, messageRows, noticeRows } from './message-rows.ts';
import type { Said } from './notices.ts';
import type { Row } from './rows.ts';

/** What stands in a timeline: a message, or a line of the client's own. */
export type Item =
  /** `day`: the day that begins with it, or null. */
  | { readonly key: string; readonly message: StoredMessage; readonly day: number | null }
  | ({ readonly key: string } & Said);

interface LaidOut {
  readonly layout: Layout;
  readonly day: number | null;
  readonly unread: number;
  readonly today: number;
  readonly rows: readonly Row[];
}

/** The rows of what stands in a timeline: laid out once, and again where what they were laid out by has changed. */
export class ItemRows {
  /** The first unread message when the conversation was opened, and how many there were. */
  unread: { readonly id: number; readonly count: number } | null = null;
  readonly #laidOut = new WeakMap<object, LaidOut>();
  #layout: Layout;
  #now: number;

  constructor(layout: Layout, now: number) {
    this.#layout = layout;
    this.#now = now;
  }

  /** For the words of the days, in milliseconds since the epoch. */
  get now(): number {
    return this.#now;
  }

  layOut(layout: Layout, now: number): void {
    this.#layout = layout;
    this.#now = now;
  }

  of(item: Item): readonly Row[] {
    if ('notice' in item) {
      const known = this.#laidOut.get(item.notice);
      if (known?.layout === this.#layout) return known.rows;
      const rows = noticeRows(item.notice, this.#layout);
      this.#laidOut.set(item.notice, { layout: this.#layout, day: null, unread: 0, today: 0, rows });
      return rows;
    }
    const { message, day } = item;
    const above: Above = { day, unread: this.unread?.id === message.id ? this.unread.count : 0 };
    // Words like Yesterday hold for a day only.
    const today = above.day === null ? 0 : Math.floor(this.#now / 60_000);
    const known = this.#laidOut.get(message);
    const same = known?.layout === this.#layout && known.day === above.day && known.unread === above.unread;
    if (same && known.today === today) return known.rows;
    const rows = messageRows(message, this.#layout, above, this.#now);
    this.#laidOut.set(message, { layout: this.#layout, ...above, today, rows });
    return rows;
  }
}

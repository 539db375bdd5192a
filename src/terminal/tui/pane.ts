import type { History } from '../history/history.ts';
import { isSame, type Peer, type StoredMessage } from '../history/types.ts';
import type { BareSaid } from './bare-lines.ts';
import { messageColumns, messageHeight } from './frame.ts';
import { type Layout, layoutFor, type Notice } from './message-rows.ts';
import { addNotice, Notices } from './notices.ts';
import { NOTHING_OUT_OF_SIGHT, Reading } from './reading.ts';
import { isWide, type Screen, type ScreenEvent } from './screen.ts';
import { Timeline } from './timeline.ts';

/** The messages of the open conversation: what the window shows of them, and what has been read. */
export class Pane {
  readonly #now: () => number;
  readonly #notices = new Notices();
  #screen: Screen;
  #layout: Layout;
  #timeline: Timeline;
  /** Null: no conversation is open. */
  #reading: Reading | null = null;
  #lastNotice = 0;

  /** @param now milliseconds since the epoch, for the words of days and for the client's own lines */
  constructor(screen: Screen, now: () => number) {
    this.#now = now;
    this.#screen = screen;
    this.#layout = this.#layoutNow();
    this.#timeline = new Timeline(null, null, this.#layout, now(), this.#notices.of(null));
  }

  get timeline(): Timeline {
    return this.#timeline;
  }

  /** Another conversation; it begins with what is unread. */
  open(history: History | null, peer: Peer | null, screen: Screen): void {
    this.#screen = screen;
    this.#layout = this.#layoutNow();
    this.#timeline = new Timeline(history, peer, this.#layout, this.#now(), this.#notices.of(peer));
    this.#reading =
      history === null || peer === null ? null : new Reading(history, peer, this.#timeline, this.#height);
  }

  /** Somebody else is at the keys. */
  forget(): void {
    this.#notices.forget();
  }

  said(kind: Notice['kind'], text: string): void {
    this.#lastNotice += 1;
    this.#timeline.said({ id: this.#lastNotice, at: this.#now(), kind, text });
  }

  /** Something that the person should know about a conversation, which they find there. */
  saidIn(history: History | null, peer: Peer, text: string): void {
    if (isSame(peer, this.#screen.chat.to)) {
      this.said('info', text);
      return;
    }
    this.#lastNotice += 1;
    const notice = { id: this.#lastNotice, at: this.#now(), kind: 'info', text } as const;
    addNotice(this.#notices.of(peer), { notice, after: history?.conversation(peer)?.lastId ?? 0 });
  }

  /** A message of the open conversation; returns whether it is in sight at once. */
  arrived(message: StoredMessage): boolean {
    const { isAtEnd } = this.#timeline;
    this.#timeline.arrived(message);
    return isAtEnd;
  }

  /**
   * To be called before each frame.
   * @param isLooking somebody can read what is in the window
   * @returns what the screen has to know, and whether something has been read that was not before
   */
  look(screen: Screen, isLooking: boolean): { readonly event: ScreenEvent; readonly hasRead: boolean } {
    this.#layOut(screen);
    const height = messageHeight(screen, this.#timeline.isAtEnd);
    const { outOfSight = NOTHING_OUT_OF_SIGHT, hasRead = false } =
      this.#reading?.look(height, isLooking) ?? {};
    return { event: { type: 'out-of-sight', outOfSight }, hasRead };
  }

  /** By pages, less the row that is in sight before and after. */
  page(direction: 1 | -1): void {
    this.#timeline.scroll(direction * (this.#height - 1), this.#height);
  }

  /** By rows; negative is towards what is older. */
  scroll(by: number): void {
    this.#timeline.scroll(by, this.#height);
  }

  toStart(): void {
    this.#timeline.toStart(this.#height);
  }

  toEnd(): void {
    this.#timeline.toEnd();
  }

  clear(): void {
    this.#timeline.clear();
  }

  toMessage(id: number, screen: Screen): void {
    this.#layOut(screen);
    this.#timeline.toMessage(id, this.#height);
  }

  /** The hit that was gone to, or else the lowest message in sight; null: none is. */
  get lookedAt(): number | null {
    const height = messageHeight(this.#screen, this.#timeline.isAtEnd);
    return this.#layout.here ?? this.#timeline.inSight(height)?.last ?? null;
  }

  /** What is in the window, to be shown alone. */
  bare(): BareSaid[] {
    return this.#timeline.bare(messageHeight(this.#screen, this.#timeline.isAtEnd));
  }

  /** Something is being said: it is in sight, and the line above what was new goes, if all of that is read. */
  saying(): void {
    this.#timeline.toEnd();
    if (this.#reading?.isDone) this.#timeline.markUnread(null, 0);
  }

  /** Shows what is unread next; false if nothing is. */
  nextUnread(): boolean {
    return this.#reading?.next(this.#height) ?? false;
  }

  /** Shows what is unread first, or what was new when it was opened; false without either. */
  firstUnread(): boolean {
    return this.#reading?.first(this.#height) ?? false;
  }

  readAll(): void {
    this.#reading?.readAll();
  }

  /** The same layout as long as nothing is another in it: whatever was laid out by it stays. */
  #layOut(screen: Screen): void {
    this.#screen = screen;
    const layout = this.#layoutNow();
    const { columns, nameColumns, seconds, terms, here } = this.#layout;
    const isSame = layout.columns === columns && layout.nameColumns === nameColumns && layout.terms === terms;
    if (!isSame || layout.seconds !== seconds || layout.here !== here) this.#layout = layout;
    this.#timeline.layOut(this.#layout, this.#now());
    this.#timeline.fill(this.#height);
  }

  /** Rows of the window while there is more below. */
  get #height(): number {
    return messageHeight(this.#screen, false);
  }

  #layoutNow(): Layout {
    const { chat, walk } = this.#screen;
    const terms = walk?.query?.search.terms;
    const here = walk?.hits[walk.picked]?.id ?? null;
    return layoutFor(messageColumns(this.#screen), isWide(this.#screen), chat.to, terms, here);
  }
}

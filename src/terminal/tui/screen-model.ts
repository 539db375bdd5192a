import type { ChatState } from '../chat/display.ts';
import type { History } from '../history/history.ts';
import { type Conversation, countNews, isSame, type Peer, type StoredMessage } from '../history/types.ts';
import type { Bindings } from './bindings.ts';
import { ConversationList } from './conversation-list.ts';
import { frameOf, type ScreenFrame } from './frame.ts';
import { Drafts, InputHistory } from './kept-texts.ts';
import { Pane } from './pane.ts';
import { emptyScreen, type Screen, type ScreenEvent, showsMessages, updateScreen } from './screen.ts';

interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface ModelOptions {
  readonly bindings: Bindings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether something else is shown just now, in place of all this. */
  readonly isHidden: () => boolean;
  /** Gets the window's title, each once. */
  readonly onTitle: (title: string) => void;
}

/**
 * What the screen shows, and what that is made of: its state, the history, the open conversation, and what is written and
 * not sent. Who changes something draws afterwards.
 */
export class ScreenModel {
  readonly pane: Pane;
  readonly #options: ModelOptions;
  readonly #list = new ConversationList();
  readonly #drafts = new Drafts();
  readonly #entered = new InputHistory();
  #screen: Screen;
  #history: History | null = null;
  #title = '';
  /** Whether the keys come to this terminal, as far as it says. */
  hasFocus = true;

  constructor(chat: ChatState, { columns, rows }: Size, options: ModelOptions) {
    this.#options = options;
    this.#screen = emptyScreen(chat, columns, rows, options.bindings);
    this.pane = new Pane(this.#screen, options.now);
  }

  get screen(): Screen {
    return this.#screen;
  }

  get history(): History | null {
    return this.#history;
  }

  update(event: ScreenEvent): void {
    this.#screen = updateScreen(this.#screen, event);
  }

  /** The frame of what is so now. What is in it, and somebody looks at, counts as read from then on. */
  draw(): ScreenFrame {
    this.refresh();
    return frameOf(this.#screen, this.pane.timeline, this.#options.now());
  }

  /**
   * Brings up to date what follows from the history and the size, and takes for read what somebody looks at.
   * @returns the conversations as they are now, newest activity first
   */
  refresh(): readonly Conversation[] {
    const { event, hasRead } = this.pane.look(this.#screen, this.#isLooking);
    this.update(event);
    const { to, account } = this.#screen.chat;
    if (hasRead && to !== null) this.#list.changed(to);
    const conversations = this.#list.read(this.#history);
    if (conversations !== this.#screen.conversations) this.update({ type: 'conversations', conversations });
    const news = countNews(conversations);
    const title = `${news > 0 ? `(${news}) ` : ''}milena${account === null ? '' : ` · ${account}`}`;
    if (title !== this.#title) this.#options.onTitle(title);
    this.#title = title;
    return conversations;
  }

  /** The chat is in another state, perhaps at another conversation. */
  chatChanged(chat: ChatState): void {
    const before = this.#screen.chat.to;
    const isAnother = !isSame(before, chat.to);
    if (isAnother) {
      this.keepDraft();
      this.#entered.keep(before, this.#screen.input.history);
    }
    this.update({ type: 'chat', chat });
    if (isAnother) this.#open(chat.to);
  }

  /** Nothing of the account before stays; no conversation may be open. */
  historyIs(history: History): void {
    const isAnother = this.#history !== null;
    this.#history = history;
    if (!isAnother) return;
    this.#drafts.forget();
    this.#entered.forget();
    this.pane.forget();
    this.update({ type: 'new-person' });
  }

  /** A message is new in the history; returns whether somebody saw it come. */
  arrived(message: StoredMessage): boolean {
    const isOpen = isSame(message.peer, this.#screen.chat.to);
    this.#list.changed(message.peer);
    return isOpen && this.pane.arrived(message) && this.#isLooking;
  }

  /** Something in the list is other than it was, nobody knows where. */
  listChanged(): void {
    this.#list.changedAll();
  }

  keepDraft(): void {
    const { chat, input } = this.#screen;
    if (this.#drafts.keep(this.#history, chat.to, input.text) && chat.to !== null)
      this.#list.changed(chat.to);
  }

  /** Keeps what is written when the person pauses. */
  keepDraftSoon(): void {
    this.#drafts.whenPausing(() => this.keepDraft());
  }

  #open(peer: Peer | null): void {
    this.pane.open(this.#history, peer, this.#screen);
    const entered = this.#entered.of(this.#history, peer);
    this.update({ type: 'draft', text: this.#drafts.of(this.#history, peer), entered });
    if (peer !== null) this.#list.changed(peer);
  }

  /** Whether somebody can read the messages in the window. */
  get #isLooking(): boolean {
    return this.hasFocus && !this.#options.isHidden() && showsMessages(this.#screen);
  }
}

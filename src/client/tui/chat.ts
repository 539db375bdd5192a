import type { Histories } from '../history/histories.ts';
import type { History } from '../history/history.ts';
import { isSame } from '../history/peers.ts';
import type { Peer, StoredMessage } from '../history/types.ts';
import { asText, commandWords } from '../talk/commands.ts';
import type { Question, TalkState, View } from '../talk/display.ts';
import type { MakeFace } from '../talk/face.ts';
import { Talk } from '../talk/talk.ts';
import { nameOf } from '../talk/words.ts';
import type { InputEvent } from '../terminal/input-event.ts';
import { type Bindings, DEFAULT_BINDINGS } from './bindings.ts';
import { stepCompletion, typedName } from './completion.ts';
import { ConversationList } from './conversation-list.ts';
import { Drafts } from './drafts.ts';
import { Entered } from './entered.ts';
import { startSearch, stepSearch } from './entered-search.ts';
import { conversationAt, type Frame, frameOf, messageColumns, messageHeight } from './frame.ts';
import type { InputAction } from './input-line.ts';
import { keyRows } from './key-rows.ts';
import { type KeyAction, keyAction } from './keys.ts';
import { type Layout, layoutFor } from './message-rows.ts';
import { sameRow, span } from './rows.ts';
import {
  emptyScreen,
  isWide,
  type Screen,
  type ScreenEvent,
  showsMessages,
  unreadConversations,
  updateScreen,
} from './screen.ts';
import { Timeline } from './timeline.ts';

/**
 * What comes by itself is drawn at once, but not again sooner than this: many messages are drawn together, and between
 * their frames there is time for keys, which are drawn at once.
 */
const FRAME_MS = 100;
/** What comes together from the socket is seen together. */
const MIN_FRAME_MS = 5;
/** Longer than what Ink puts together into one frame. */
const BLANK_MS = 20;

/** What the terminal does besides showing rows. */
export interface Bell {
  ring(): void;
  title(text: string): void;
}

/** What a person's terminal is to the chat. */
export interface Keys {
  readonly bindings: Bindings;
  /** Where a person writes other keys, for /help keys. */
  readonly file: string;
  /** Gives the terminal back to the shell for a while. */
  readonly suspend: () => void;
}

const DEFAULT_KEYS: Keys = { bindings: DEFAULT_BINDINGS, file: 'keys.conf', suspend: () => undefined };

const PASTE_IS_TEXT = 'A paste is text: the second / is not sent. Without it this would be a command.';

/**
 * The person's keys, the talk, and the screen's state: it carries out key presses and tells whoever draws when there is
 * another frame.
 */
export class Chat implements View {
  readonly #talk: Talk;
  readonly #bell: Bell;
  readonly #quit: () => void;
  readonly #listeners = new Set<() => void>();
  #screen: Screen;
  #history: History | null = null;
  #timeline: Timeline;
  #layout: Layout;
  #frame: Frame;
  readonly #list = new ConversationList();
  /** The newest message of the open conversation that was on the screen. */
  #readUpTo = 0;
  /** The frame is of an earlier state. */
  #isStale = false;
  #drawing: NodeJS.Timeout | undefined;
  /** By the monotonic clock. */
  #shownAt = 0;
  readonly #drafts = new Drafts();
  readonly #entered = new Entered();
  readonly #keys: Keys;
  #isFocused = true;
  #saidPasteIsText = false;
  #notices = 0;
  #blank: Frame | null = null;
  #title = '';

  /** @param quit the person wants to leave */
  constructor(
    makeFace: MakeFace,
    server: string,
    histories: Histories,
    size: { readonly columns: number; readonly rows: number },
    bell: Bell,
    quit: () => void,
    keys: Keys = DEFAULT_KEYS,
  ) {
    this.#bell = bell;
    this.#keys = keys;
    this.#quit = quit;
    this.#layout = layoutFor(size.columns, false, []);
    this.#timeline = new Timeline(null, null, this.#layout, Date.now());
    this.#talk = new Talk(makeFace, server, histories, this);
    this.#screen = emptyScreen(this.#talk.state, size.columns, size.rows, keys.bindings);
    this.#frame = frameOf(this.#screen, this.#timeline, Date.now());
  }

  start(name: string | null): void {
    this.#talk.start(name);
  }

  /** Something that the person should know, from outside the talk. */
  tell(sentence: string): void {
    this.#talk.say('error', sentence);
  }

  async close(): Promise<void> {
    this.#keepDraft();
    clearTimeout(this.#drawing);
    await this.#talk.close();
  }

  get screen(): Screen {
    return this.#screen;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** The frame to show; the same object until something has changed. */
  readonly getFrame = (): Frame => {
    if (!this.#isStale) return this.#frame;
    this.#isStale = false;
    if (this.#blank !== null) {
      this.#frame = this.#blank;
      return this.#frame;
    }
    this.#refresh();
    const frame = frameOf(this.#screen, this.#timeline, Date.now());
    const before = this.#frame.rows;
    // Rows that did not change stay the same objects, so that nobody draws them again.
    const rows = frame.rows.map((row, index) => {
      const was = before[index];
      return was !== undefined && sameRow(row, was) ? was : row;
    });
    this.#frame = { ...frame, rows };
    return this.#frame;
  };

  resize(columns: number, rows: number): void {
    if (columns === this.#screen.columns && rows === this.#screen.rows) return;
    this.#update({ type: 'resize', columns, rows });
    this.#show();
  }

  /** Carries out what the person does at the terminal, in order. */
  take(events: readonly InputEvent[]): void {
    for (const event of events) {
      if (event.type === 'focus') this.focus(event.isFocused);
      const action = keyAction(event, this.#keys.bindings);
      if (action !== null) this.#press(action);
    }
    this.#show();
  }

  /** Whether the person looks at the terminal's window, as far as that says so. */
  focus(isFocused: boolean): void {
    this.#isFocused = isFocused;
  }

  get isFocused(): boolean {
    return this.#isFocused;
  }

  /** Carries out key presses, in order. */
  press(actions: readonly KeyAction[]): void {
    for (const action of actions) this.#press(action);
    this.#show();
  }

  said(kind: 'info' | 'error', text: string): void {
    this.#notices += 1;
    this.#timeline.said({ id: this.#notices, at: Date.now(), kind, text });
    this.#showSoon();
  }

  arrived(message: StoredMessage): void {
    const isOpen = isSame(message.peer, this.#screen.talk.to);
    if (isOpen) this.#timeline.arrived(message);
    this.#list.changed(message.peer);
    if (message.direction === 'in') this.#ring(message.peer);
    this.#showSoon();
  }

  changed(message: StoredMessage): void {
    if (!isSame(message.peer, this.#screen.talk.to)) return;
    this.#timeline.changed(message);
    this.#showSoon();
  }

  stateChanged(talk: TalkState): void {
    const before = this.#screen.talk.to;
    if (!isSame(before, talk.to)) {
      this.#keepDraft();
      this.#entered.keep(before, this.#screen.input.history);
    }
    this.#update({ type: 'talk', talk });
    if (!isSame(before, talk.to)) this.#open(talk.to);
    this.#showSoon();
  }

  historyOpened(history: History): void {
    if (history === this.#history) {
      // While another process was logged in, it may have taken messages along.
      this.#timeline.reread();
    } else {
      // First, so that what is written stays with the earlier account.
      if (this.#screen.talk.to !== null) this.#talk.turnTo(null);
      const isAnother = this.#history !== null;
      this.#history = history;
      if (isAnother) {
        this.#drafts.forget();
        this.#entered.forget();
        this.#update({ type: 'new-person' });
      }
    }
    this.#list.changedAll();
    this.#showSoon();
  }

  conversationChanged(): void {
    this.#list.changedAll();
    this.#showSoon();
  }

  asked(question: Question | null, keepsTyped: boolean): void {
    this.#update({ type: 'ask', question, keepsTyped });
    this.#showSoon();
  }

  page(title: string, rows: readonly string[]): void {
    this.#update({ type: 'page', page: { type: 'text', title, rows, top: 0 } });
    this.#showSoon();
  }

  showKeys(): void {
    const { bindings, file } = this.#keys;
    this.page('Keys', keyRows(bindings, file, this.#screen.columns - 2));
  }

  found(words: string, messages: readonly StoredMessage[]): void {
    if (messages.length === 0) {
      this.#talk.say('info', `Nothing said here has ${words}.`);
      return;
    }
    const title = `${messages.length} with ${words}`;
    this.#update({ type: 'page', page: { type: 'found', title, messages, picked: 0 } });
    this.#showSoon();
  }

  nextUnread(): void {
    this.#refresh();
    const { conversations } = this.#screen;
    const unread = conversations.filter(({ unread }) => unread > 0);
    // The oldest news first: the list is sorted the other way.
    const next = unread.findLast(({ muted }) => !muted) ?? unread.at(-1);
    if (next === undefined) this.#talk.say('info', 'Nothing is unread.');
    else if (isSame(next.peer, this.#screen.talk.to)) this.#timeline.toEnd();
    else this.#talk.turnTo(next.peer);
  }

  giveBack(text: string): void {
    if (this.#screen.input.text !== '') return;
    this.#update({ type: 'draft', text });
    this.#showSoon();
  }

  quit(): void {
    this.#quit();
  }

  #press(action: KeyAction): void {
    if (this.#screen.search !== null && this.#searches(action)) return;
    const { question, page, picked } = this.#screen;
    switch (action.type) {
      case 'quit':
        this.#quit();
        break;
      case 'cancel':
        this.#cancel();
        break;
      case 'end-of-input':
        this.#endOfInput();
        break;
      case 'submit':
        this.#enter();
        break;
      case 'newline':
        // An answer has one line: every kind of Enter ends it.
        if (question === null) this.#edit(action);
        else this.#enter();
        break;
      case 'up':
      case 'down':
        if (page !== null || picked !== null) this.#pick(action.type === 'up' ? -1 : 1);
        else this.#edit(action);
        break;
      case 'page-up':
      case 'page-down': {
        const height = messageHeight(this.#screen, false);
        const by = action.type === 'page-up' ? 1 - height : height - 1;
        if (page !== null || picked !== null) this.#pick(by);
        else this.#scroll(by);
        break;
      }
      case 'scroll':
        if (page?.type === 'text') this.#pick(action.rows);
        else if (page !== null || picked !== null) this.#pick(Math.sign(action.rows));
        else this.#scroll(action.rows);
        break;
      case 'click':
        this.#click(action.column, action.row);
        break;
      case 'top':
        this.#timeline.toStart(messageHeight(this.#screen, false));
        break;
      case 'bottom':
        this.#timeline.toEnd();
        break;
      case 'toggle-list':
        this.#refresh();
        this.#update({ type: 'list' });
        break;
      case 'next-unread':
        this.nextUnread();
        break;
      case 'previous-conversation':
        this.#step(-1);
        break;
      case 'next-conversation':
        this.#step(1);
        break;
      case 'jump':
        this.#jump(action.index);
        break;
      case 'take-back':
        this.#talk.takeBack();
        break;
      case 'complete':
      case 'complete-back':
        if (question === null) this.#complete(action.type === 'complete' ? 1 : -1);
        break;
      case 'redraw':
        this.#redraw();
        break;
      case 'suspend':
        this.#keys.suspend();
        break;
      case 'search-entered':
        if (question === null && page === null && picked === null) {
          this.#update({ type: 'search', ...startSearch(this.#screen.input) });
        }
        break;
      case 'paste':
        this.#paste(action.text);
        break;
      default:
        this.#edit(action);
    }
  }

  #edit(action: InputAction): void {
    if (this.#screen.picked !== null) this.#update({ type: 'list' });
    this.#update({ type: 'edit', action });
    const { question, input } = this.#screen;
    if (action.type === 'insert' && (question === null ? input : this.#screen.answer).isFull) {
      this.#talk.say('error', 'A message cannot be longer: the end of what you pasted is not in it.');
    }
    if (question !== null) return;
    this.#drafts.whenPausing(() => this.#keepDraft());
  }

  /** A paste is never a command: one that looks like one gets the second slash that a text has. */
  #paste(text: string): void {
    const { question, input } = this.#screen;
    const isFirst = question === null && input.text.slice(0, input.cursor).trim() === '';
    const pasted = isFirst ? asText(text) : text;
    this.#edit({ type: 'insert', text: pasted });
    if (pasted === text || this.#saidPasteIsText) return;
    this.#saidPasteIsText = true;
    this.#talk.say('info', PASTE_IS_TEXT);
  }

  /** Whether a key belongs to the search in what was entered; any other one ends that. */
  #searches(action: KeyAction): boolean {
    const { search, input } = this.#screen;
    if (search === null || action.type === 'redraw') return false;
    const next = stepSearch({ search, input }, action);
    this.#update({ type: 'search', ...(next ?? { search: null, input }) });
    this.#drafts.whenPausing(() => this.#keepDraft());
    return next !== null;
  }

  #click(column: number, row: number): void {
    const index = conversationAt(this.#screen, column, row);
    if (index === null) return;
    if (this.#screen.picked !== null) this.#update({ type: 'list' });
    this.#jump(index);
  }

  #cancel(): void {
    const { question, page, picked, completion } = this.#screen;
    if (completion !== null) {
      this.#update({ type: 'complete', ...stepCompletion(this.#screen.input, completion, 0) });
    } else if (page !== null) this.#update({ type: 'page', page: null });
    else if (picked !== null) this.#update({ type: 'list' });
    else if (question !== null) this.#leaveQuestion();
  }

  #leaveQuestion(): void {
    // What the person throws away themselves is no half of a password that is still being typed.
    this.#update({ type: 'edit', action: { type: 'clear' } });
    if (this.#screen.question?.isOver) this.#update({ type: 'go-on' });
    else this.#talk.leaveQuestion();
  }

  #endOfInput(): void {
    const { question, answer, input } = this.#screen;
    if ((question === null ? input : answer).text !== '') this.#edit({ type: 'delete' });
    else if (question !== null) this.#leaveQuestion();
    else this.#quit();
  }

  #enter(): void {
    const { question, answer, input, page, picked, conversations } = this.#screen;
    const text = question === null ? input.text : answer.text;
    if (page !== null) {
      // Nothing is sent that the page may hide.
      this.#update({ type: 'page', page: null });
      const message = page.type === 'found' ? page.messages[page.picked] : undefined;
      if (message !== undefined) this.#goTo(message);
      return;
    }
    if (picked !== null) {
      const chosen = conversations[picked];
      this.#update({ type: 'list' });
      if (chosen !== undefined) this.#talk.turnTo(chosen.peer);
      return;
    }
    if (question?.isOver) {
      this.#leaveQuestion();
      return;
    }
    if (question === null) {
      this.#update({ type: 'edit', action: { type: this.#talk.isMemorable(text) ? 'submit' : 'clear' } });
      this.#keepDraft();
      this.#timeline.toEnd();
      this.#timeline.markUnread(null, 0);
    } else {
      this.#update({ type: 'edit', action: { type: 'clear' } });
    }
    void this.#talk.enter(text);
  }

  /** Something else wrote on the terminal: each row is drawn anew, which takes a frame without any. */
  #redraw(): void {
    const { columns, rows } = this.#screen;
    this.#blank = { rows: Array.from({ length: rows }, () => [span(' '.repeat(columns))]), cursor: null };
    setTimeout(() => {
      this.#blank = null;
      this.#show();
    }, BLANK_MS);
  }

  #complete(by: 1 | -1): void {
    const { input, completion, talk } = this.#screen;
    const typed = typedName(input, completion, commandWords(talk.protocol));
    const others = typed === null ? [] : this.#talk.namesLike(typed);
    const isKnown = typed !== null && this.#talkedTo().some((name) => name.startsWith(typed.toLowerCase()));
    // What is typed right behind Tab belongs behind the name: only where there is none it waits for the server's.
    if (isKnown || !(others instanceof Promise)) {
      this.#completeWith(by, others instanceof Promise ? [] : others);
      return;
    }
    void others.then((names) => {
      if (this.#screen.input !== input || this.#screen.question !== null) return;
      this.#completeWith(by, names);
      this.#show();
    });
  }

  /** @param others names of people never talked to */
  #completeWith(by: 1 | -1, others: readonly string[]): void {
    const names = [...this.#talkedTo(), ...others];
    const { input, completion, talk } = this.#screen;
    const source = { commands: commandWords(talk.protocol), names };
    this.#update({ type: 'complete', ...stepCompletion(input, completion, by, source) });
  }

  #talkedTo(): string[] {
    this.#refresh();
    return this.#screen.conversations.flatMap(({ peer }) => (peer.kind === 'user' ? [peer.name] : []));
  }

  #pick(by: number): void {
    this.#update({ type: 'pick', by });
  }

  #scroll(by: number): void {
    this.#timeline.scroll(by, messageHeight(this.#screen, false));
  }

  /** The conversation before or after the open one in the list. */
  #step(by: number): void {
    this.#refresh();
    const { conversations, talk } = this.#screen;
    const at = conversations.findIndex(({ peer }) => isSame(peer, talk.to));
    const next = conversations[at < 0 ? (by > 0 ? 0 : conversations.length - 1) : at + by];
    if (next !== undefined) this.#talk.turnTo(next.peer);
  }

  #jump(index: number): void {
    // As the list is drawn: what came since may have moved them.
    const conversation = this.#screen.conversations[index];
    if (conversation !== undefined) this.#talk.turnTo(conversation.peer);
  }

  #goTo(message: StoredMessage): void {
    this.#talk.turnTo(message.peer);
    this.#timeline.toMessage(message.id, messageHeight(this.#screen, false));
  }

  #open(peer: Peer | null): void {
    const history = this.#history;
    this.#layout = this.#layoutNow();
    this.#timeline = new Timeline(history, peer, this.#layout, Date.now());
    this.#readUpTo = 0;
    const conversation = peer === null ? null : (history?.conversation(peer) ?? null);
    this.#timeline.markUnread(conversation?.firstUnread ?? null, conversation?.unread ?? 0);
    const entered = this.#entered.of(history, peer);
    this.#update({ type: 'draft', text: this.#drafts.of(history, peer), entered });
    if (peer !== null) this.#list.changed(peer);
  }

  #keepDraft(): void {
    const { talk, input } = this.#screen;
    if (this.#drafts.keep(this.#history, talk.to, input.text) && talk.to !== null)
      this.#list.changed(talk.to);
  }

  #ring(peer: Peer): void {
    if (!this.#history?.conversation(peer)?.muted) this.#bell.ring();
  }

  /** Brings up to date what follows from the history and the size. */
  #refresh(): void {
    const layout = this.#layoutNow();
    const { columns, nameColumns, seconds } = this.#layout;
    if (layout.columns !== columns || layout.nameColumns !== nameColumns || layout.seconds !== seconds) {
      this.#layout = layout;
    }
    this.#timeline.layOut(this.#layout, Date.now());
    const { to } = this.#screen.talk;
    const history = this.#history;
    const isSeen = this.#timeline.isAtEnd && showsMessages(this.#screen);
    const newest = this.#timeline.newest;
    if (history !== null && to !== null && isSeen && newest > this.#readUpTo) {
      history.read(to, newest);
      this.#readUpTo = newest;
      this.#list.changed(to);
    }
    const conversations = this.#list.read(history);
    if (conversations !== this.#screen.conversations) this.#update({ type: 'conversations', conversations });
    const unread = unreadConversations(this.#screen.conversations);
    const who = this.#screen.talk.account;
    const title = `${unread > 0 ? `(${unread}) ` : ''}milena${who === null ? '' : ` · ${who}`}`;
    if (title !== this.#title) this.#bell.title(title);
    this.#title = title;
  }

  #layoutNow(): Layout {
    const { to } = this.#screen.talk;
    return layoutFor(messageColumns(this.#screen), isWide(this.#screen), to === null ? [] : [nameOf(to)]);
  }

  #update(event: ScreenEvent): void {
    this.#screen = updateScreen(this.#screen, event);
  }

  /** Shows at once what has changed. */
  #show(): void {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    this.#shownAt = performance.now();
    this.#isStale = true;
    for (const listener of this.#listeners) listener();
  }

  #showSoon(): void {
    const wait = this.#shownAt + FRAME_MS - performance.now();
    this.#drawing ??= setTimeout(() => this.#show(), Math.max(MIN_FRAME_MS, wait));
  }
}

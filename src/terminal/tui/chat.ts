import { ServerClock } from '../../client/server-clock.ts';
import { asText, commandWords } from '../chat/commands.ts';
import type { Question, SaidLink, TalkState, View } from '../chat/display.ts';
import type { MakeFace } from '../chat/face.ts';
import { Talk, type TalkOptions } from '../chat/talk.ts';
import { countOf, nameOf } from '../chat/words.ts';
import type { Histories } from '../history/histories.ts';
import type { History } from '../history/history.ts';
import { isSame } from '../history/peers.ts';
import type { Found } from '../history/search.ts';
import type { Peer, StoredMessage } from '../history/types.ts';
import { countNews, nextToRead } from '../history/unread.ts';
import type { InputEvent } from '../keyboard/input-event.ts';
import { sanitiseLine } from '../sanitise.ts';
import { activityPage } from './activity.ts';
import { type Bare, leaveBare, NO_BARE } from './bare-view.ts';
import { type Bindings, DEFAULT_BINDINGS } from './bindings.ts';
import { stepCompletion, typedName } from './completion.ts';
import { ConversationList } from './conversation-list.ts';
import { Drafts } from './drafts.ts';
import { Drawing } from './drawing.ts';
import { Entered } from './entered.ts';
import { startSearch, stepSearch } from './entered-search.ts';
import { conversationAt, type Frame, frameOf, messageHeight } from './frame.ts';
import { type HitPage, nothingFound, searchPage } from './hits.ts';
import type { InputAction } from './input-line.ts';
import { keyRows, usualKeys } from './key-rows.ts';
import { type KeyAction, keyAction } from './keys.ts';
import { Pane } from './pane.ts';
import { emptyScreen, type Screen, type ScreenEvent, showsMessages, updateScreen } from './screen.ts';

/** Characters of a message that the bell is told. */
const MAX_RUNG = 500;

/** What the terminal does besides showing rows. */
export interface Bell {
  /** A message has come that nobody is looking at. Both texts are safe for a terminal, and of one line. */
  ring(from: string, text: string): void;
  title(text: string): void;
}

/** What a person's terminal is to the chat. */
export interface Keys {
  readonly bindings: Bindings;
  /** Where a person writes other keys, for /help keys. */
  readonly file: string;
  /** Gives the terminal back to the shell for a while. */
  readonly suspend: () => void;
  readonly bare: Bare;
}

export interface ChatOptions extends TalkOptions {
  readonly keys?: Keys;
}

const DEFAULT_KEYS: Keys = {
  bindings: DEFAULT_BINDINGS,
  file: 'keys.conf',
  suspend: () => undefined,
  bare: NO_BARE,
};

const PASTE_IS_TEXT = 'A paste is text: the second / is not sent. Without it this would be a command.';

/**
 * The person's keys, the talk, and the screen's state: it carries out key presses and tells whoever draws when there is
 * another frame.
 */
export class Chat implements View {
  readonly #talk: Talk;
  readonly #bell: Bell;
  readonly #quit: () => void;
  readonly #now: () => number;
  readonly #drawing = new Drawing(() => this.#draw());
  #screen: Screen;
  #history: History | null = null;
  readonly #pane: Pane;
  readonly #list = new ConversationList();
  readonly #drafts = new Drafts();
  readonly #entered = new Entered();
  readonly #keys: Keys;
  /** For another look at it. */
  #lastFound: HitPage | null = null;
  #saidPasteIsText = false;
  #title = '';
  /** Whether the keys come to this terminal, as far as it says. */
  #hasFocus = true;

  /** @param quit the person wants to leave */
  constructor(
    makeFace: MakeFace,
    server: string,
    histories: Histories,
    size: { readonly columns: number; readonly rows: number },
    bell: Bell,
    quit: () => void,
    { keys = DEFAULT_KEYS, clock = new ServerClock(), ...options }: ChatOptions = {},
  ) {
    this.#bell = bell;
    this.#keys = keys;
    this.#quit = quit;
    this.#now = clock.now;
    this.#talk = new Talk(makeFace, server, histories, this, { ...options, clock });
    this.#screen = emptyScreen(this.#talk.state, size.columns, size.rows, keys.bindings);
    this.#pane = new Pane(this.#screen, this.#now);
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
    this.#drawing.stop();
    await this.#talk.close();
  }

  get screen(): Screen {
    return this.#screen;
  }

  get subscribe(): Drawing['subscribe'] {
    return this.#drawing.subscribe;
  }

  get getBody(): Drawing['getBody'] {
    return this.#drawing.getBody;
  }

  get getFrame(): Drawing['getFrame'] {
    return this.#drawing.getFrame;
  }

  resize(columns: number, rows: number): void {
    if (columns === this.#screen.columns && rows === this.#screen.rows) return;
    this.#update({ type: 'resize', columns, rows });
    this.#drawing.now();
  }

  /** The terminal has got the keys, or somebody else has: what comes meanwhile is not read. */
  focus(isFocused: boolean): void {
    if (isFocused === this.#hasFocus) return;
    this.#hasFocus = isFocused;
    this.#drawing.now();
  }

  /** Carries out what the person does at the terminal, in order. */
  take(events: readonly InputEvent[]): void {
    for (const event of events) {
      if (event.type === 'focus') this.focus(event.isFocused);
      // Whatever the terminal has said: a key comes from somebody who is there.
      if (event.type === 'key' || event.type === 'text' || event.type === 'paste') this.#hasFocus = true;
      const action = keyAction(event, this.#keys.bindings);
      if (this.#keys.bare.isShown && !leaveBare(this.#keys.bare, event, action)) continue;
      if (action !== null) this.#press(action);
    }
    this.#drawing.now();
  }

  said(kind: 'info' | 'error', text: string): void {
    this.#pane.said(kind, text);
    this.#drawing.soon();
  }

  arrived(message: StoredMessage): void {
    const isOpen = isSame(message.peer, this.#screen.talk.to);
    const isSeen = isOpen && this.#pane.arrived(message) && this.#isLooking;
    this.#list.changed(message.peer);
    if (message.direction === 'in' && !isSeen) this.#ring(message);
    this.#drawing.soon();
  }

  changed(message: StoredMessage): void {
    if (!isSame(message.peer, this.#screen.talk.to)) return;
    this.#pane.timeline.changed(message);
    this.#drawing.soon();
  }

  stateChanged(talk: TalkState): void {
    const before = this.#screen.talk.to;
    if (!isSame(before, talk.to)) {
      this.#keepDraft();
      this.#entered.keep(before, this.#screen.input.history);
    }
    this.#update({ type: 'talk', talk });
    if (!isSame(before, talk.to)) this.#open(talk.to);
    this.#drawing.soon();
  }

  historyOpened(history: History): void {
    if (history === this.#history) {
      // While another process was logged in, it may have taken messages along.
      this.#pane.timeline.reread();
    } else {
      // First, so that what is written stays with the earlier account.
      if (this.#screen.talk.to !== null) this.#talk.turnTo(null);
      const isAnother = this.#history !== null;
      this.#history = history;
      if (isAnother) {
        this.#drafts.forget();
        this.#entered.forget();
        this.#lastFound = null;
        this.#pane.forget();
        this.#update({ type: 'new-person' });
      }
    }
    this.#list.changedAll();
    this.#drawing.soon();
  }

  forgotten(peer: Peer): void {
    // Nor is it found any longer.
    if (this.#lastFound?.hits.some((hit) => isSame(hit.peer, peer))) {
      this.#lastFound = null;
      this.#update({ type: 'walk', walk: null });
    }
    this.conversationChanged();
  }

  conversationChanged(): void {
    this.#list.changedAll();
    this.#drawing.soon();
  }

  asked(question: Question | null, keepsTyped: boolean): void {
    this.#update({ type: 'ask', question, keepsTyped });
    this.#drawing.soon();
  }

  page(title: string, rows: readonly string[]): void {
    this.#update({ type: 'page', page: { type: 'text', title, rows, top: 0 } });
    this.#drawing.soon();
  }

  get keys(): readonly string[] {
    return usualKeys(this.#keys.bindings);
  }

  get cancelKey(): string {
    return this.#keys.bindings.cancelKey;
  }

  showKeys(): void {
    const { bindings, file } = this.#keys;
    this.page('Keys', keyRows(bindings, file, this.#screen.columns - 2));
  }

  found(found: Found<StoredMessage> | null): void {
    const page = found === null ? this.#lastFound : searchPage(found);
    if (page !== null) this.#update({ type: 'page', page });
    else this.#talk.say('info', found === null ? 'Usage: /search WORDS' : nothingFound(found));
    this.#lastFound = page;
    this.#drawing.soon();
  }

  links(links: readonly SaidLink[], canOpen: boolean): number {
    const title = `${countOf(links.length, 'address', 'addresses')}, the newest first`;
    this.#update({ type: 'page', page: { type: 'links', title, links, picked: 0, canOpen } });
    this.#drawing.soon();
    return links.length;
  }

  activity(): void {
    this.#refresh();
    const page = this.#history === null ? null : activityPage(this.#history, this.#screen.conversations);
    if (page === null) this.#talk.say('info', 'Nothing is unread, and nothing had your name or your words.');
    else this.#update({ type: 'page', page });
    this.#drawing.soon();
  }

  working(words: string | null): void {
    this.#update({ type: 'working', words });
    this.#drawing.soon();
  }

  nextUnread(): void {
    this.#update({ type: 'page', page: null });
    this.#refresh();
    if (this.#pane.nextUnread()) return;
    const next = nextToRead(this.#screen.conversations);
    if (next === undefined) this.#talk.say('info', 'Nothing is unread.');
    else this.#talk.turnTo(next.peer);
  }

  readAll(): void {
    this.#pane.readAll();
    this.conversationChanged();
  }

  giveBack(text: string): void {
    if (this.#screen.input.text !== '') return;
    this.#update({ type: 'draft', text });
    this.#drawing.soon();
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
        const direction = action.type === 'page-up' ? -1 : 1;
        if (page === null && picked === null) this.#pane.page(direction);
        else this.#pick(direction * (messageHeight(this.#screen, false) - 1));
        break;
      }
      case 'scroll':
        if (page?.type === 'text') this.#pick(action.rows);
        else if (page !== null || picked !== null) this.#pick(Math.sign(action.rows));
        else this.#pane.scroll(action.rows);
        break;
      case 'click':
        this.#click(action.column, action.row);
        break;
      case 'top':
        this.#pane.toStart();
        break;
      case 'bottom':
        this.#pane.toEnd();
        break;
      case 'toggle-list':
        this.#refresh();
        this.#update({ type: 'list' });
        break;
      case 'next-unread':
        this.nextUnread();
        break;
      case 'first-unread':
        this.#update({ type: 'page', page: null });
        if (!this.#pane.firstUnread()) this.#talk.say('info', 'Nothing is unread here.');
        break;
      case 'activity':
        this.activity();
        break;
      case 'next-hit':
        this.#goOn(1);
        break;
      case 'previous-hit':
        this.#goOn(-1);
        break;
      case 'links':
        if (question === null) this.#talk.carryOut({ type: 'open', number: null });
        break;
      case 'copy':
        if (question === null) this.#copy();
        break;
      case 'bare':
        this.#keys.bare.show(this.#pane.bare());
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
        this.#drawing.anew(this.#screen.columns, this.#screen.rows);
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
    const conversation = this.#screen.conversations[index];
    if (conversation !== undefined) this.#talk.turnTo(conversation.peer);
  }

  #cancel(): void {
    const { question, page, picked, completion, walk } = this.#screen;
    if (completion !== null) {
      this.#update({ type: 'complete', ...stepCompletion(this.#screen.input, completion, 0) });
    } else if (page !== null) this.#update({ type: 'page', page: null });
    else if (picked !== null) this.#update({ type: 'list' });
    else if (question !== null) this.#leaveQuestion();
    else if (walk !== null) this.#update({ type: 'walk', walk: null });
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
      if (page.type === 'hits') this.#goTo(page);
      const link = page.type === 'links' ? page.links[page.picked] : undefined;
      if (link !== undefined) this.#talk.outside((outside) => outside.openAddress(link.url));
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
      this.#pane.saying();
      this.#update({ type: 'walk', walk: null });
    } else {
      this.#update({ type: 'edit', action: { type: 'clear' } });
    }
    void this.#talk.enter(text);
  }

  /** The address that is chosen, or what /copy does. */
  #copy(): void {
    const { page } = this.#screen;
    const link = page?.type === 'links' ? page.links[page.picked] : undefined;
    if (link === undefined) this.#talk.carryOut({ type: 'copy' });
    else this.#talk.outside((outside) => outside.copy(link.url, 'the address'));
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
      this.#drawing.now();
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

  /** The conversation before or after the open one in the list. */
  #step(by: number): void {
    this.#refresh();
    const { conversations, talk } = this.#screen;
    const at = conversations.findIndex(({ peer }) => isSame(peer, talk.to));
    const next = conversations[at < 0 ? (by > 0 ? 0 : conversations.length - 1) : at + by];
    if (next !== undefined) this.#talk.turnTo(next.peer);
  }

  #jump(index: number): void {
    const peer = this.#screen.numbers[index];
    if (peer !== undefined) this.#talk.turnTo(peer);
  }

  /** Shows the message that is picked; of a search, from there on keys lead to the others. */
  #goTo(page: HitPage): void {
    const hit = page.hits[page.picked];
    if (hit === undefined) return;
    if (page.query !== null) this.#lastFound = page;
    this.#update({ type: 'walk', walk: page.query === null ? null : page });
    this.#talk.turnTo(hit.peer);
    this.#pane.toMessage(hit.id, this.#screen);
  }

  /** To the hit behind or before the one that is shown. */
  #goOn(by: 1 | -1): void {
    const page = this.#screen.walk ?? this.#lastFound;
    if (page === null) {
      this.#talk.say('info', 'Nothing was looked for: /search WORDS.');
      return;
    }
    this.#update({ type: 'page', page: null });
    const picked = this.#screen.walk === null ? page.picked : page.picked + by;
    if (picked >= 0 && picked < page.hits.length) this.#goTo({ ...page, picked });
  }

  #open(peer: Peer | null): void {
    this.#pane.open(this.#history, peer, this.#screen);
    const entered = this.#entered.of(this.#history, peer);
    this.#update({ type: 'draft', text: this.#drafts.of(this.#history, peer), entered });
    if (peer !== null) this.#list.changed(peer);
  }

  #keepDraft(): void {
    const { talk, input } = this.#screen;
    if (this.#drafts.keep(this.#history, talk.to, input.text) && talk.to !== null)
      this.#list.changed(talk.to);
  }

  /** Whether somebody can read the messages in the window. */
  get #isLooking(): boolean {
    return this.#hasFocus && !this.#keys.bare.isShown && showsMessages(this.#screen);
  }

  #ring({ peer, body, highlight }: StoredMessage): void {
    const level = this.#history?.conversation(peer)?.notify ?? 'all';
    if (level === 'nothing' || (level === 'highlights' && !highlight)) return;
    this.#bell.ring(nameOf(peer), sanitiseLine(body.slice(0, MAX_RUNG)));
  }

  #draw(): Frame {
    this.#refresh();
    return frameOf(this.#screen, this.#pane.timeline, this.#now());
  }

  /** Brings up to date what follows from the history and the size. */
  #refresh(): void {
    const { event, hasRead } = this.#pane.look(this.#screen, this.#isLooking);
    this.#update(event);
    const { to } = this.#screen.talk;
    if (hasRead && to !== null) this.#list.changed(to);
    const conversations = this.#list.read(this.#history);
    if (conversations !== this.#screen.conversations) this.#update({ type: 'conversations', conversations });
    const news = countNews(this.#screen.conversations);
    const who = this.#screen.talk.account;
    const title = `${news > 0 ? `(${news}) ` : ''}milena${who === null ? '' : ` · ${who}`}`;
    if (title !== this.#title) this.#bell.title(title);
    this.#title = title;
  }

  #update(event: ScreenEvent): void {
    this.#screen = updateScreen(this.#screen, event);
  }
}

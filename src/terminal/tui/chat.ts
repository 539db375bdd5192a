import { ServerClock } from '../../client/index.ts';
import { ChatController, type ControllerOptions } from '../chat/chat-controller.ts';
import type { ChatState, Question, SaidLink, View } from '../chat/display.ts';
import type { MakeServerAdapter } from '../chat/server-adapter.ts';
import { countOf, whoSaidWhere } from '../chat/words.ts';
import type { Histories } from '../history/histories.ts';
import type { History } from '../history/history.ts';
import type { Found } from '../history/search.ts';
import { isSame, type Peer, type StoredMessage, usualLevel } from '../history/types.ts';
import type { InputEvent } from '../keyboard/input-event.ts';
import { sanitiseLine } from '../sanitise.ts';
import { type Bare, leaveBare, NO_BARE } from './bare-view.ts';
import { type Bindings, DEFAULT_BINDINGS } from './bindings.ts';
import { Drawing } from './drawing.ts';
import { HitWalk } from './hit-walk.ts';
import { KeyPresses } from './key-presses.ts';
import { keyRows, usualKeys } from './key-rows.ts';
import { keyAction } from './keys.ts';
import type { Screen } from './screen.ts';
import { ScreenModel } from './screen-model.ts';

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

export interface ChatOptions extends ControllerOptions {
  readonly keys?: Keys;
}

const DEFAULT_KEYS: Keys = {
  bindings: DEFAULT_BINDINGS,
  file: 'keys.conf',
  suspend: () => undefined,
  bare: NO_BARE,
};

/** The chat as a screen has it: what it tells goes into the model, what keys ask for is carried out, and then it is drawn. */
export class Chat implements View {
  readonly #controller: ChatController;
  readonly #bell: Bell;
  readonly #quit: () => void;
  readonly #drawing = new Drawing(() => this.#model.draw());
  readonly #model: ScreenModel;
  readonly #walk: HitWalk;
  readonly #presses: KeyPresses;
  readonly #keys: Keys;

  /** @param quit the person wants to leave */
  constructor(
    makeServerAdapter: MakeServerAdapter,
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
    const { bindings, bare, suspend } = keys;
    this.#controller = new ChatController(makeServerAdapter, server, histories, this, { ...options, clock });
    this.#model = new ScreenModel(this.#controller.state, size, {
      bindings,
      now: clock.now,
      isHidden: () => bare.isShown,
      onTitle: (title) => bell.title(title),
    });
    this.#walk = new HitWalk(this.#model, this.#controller);
    this.#presses = new KeyPresses(this.#model, this.#controller, this.#walk, {
      bare,
      suspend,
      quit,
      draw: () => this.#drawing.now(),
      redraw: () => this.#drawing.anew(this.screen.columns, this.screen.rows),
    });
  }

  /** There is a frame from then on. */
  start(name: string | null): void {
    this.#controller.start(name);
    this.#drawing.now();
  }

  /** Something that the person should know, from outside the chat. */
  tell(sentence: string): void {
    this.#controller.say('error', sentence);
  }

  async close(): Promise<void> {
    this.#model.keepDraft();
    this.#drawing.end();
    await this.#controller.close();
  }

  get screen(): Screen {
    return this.#model.screen;
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
    if (columns === this.screen.columns && rows === this.screen.rows) return;
    this.#model.update({ type: 'resize', columns, rows });
    this.#drawing.now();
  }

  /** Carries out what the person does at the terminal, in order. */
  take(events: readonly InputEvent[]): void {
    for (const event of events) {
      // What comes while somebody else has the keys is not read.
      if (event.type === 'focus') this.#model.hasFocus = event.isFocused;
      // Whatever the terminal has said: a key comes from somebody who is there.
      if (event.type === 'key' || event.type === 'text' || event.type === 'paste')
        this.#model.hasFocus = true;
      const action = keyAction(event, this.#keys.bindings);
      if (this.#keys.bare.isShown && !leaveBare(this.#keys.bare, event, action)) continue;
      if (action !== null) this.#presses.press(action);
    }
    this.#drawing.now();
  }

  said(kind: 'info' | 'error', text: string): void {
    this.#model.pane.said(kind, text);
    this.#drawing.soon();
  }

  saidIn(peer: Peer, text: string): void {
    this.#model.pane.saidIn(this.#model.history, peer, text);
    this.#drawing.soon();
  }

  arrived(message: StoredMessage): void {
    const isSeen = this.#model.arrived(message);
    if (message.direction === 'in' && !isSeen) this.#ring(message);
    this.#drawing.soon();
  }

  changed(message: StoredMessage): void {
    if (!isSame(message.peer, this.screen.chat.to)) return;
    this.#model.pane.timeline.changed(message);
    this.#drawing.soon();
  }

  stateChanged(chat: ChatState): void {
    this.#model.chatChanged(chat);
    this.#drawing.soon();
  }

  historyOpened(history: History): void {
    if (history === this.#model.history) {
      // While another process was logged in, it may have taken messages along.
      this.#model.pane.timeline.reread();
    } else {
      // First, so that what is written stays with the earlier account.
      if (this.screen.chat.to !== null) this.#controller.turnTo(null);
      this.#model.historyIs(history);
      this.#walk.forget();
    }
    this.conversationChanged();
  }

  forgotten(peer: Peer): void {
    this.#walk.forgotten(peer);
    this.conversationChanged();
  }

  conversationChanged(): void {
    this.#model.listChanged();
    this.#drawing.soon();
  }

  asked(question: Question | null, keepsTyped: boolean): void {
    this.#model.update({ type: 'ask', question, keepsTyped });
    this.#drawing.soon();
  }

  lookedAt(): number | null {
    return this.#model.pane.lookedAt;
  }

  page(title: string, rows: readonly string[]): void {
    this.#model.update({ type: 'page', page: { type: 'text', title, rows, top: 0 } });
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
    this.page('Keys', keyRows(bindings, file, this.screen.columns - 2));
  }

  found(found: Found<StoredMessage> | null): void {
    this.#walk.found(found);
    this.#drawing.soon();
  }

  links(links: readonly SaidLink[], canOpen: boolean): number {
    const title = `${countOf(links.length, 'address', 'addresses')}, the newest first`;
    this.#model.update({ type: 'page', page: { type: 'links', title, links, picked: 0, canOpen } });
    this.#drawing.soon();
    return links.length;
  }

  activity(): void {
    this.#presses.activity();
    this.#drawing.soon();
  }

  working(words: string | null): void {
    this.#model.update({ type: 'working', words });
    this.#drawing.soon();
  }

  nextUnread(): void {
    this.#presses.nextUnread();
    this.#drawing.soon();
  }

  readAll(): void {
    this.#model.pane.readAll();
    this.conversationChanged();
  }

  clear(): void {
    this.#model.pane.clear();
    this.#drawing.soon();
  }

  giveBack(text: string): void {
    if (this.screen.input.text !== '') return;
    this.#model.update({ type: 'draft', text });
    this.#drawing.soon();
  }

  quit(): void {
    this.#quit();
  }

  #ring(message: StoredMessage): void {
    const { peer, body, highlight } = message;
    const { notify: level = usualLevel(peer), unread } = this.#model.history?.conversation(peer) ?? {};
    // It was read on another device before it came to this one.
    if (unread === 0) return;
    if (level === 'nothing' || (level === 'highlights' && !highlight)) return;
    this.#bell.ring(whoSaidWhere(message), sanitiseLine(body.slice(0, MAX_RUNG)));
  }
}

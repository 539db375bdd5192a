import { ClientError, type ClientState, isTime, ServerClock } from '../../client/index.ts';
import type { Histories } from '../history/histories.ts';
import type { History } from '../history/history.ts';
import type { Incoming, Outgoing, Peer, SentElsewhere } from '../history/types.ts';
import { highlighter } from '../notify/highlight.ts';
import { sanitiseText } from '../sanitise.ts';
import { type ChatCommand, COMMAND_USAGES, helpRows, type LocalCommand, parseCommand } from './commands.ts';
import type { ChatState, Display, EntryFate, OnAnswer, Question, View } from './display.ts';
import { ServerNames } from './known-names.ts';
import { LocalCommands } from './local-commands.ts';
import { LongWork } from './long-work.ts';
import type { Outside, OutsideOptions } from './outside.ts';
import { Questions } from './questions.ts';
import { peerCalled, ReadTelling } from './read-telling.ts';
import type { MakeServerAdapter, ServerPort } from './server-adapter.ts';
import { wordsFor } from './words.ts';

/** A line with something behind the name, where people used to other programs type their password. */
const PASSWORD_TYPED = /^\s*\/(?:(?:create|login)\s+\S+|passwd)\s+\S/i;
/** How long messages are gathered before they are made durable together. */
const COMMIT_DELAY_MS = 20;
/** So many are made durable at once, without waiting for more. */
const COMMIT_AT_ONCE = 500;
/** Characters of one line of the client's own; a list of all who are blocked may be longer. */
const MAX_SAID = 10_000;

export interface ControllerOptions extends OutsideOptions {
  /** Words of the person's own that highlight a message, as their name does. */
  readonly highlight?: readonly string[];
  /** The one that the view and the histories go by as well. */
  readonly clock?: ServerClock;
}

/**
 * A person at a client, whatever it looks like: what they enter goes to the server adapter or to the history on
 * this machine, what the adapter tells goes into the history, and the view is told of each change.
 */
export class ChatController implements Display {
  readonly #server: ServerPort;
  readonly #histories: Histories;
  readonly #view: View;
  #state: ChatState;
  readonly #questions: Questions;
  /** To be called when the history is durable. */
  #kept: (() => void)[] = [];
  #commit: NodeJS.Timeout | undefined;
  /** The account that somebody took over, until it is logged in to again. */
  #lost: string | null = null;
  readonly #clock: ServerClock;
  readonly #words: readonly string[];
  #isHighlight: (text: string) => boolean;
  readonly #work: LongWork;
  readonly #local: LocalCommands;
  readonly #telling = new ReadTelling(() => this.#server);
  readonly page: View['page'] = (title, rows) => this.#view.page(title, rows);
  readonly lookedAt = () => this.history?.message(this.#view.lookedAt() ?? 0) ?? null;
  /** For Tab: none where that would keep anybody waiting. */
  readonly names = new ServerNames(
    () => this.#server,
    () => this.#state.link.kind === 'online',
  );

  constructor(
    makeServerAdapter: MakeServerAdapter,
    server: string,
    histories: Histories,
    view: View,
    { highlight = [], clock = new ServerClock(), ...outside }: ControllerOptions = {},
  ) {
    this.#histories = histories;
    this.#view = view;
    this.#clock = clock;
    this.#words = highlight;
    this.#isHighlight = highlighter(highlight);
    this.#work = new LongWork(view);
    this.#local = new LocalCommands(this, view, this.#work, outside);
    this.#questions = new Questions(view);
    const state = { link: { kind: 'connecting' }, account: null, wanted: null, to: null } as const;
    this.#state = { ...state, server };
    this.#server = makeServerAdapter(this);
  }

  get state(): ChatState {
    return this.#state;
  }

  get history(): History | null {
    return this.#histories.current;
  }

  get isAsking(): boolean {
    return this.#questions.isOpen;
  }

  get isKept(): boolean {
    return this.history !== null && this.history.file !== null;
  }

  hasHistory(name: string): boolean {
    return this.#histories.has(name);
  }

  /** @param name the account to log in to, if it is known; its history is shown even before that */
  start(name: string | null): void {
    this.#view.stateChanged(this.#state);
    if (name !== null) this.#opened(this.#histories.open(name));
    this.#server.start();
    this.#server.greet(name);
  }

  /** False: the view can show no more for now, and the server has to wait. */
  read(isReading: boolean): void {
    this.#server.read(isReading);
  }

  async close(): Promise<void> {
    await this.#work.stop();
    this.#keep();
    await this.#telling.end();
    await this.#server.close();
    this.#keep();
    this.#histories.close();
  }

  /**
   * What the person entered: an answer, a command or a message. Resolves when it has been carried out, to whether it
   * could be.
   */
  async enter(text: string): Promise<boolean> {
    const isCommand = text.trim().startsWith('/');
    // A name, most likely. Refused and given back, it would stand in clear with the password that is typed behind it.
    if (!isCommand && text.trim() !== '' && this.#isNobody) this.#server.greet(null);
    if (this.#questions.isOpen && !(this.#questions.takesCommands && isCommand)) {
      return this.#attempt(() => this.#questions.answer(text));
    }
    if (this.#questions.isOpen) void this.#attempt(() => this.#questions.answer(null));
    if (PASSWORD_TYPED.test(text)) {
      this.say('error', 'No password on this line: it is asked for afterwards, where nobody can read it.');
      return false;
    }
    return this.#attempt(async () => this.#obey(parseCommand(text)), text);
  }

  /** Whether the text may be remembered for the up key. */
  isMemorable(text: string): boolean {
    return !this.#questions.isOpen && !PASSWORD_TYPED.test(text);
  }

  /** Leaves the question that is asked. */
  leaveQuestion(): void {
    void this.#attempt(() => this.#questions.answer(null));
  }

  /** Logs in again to the account that somebody took over. */
  takeBack(): void {
    const name = this.#lost;
    if (name === null || this.#state.account !== null) return;
    void this.#attempt(async () => this.#server.takeBack(name));
  }

  /** Does what a key asks for, as if it had been entered. */
  carryOut(command: LocalCommand): void {
    void this.#attempt(async () => this.#local.carryOut(command, this.#requireHistory()));
  }

  /** Does it with an address that the person has picked. */
  outside(doing: (outside: Outside) => void): void {
    void this.#attempt(async () => doing(this.#local.outside));
  }

  say(kind: 'info' | 'error', text: string): void {
    const said = text.length > MAX_SAID ? `${text.slice(0, MAX_SAID)}…` : text;
    this.#view.said(kind, sanitiseText(said));
  }

  get cancelKey(): string {
    return this.#view.cancelKey;
  }

  now(): number {
    return this.#clock.now();
  }

  unread(name: string): number {
    return this.history?.conversation({ kind: 'user', name })?.unread ?? 0;
  }

  serverTime(time: number): void {
    const sentence = this.#clock.heard(time);
    if (sentence !== null) this.say('info', sentence);
  }

  received(incoming: Incoming, kept: () => void): void {
    const highlight = this.#isHighlight(incoming.body);
    const message = this.#requireHistory().received({ ...incoming, highlight });
    this.#kept.push(kept);
    if (message !== null) this.#view.arrived(message);
    if (this.#kept.length >= COMMIT_AT_ONCE) this.#keep();
    else this.#commit ??= setTimeout(() => this.#keep(), COMMIT_DELAY_MS);
  }

  sent(outgoing: Outgoing): void {
    this.#view.arrived(this.#requireHistory().sent(outgoing));
  }

  sentElsewhere(sent: SentElsewhere): void {
    const message = this.#requireHistory().sentElsewhere(sent);
    if (message !== null) this.#view.arrived(message);
  }

  readElsewhere(conversation: string, upTo: number): void {
    const history = this.#requireHistory();
    const peer = peerCalled(conversation, history);
    if (peer === null) return;
    history.readElsewhere(peer, upTo);
    this.#view.conversationChanged();
  }

  saidIn(peer: Peer, text: string): void {
    this.#view.saidIn(peer, sanitiseText(text.slice(0, MAX_SAID)));
  }

  joinedAre(rooms: readonly string[]): void {
    this.#requireHistory().joinedAre(rooms);
    this.#view.conversationChanged();
  }

  fate({ id, state, receipt, mayBeStored, acceptedAt = 0 }: EntryFate): void {
    const at = isTime(acceptedAt) ? acceptedAt : null;
    const message = this.history?.fate(id, state, receipt, mayBeStored, at);
    if (message) this.#view.changed(message);
  }

  linkChanged(state: ClientState): void {
    const before = this.#state.account;
    const { link } = state;
    this.#change(link.kind === 'online' ? { ...state, server: link.server } : state);
    const { account } = state;
    if (account !== null && account !== before) {
      this.#lost = null;
      this.#histories.entered(account);
      // Most often the client has opened it already, to know what it is to send.
      const history = this.history?.account === account ? this.history : this.#histories.open(account);
      this.#opened(history);
      this.#telling.soon();
    }
    this.#questions.accountChanged(account);
  }

  replaced(name: string): void {
    this.#lost = name;
  }

  turnTo(peer: Peer | null): void {
    this.#change({ to: peer });
  }

  ask(question: Question, answered: OnAnswer): void {
    void this.#attempt(() => this.#questions.ask(question, answered, this.#state.account));
  }

  quit(): void {
    this.#view.quit();
  }

  /** @throws ClientError */
  #obey(command: ChatCommand): Promise<void> | void {
    switch (command.type) {
      case 'nothing':
        return;
      case 'mistake':
        throw new ClientError('INVALID', command.text);
      case 'help':
        return this.#view.page('What you can type', helpRows(COMMAND_USAGES, this.#view.keys));
      case 'keys':
        return this.#view.showKeys();
      case 'next':
        return this.#view.nextUnread();
      case 'activity':
        this.#requireHistory();
        return this.#view.activity();
      case 'close':
        if (this.#state.to === null) throw new ClientError('INVALID', 'No conversation is open.');
        return this.turnTo(null);
      case 'clear':
        return this.#view.clear();
      case 'search':
      case 'open':
      case 'copy':
      case 'export':
      case 'mute':
      case 'notify':
      case 'read':
      case 'forget':
        return this.#local.carryOut(command, this.#requireHistory());
      default:
        return this.#server.carryOut(command);
    }
  }

  /** Nobody is logged in or about to be, and nothing is asked or to be answered. */
  get #isNobody(): boolean {
    const { account, wanted, to } = this.#state;
    return account === null && wanted === null && to === null && !this.#questions.isOpen;
  }

  /** From now on it is this account's history that messages go to, and its name that highlights them. */
  #opened(history: History): void {
    this.#isHighlight = highlighter([history.account, ...this.#words]);
    this.#telling.of(history);
    this.#view.historyOpened(history);
  }

  #requireHistory(): History {
    const { history } = this;
    if (history === null) throw new ClientError('INVALID', 'Log in first: /login NAME or /create NAME.');
    return history;
  }

  /** Makes durable what came, and says so. */
  #keep(): void {
    clearTimeout(this.#commit);
    this.#commit = undefined;
    this.history?.commit();
    const kept = this.#kept;
    this.#kept = [];
    for (const done of kept) done();
  }

  /**
   * Tells what went wrong; resolves to whether nothing did.
   * @param entered what the person gets back for another try if nothing came of it
   */
  async #attempt(doing: () => Promise<void>, entered?: string): Promise<boolean> {
    try {
      await doing();
      return true;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.say('error', wordsFor(error));
      if (entered !== undefined && error.nothingSent) this.#view.giveBack(entered);
      return false;
    }
  }

  #change(change: Partial<ChatState>): void {
    this.#state = { ...this.#state, ...change };
    this.#view.stateChanged(this.#state);
  }
}

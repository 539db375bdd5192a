import type { ClientState, Entry, RefusalCode } from '../../client/index.ts';
import type { History } from '../history/history.ts';
import type { Found } from '../history/search.ts';
import type { Incoming, Outgoing, Peer, SentElsewhere, StoredMessage } from '../history/types.ts';

/** What is true of the chat as a whole. */
export interface ChatState extends ClientState {
  /** The one that one is on, or was on last: `HOST:PORT`, perhaps with an address behind it. */
  readonly server: string;
  /** The open conversation: who gets what is typed without a command. Changes only by the person's own doing. */
  readonly to: Peer | null;
}

export interface Question {
  /** In front of the input. */
  readonly prompt: string;
  readonly hint: string;
  /** Whether the answer is a password: never shown, never kept. */
  readonly masked: boolean;
  /** It is asked once more: what the server refused the answer with, null if it did not come to that. */
  readonly again?: RefusalCode | null;
  /** An answer that begins with `/` is a command and leaves the question. */
  readonly orCommand?: boolean;
  /** Nothing is asked yet: the last answer is being looked at, and another question may follow. */
  readonly isWaiting?: boolean;
  /** Of a view's own: the question has ended while its answer was being typed, and what is typed on goes nowhere. */
  readonly isOver?: boolean;
}

/** Who answered; null: they left the question, or the account it was about is not logged in any more. */
export type OnAnswer = (text: string | null) => Promise<void> | void;

/** What became of a message, as `MessageStore.unsettled` gives it back. */
export type EntryFate = Pick<Entry, 'id' | 'state' | 'receipt' | 'mayBeStored'> & {
  /** When the server stored it, by its clock, in milliseconds since the epoch. */
  readonly acceptedAt?: number | undefined;
};

/** An address in what was said. */
export interface SaidLink {
  /** Of http or https, and of printable ASCII alone. */
  readonly url: string;
  readonly message: StoredMessage;
}

/** The chat as the server adapter writes on it. */
export interface Display {
  readonly state: ChatState;
  /** Whether what waits to be sent outlives the process. */
  readonly isKept: boolean;
  /** Whether there is anything in an account's history on this machine. */
  hasHistory(name: string): boolean;
  /** Whether the person is being asked something, or an answer is looked at. */
  readonly isAsking: boolean;
  /** The key that leaves a question, for words about it. */
  readonly cancelKey: string;
  /** Milliseconds since the epoch, by the server's clock as far as it is known. */
  now(): number;
  /** Messages from a user that are not read yet. */
  unread(name: string): number;
  /** The server's clock shows this just now. */
  serverTime(time: number): void;
  /** The client's own words. They may quote the server: they are made safe here. */
  say(kind: 'info' | 'error', text: string): void;
  /** A message came. `kept` is called once it is on disk and given to the view: then it may be acknowledged. */
  received(message: Incoming, kept: () => void): void;
  sent(message: Outgoing): void;
  /** Another device of the account has sent a message; it may be said twice. */
  sentElsewhere(message: SentElsewhere): void;
  /** Another device has read a conversation up to there; `conversation` is what it calls it. */
  readElsewhere(conversation: string, upTo: number): void;
  /** The same about a conversation, whether it is open or not. */
  saidIn(peer: Peer, text: string): void;
  /** The message of the open conversation that the person looks at: a hit that they went to, or else the lowest in sight. */
  lookedAt(): StoredMessage | null;
  /** Safe rows to read and put away again. */
  page(title: string, rows: readonly string[]): void;
  /** The account is in these rooms, and in no others. */
  joinedAre(rooms: readonly string[]): void;
  /** Another fate of a sent message. */
  fate(entry: EntryFate): void;
  linkChanged(state: ClientState): void;
  /** Somebody else is logged in to the account now. */
  replaced(name: string): void;
  turnTo(peer: Peer | null): void;
  /** Asks the person, at once: what they enter next is the answer. Rejections are told as those of commands are. */
  ask(question: Question, answered: OnAnswer): void;
  quit(): void;
}

/** What a screen, or lines on a dumb terminal, do with the chat. All texts but those of messages are safe. */
export interface View {
  /** What keys do in it, for /help. */
  readonly keys: readonly string[];
  /** The key that leaves a question, for words about it. */
  readonly cancelKey: string;
  said(kind: 'info' | 'error', text: string): void;
  /** The same about a conversation, whether it is open or not. */
  saidIn(peer: Peer, text: string): void;
  /** The id of the message that one looks at, as `Display.lookedAt`. */
  lookedAt(): number | null;
  /** A message is new in the history. */
  arrived(message: StoredMessage): void;
  /** A message of the history has another fate. */
  changed(message: StoredMessage): void;
  stateChanged(state: ChatState): void;
  /** The account's history from now on. */
  historyOpened(history: History): void;
  /** A conversation is notified of in another way, or was read elsewhere. */
  conversationChanged(): void;
  /** A conversation is not in the history any more. */
  forgotten(peer: Peer): void;
  /** Something takes a while: how far it is, or null when it is over. */
  working(words: string | null): void;
  /** @param keepsTyped what was typed so far belongs to this question, too; without one it is what is being written */
  asked(question: Question | null, keepsTyped: boolean): void;
  /** Rows to read and put away again. */
  page(title: string, rows: readonly string[]): void;
  /** Which keys there are, and what they do. */
  showKeys(): void;
  /** What a search has found; null: what one has found last, again. */
  found(found: Found<StoredMessage> | null): void;
  /**
   * Addresses to choose from. @param canOpen whether something here opens them; otherwise they can be copied
   * @returns how many of them the person can see, from the first one on
   */
  links(links: readonly SaidLink[], canOpen: boolean): number;
  /** Goes to what is unread next, here or in another conversation. */
  nextUnread(): void;
  /** Shows what is unread or highlighted in all conversations. */
  activity(): void;
  /** Everything in the open conversation counts as read. */
  readAll(): void;
  /** Empties the window; what stood there is further up. */
  clear(): void;
  /** What was entered could not be done and may be tried again, changed or not. */
  giveBack(text: string): void;
  quit(): void;
}

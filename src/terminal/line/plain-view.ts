import type { RefusalCode, ServerClock } from '../../client/index.ts';
import type { ChatState, Question, SaidLink, View } from '../chat/display.ts';
import { countOf, ME, nameOf, whoSaidWhere } from '../chat/words.ts';
import type { History } from '../history/history.ts';
import type { Found } from '../history/search.ts';
import { isNews, isSame, nextToRead, type Peer, type StoredMessage } from '../history/types.ts';
import { sanitiseLine, sanitiseText } from '../sanitise.ts';
import { clock, day } from '../tui/days.ts';
import { type Signs, textInAscii } from '../tui/signs.ts';
import { otherHost } from '../urls.ts';
import type { Prompt } from './prompt.ts';

/** Messages of a conversation that are read out when it is opened. */
const READ_OUT = 10;
const READ_OUT_FOUND = 20;
const READ_OUT_LINKS = 20;

/** The chat as lines, one after the other: for screen readers, and for terminals that can do no more. */
export class PlainView implements View {
  /** Escape is no key of a line editor. */
  readonly cancelKey = 'Ctrl+C';
  readonly #prompt: Prompt;
  readonly #quit: () => void;
  readonly #clock: ServerClock;
  readonly #onAgain: (again: RefusalCode | null) => void;
  readonly #signs: Signs;
  #state: ChatState | undefined;
  #history: History | null = null;
  #lastFound: Found<StoredMessage> | null = null;
  #isAsking = false;
  #isWaiting = false;
  #needsAnswer = false;
  /** Messages that the server has not answered yet, by their id in the history. */
  readonly #underWay = new Set<number>();
  #allSent: () => void = () => undefined;

  /** @param onAgain an answer would not do: it is asked for once more */
  constructor(
    prompt: Prompt,
    quit: () => void,
    clock: ServerClock,
    onAgain: (again: RefusalCode | null) => void,
    signs: Signs = 'unicode',
  ) {
    this.#clock = clock;
    this.#prompt = prompt;
    this.#quit = quit;
    this.#onAgain = onAgain;
    this.#signs = signs;
  }

  get keys(): readonly string[] {
    return this.#prompt.keys;
  }

  /** Whether something was asked that only an answer lets go on. */
  get needsAnswer(): boolean {
    return this.#needsAnswer;
  }

  /** Whether the next line is an answer. */
  get isAsking(): boolean {
    return this.#isAsking;
  }

  /** Waits until every message has its answer; resolves to whether all have it in time. */
  async sent(milliseconds: number): Promise<boolean> {
    if (this.#underWay.size === 0) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      this.#allSent = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  said(kind: 'info' | 'error', text: string): void {
    this.#print(kind === 'error' ? `Error: ${text}` : text);
  }

  saidIn(peer: Peer, text: string): void {
    this.#print(`${nameOf(peer)}: ${text}`);
  }

  lookedAt(): number | null {
    const to = this.#state?.to ?? null;
    return to === null ? null : (this.#history?.before(to, null, 1).at(-1)?.id ?? null);
  }

  arrived(message: StoredMessage): void {
    if (message.direction === 'out' && message.fate?.kind !== 'stored') {
      // What was typed stands there already.
      this.#underWay.add(message.id);
      return;
    }
    this.#printMessage(message);
    this.#history?.read(message.peer, message.id);
  }

  changed(message: StoredMessage): void {
    const { kind } = message.fate ?? {};
    if (kind !== 'on-its-way' && kind !== 'waiting') this.#underWay.delete(message.id);
    if (this.#underWay.size === 0) this.#allSent();
    const line = fateLine(message);
    if (line !== null) this.#print(line);
  }

  stateChanged(state: ChatState): void {
    const before = this.#state?.to ?? null;
    this.#state = state;
    this.#prompt.is(state.to === null || state.to.kind === 'external' ? '> ' : `${state.to.name}> `);
    const { to } = state;
    if (to === null || isSame(to, before)) return;
    const messages = this.#history?.before(to, null, READ_OUT) ?? [];
    this.#print(messages.length === 0 ? `Talking to ${nameOf(to)}.` : `Talking to ${nameOf(to)}, so far:`);
    this.#readOut(messages);
  }

  historyOpened(history: History): void {
    if (history === this.#history) return;
    this.#history = history;
    const unread = history.conversations().filter(isNews);
    if (unread.length === 0) return;
    const names = unread.map(({ peer, unread: count }) => `${nameOf(peer)} (${count})`).join(', ');
    this.#print(`Unread: ${names}. /next reads them.`);
  }

  forgotten(): void {
    this.#lastFound = null;
  }

  conversationChanged(): void {
    // Nothing stands there that would have to change.
  }

  asked(question: Question | null, keepsTyped: boolean): void {
    this.#isAsking = question !== null;
    this.#isWaiting = question?.isWaiting === true;
    this.#needsAnswer = question !== null && question.orCommand !== true;
    if (question?.again !== undefined) this.#onAgain(question.again);
    if (question?.isWaiting) {
      // Most answers are dealt with at once. What is typed while one is not may be a password for the next question.
      setImmediate(() => {
        if (this.#isWaiting) this.#prompt.ask({ text: this.#ours('… '), masked: true }, true);
      });
      return;
    }
    if (question !== null && this.#prompt.hasKeys) this.#print(`(${question.hint})`);
    const asked = question === null ? null : { text: `${question.prompt}: `, masked: question.masked };
    this.#prompt.ask(asked, keepsTyped);
  }

  page(title: string, rows: readonly string[]): void {
    this.#print([`${title}:`, ...rows].join('\n'));
  }

  showKeys(): void {
    this.#print(this.keys.join('\n'));
  }

  found(found: Found<StoredMessage> | null): void {
    this.#lastFound = found ?? this.#lastFound;
    if (this.#lastFound === null) {
      this.#print('Usage: /search WORDS');
      return;
    }
    const { search, count, messages } = this.#lastFound;
    const words = sanitiseLine(search.entered);
    const shown = messages.slice(0, READ_OUT_FOUND).toReversed();
    const newest = shown.length < count ? `, the newest ${shown.length} of them` : '';
    this.#print(
      count === 0
        ? `Nothing that was said has ${words}.`
        : `${countOf(count, 'message')} with ${words}${newest}:`,
    );
    for (const message of shown) this.#printMessage(message);
  }

  links(links: readonly SaidLink[], canOpen: boolean): number {
    const shown = links.slice(0, READ_OUT_LINKS);
    const rows = shown.map(({ url }, index) => {
      const host = otherHost(url);
      return `${index + 1}. ${url}${host === null ? '' : ` leads to ${host}`}`;
    });
    const newest = shown.length < links.length ? `, the newest ${shown.length} of them` : '';
    const what = canOpen ? ', /open NUMBER opens one' : '';
    const count = countOf(links.length, 'address', 'addresses');
    const head = this.#ours(`${count}${newest}, newest first${what}:`);
    // What others have written: another address leads elsewhere.
    this.#prompt.print([head, ...rows].join('\n'));
    return shown.length;
  }

  nextUnread(): void {
    const history = this.#history;
    const next = nextToRead(history?.conversations() ?? []);
    if (!history || next === undefined) {
      this.#print('Nothing is unread.');
      return;
    }
    const from = next.firstUnread ?? 0;
    this.#print(`${nameOf(next.peer)}, unread:`);
    const messages = history.after(next.peer, from - 1, READ_OUT_FOUND);
    this.#readOut(messages);
    history.read(next.peer, messages.at(-1)?.id ?? next.lastId);
  }

  activity(): void {
    const messages = this.#history?.unread() ?? [];
    if (messages.length === 0) {
      this.#print('Nothing is unread.');
      return;
    }
    for (const message of messages.toSorted((one, other) => one.id - other.id)) {
      this.#printMessage(message);
    }
  }

  readAll(): void {
    const to = this.#state?.to ?? null;
    if (to !== null) this.#history?.read(to, Number.MAX_SAFE_INTEGER);
  }

  clear(): void {
    this.#print(
      'What was written stays here. /close leaves the conversation, /forget takes it out of the history.',
    );
  }

  working(): void {
    // What comes of it is said at the end.
  }

  giveBack(): void {
    // The line stands above, and the up key brings it back.
  }

  quit(): void {
    this.#quit();
  }

  #readOut(messages: readonly StoredMessage[]): void {
    for (const message of messages) this.#printMessage(message);
    const last = messages.at(-1);
    if (last !== undefined) this.#history?.read(last.peer, last.id);
  }

  /** What others have written stays as it is, whatever the font makes of it. */
  #printMessage(message: StoredMessage): void {
    this.#prompt.print(lineOf(message, this.#clock.now()));
  }

  #print(text: string): void {
    this.#prompt.print(this.#ours(text));
  }

  #ours(text: string): string {
    return this.#signs === 'ascii' ? textInAscii(text) : text;
  }
}

/** A message as one line of text or more, every one after the first indented. Nothing in it but words and times. */
export function lineOf(message: StoredMessage, now: number): string {
  const { at, direction, peer, body, record } = message;
  const date = at === null ? '' : day(at, now);
  const time = at === null ? '' : `${date === 'Today' ? '' : `${date} `}${clock(at)} `;
  const who = direction === 'out' ? `${ME} to ${nameOf(peer)}` : whoSaidWhere(message);
  const note = record?.note ? `\n    (${sanitiseLine(record.note)})` : '';
  return `${time}${who}: ${sanitiseText(body).replaceAll('\n', '\n    ')}${note}`;
}

/** What a new fate of a sent message has to say; null where nothing has to be said. */
function fateLine({ peer, fate }: StoredMessage): string | null {
  const to = nameOf(peer);
  switch (fate?.kind) {
    case 'stored':
      return `(sent to ${to})`;
    case 'delivered':
      return `(delivered to ${to})`;
    case 'waiting':
      return `(the message to ${to} waits for the server, and goes by itself)`;
    case 'refused':
      return `(not sent to ${to}: ${sanitiseText(fate.reason)})`;
    case 'undeliverable':
      return `(nobody will read the message to ${to}: the account is gone)`;
    case 'unsure':
      return `(nobody knows whether the message to ${to} was sent)`;
    default:
      return null;
  }
}

import type { ChatState, Question, SaidLink } from '../chat/display.ts';
import { type Conversation, isSame, type Peer } from '../history/types.ts';
import { type Bindings, DEFAULT_BINDINGS } from './bindings.ts';
import { cells, shorten } from './cells.ts';
import type { CompletionState } from './completion.ts';
import type { EnteredSearch } from './entered-search.ts';
import { PROMPT_SIGN, promptFor } from './hints.ts';
import type { HitPage } from './hits.ts';
import { EMPTY_INPUT, editAnswer, editInput, type InputAction, type InputLine } from './input-line.ts';
import { numbered } from './numbers.ts';
import { NOTHING_OUT_OF_SIGHT, type OutOfSight } from './reading.ts';
import { wrapRows } from './wrap.ts';

export const MIN_COLUMNS = 20;
export const MIN_ROWS = 6;
/** With fewer columns the list is folded away. */
const MIN_LIST_COLUMNS = 72;
/** From so many on there is room for more. */
const WIDE_COLUMNS = 120;
const MAX_INPUT_ROWS = 8;

/** Something to read or to choose from, in the place of the messages. */
export type Page =
  | { readonly type: 'text'; readonly title: string; readonly rows: readonly string[]; readonly top: number }
  | HitPage
  | {
      readonly type: 'links';
      readonly title: string;
      readonly links: readonly SaidLink[];
      readonly picked: number;
      /** Whether Enter opens the picked one; otherwise it copies it. */
      readonly canOpen: boolean;
    };

/** Everything that the screen shows but the messages. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly chat: ChatState;
  /** Newest activity first. */
  readonly conversations: readonly Conversation[];
  /** By the numbers of their keys, from 1 at index 0. */
  readonly numbers: readonly Peer[];
  /** What is unread in the open one above and below the window. */
  readonly outOfSight: OutOfSight;
  /** What takes a while, and how far it is. */
  readonly working: string | null;
  /** Where the keys are while they belong to the list; null: they belong to the input. */
  readonly picked: number | null;
  readonly page: Page | null;
  /** What the person is asked, and their answer so far; what they were writing waits meanwhile. */
  readonly question: Question | null;
  /** What is asked when the person has left a question that is over. */
  readonly next: Question | null;
  readonly answer: InputLine;
  readonly input: InputLine;
  readonly completion: CompletionState | null;
  /** The person looks in what was entered; null: they do not. */
  readonly search: EnteredSearch | null;
  /** What a search has found, while the person goes from one hit to the next; null: they do not. */
  readonly walk: HitPage | null;
  readonly bindings: Bindings;
}

export type ScreenEvent =
  | { readonly type: 'edit'; readonly action: InputAction }
  /** What was written before comes back, also behind a question; with what was entered, if that is another. */
  | { readonly type: 'draft'; readonly text: string; readonly entered?: readonly string[] }
  /** One step of looking in what was entered. */
  | { readonly type: 'search'; readonly search: EnteredSearch | null; readonly input: InputLine }
  /** Completion has made the line another. */
  | { readonly type: 'complete'; readonly input: InputLine; readonly completion: CompletionState | null }
  | { readonly type: 'chat'; readonly chat: ChatState }
  | { readonly type: 'conversations'; readonly conversations: readonly Conversation[] }
  | { readonly type: 'out-of-sight'; readonly outOfSight: OutOfSight }
  | { readonly type: 'working'; readonly words: string | null }
  | { readonly type: 'ask'; readonly question: Question | null; readonly keepsTyped: boolean }
  /** The person has left a question that is over. */
  | { readonly type: 'go-on' }
  | { readonly type: 'page'; readonly page: Page | null }
  /** The hits that the person goes through. */
  | { readonly type: 'walk'; readonly walk: HitPage | null }
  /** Moves the choice in the list or on a page, or the text of a page. */
  | { readonly type: 'pick'; readonly by: number }
  /** Somebody else is at the keys: nothing that was typed comes back. */
  | { readonly type: 'new-person' }
  /** Gives the keys to the list, or back to the input. */
  | { readonly type: 'list' }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number };

export function emptyScreen(
  chat: ChatState,
  columns: number,
  rows: number,
  bindings: Bindings = DEFAULT_BINDINGS,
): Screen {
  return {
    columns,
    rows,
    chat,
    conversations: [],
    numbers: [],
    outOfSight: NOTHING_OUT_OF_SIGHT,
    working: null,
    picked: null,
    page: null,
    question: null,
    next: null,
    answer: EMPTY_INPUT,
    input: EMPTY_INPUT,
    completion: null,
    search: null,
    walk: null,
    bindings,
  };
}

/** What the screen becomes by one event. Pure. */
export function updateScreen(screen: Screen, event: ScreenEvent): Screen {
  switch (event.type) {
    case 'edit':
      return edit(screen, event.action);
    case 'draft':
      return {
        ...screen,
        input: editInput(screen.input, {
          type: 'set',
          text: event.text,
          ...(event.entered === undefined ? {} : { history: event.entered }),
        }),
        completion: null,
        search: null,
      };
    case 'search':
      return { ...screen, input: event.input, search: event.search, completion: null };
    case 'complete':
      return { ...screen, input: event.input, completion: event.completion };
    case 'chat':
      // A page belongs to what was open.
      return {
        ...screen,
        chat: event.chat,
        page: isSame(screen.chat.to, event.chat.to) ? screen.page : null,
      };
    case 'conversations':
      return conversationsAre(screen, event.conversations);
    case 'out-of-sight':
      return { ...screen, outOfSight: event.outOfSight };
    case 'working':
      return { ...screen, working: event.words };
    case 'ask':
      return ask(screen, event.question, event.keepsTyped);
    case 'go-on':
      return { ...screen, question: screen.next, next: null, answer: EMPTY_INPUT };
    case 'new-person':
      return { ...screen, input: EMPTY_INPUT, completion: null, search: null, walk: null, numbers: [] };
    case 'page':
      return { ...screen, page: event.page, picked: null };
    case 'walk':
      return { ...screen, walk: event.walk };
    case 'list':
      return screen.picked === null ? toList(screen) : { ...screen, picked: null };
    case 'pick':
      return pick(screen, event.by);
    case 'resize':
      return { ...screen, columns: event.columns, rows: event.rows };
  }
}

const OVER = 'this question has ended: nothing typed here goes anywhere';

/**
 * A password that was half typed goes with its question. Its other half is not shown either, and answers nothing: what
 * comes next is asked when the person has gone on.
 */
function ask(screen: Screen, question: Question | null, keepsTyped: boolean): Screen {
  const { answer, input, question: before } = screen;
  if (before?.isOver) return { ...screen, next: question };
  const asked = { ...screen, question, page: null, picked: null, search: null };
  if (before?.masked && answer.text !== '' && !keepsTyped) {
    const hint = `${OVER} · Enter or ${screen.bindings.cancelKey} goes on`;
    const over = { prompt: before.prompt, hint, masked: true, isOver: true };
    return { ...asked, question: over, next: question, answer: EMPTY_INPUT };
  }
  if (question !== null) return { ...asked, answer: keepsTyped ? answer : EMPTY_INPUT };
  const { text } = answer;
  const isWritten = keepsTyped && text !== '' && input.text === '';
  return {
    ...asked,
    answer: EMPTY_INPUT,
    input: isWritten ? editInput(input, { type: 'set', text }) : input,
  };
}

function edit(screen: Screen, action: InputAction): Screen {
  const columns = inputColumns(screen);
  if (screen.question !== null) return { ...screen, answer: editAnswer(screen.answer, action) };
  return { ...screen, input: editInput(screen.input, action, columns), completion: null };
}

/** The choice stays with the conversation that it was on, wherever that is now. */
function conversationsAre(before: Screen, conversations: readonly Conversation[]): Screen {
  const screen = { ...before, numbers: numbered(before.numbers, conversations) };
  const on = screen.picked === null ? undefined : screen.conversations[screen.picked];
  if (on === undefined) return { ...screen, conversations };
  const at = conversations.findIndex(({ peer }) => isSame(peer, on.peer));
  return { ...screen, conversations, picked: conversations.length === 0 ? null : Math.max(0, at) };
}

function toList(screen: Screen): Screen {
  if (screen.conversations.length === 0) return screen;
  const open = screen.conversations.findIndex(({ peer }) => isSame(peer, screen.chat.to));
  return { ...screen, picked: Math.max(0, open), page: null };
}

function pick(screen: Screen, by: number): Screen {
  const { page, picked, conversations } = screen;
  if (page?.type === 'hits') {
    return { ...screen, page: { ...page, picked: within(page.picked + by, page.hits.length) } };
  }
  if (page?.type === 'links') {
    return { ...screen, page: { ...page, picked: within(page.picked + by, page.links.length) } };
  }
  if (page?.type === 'text') {
    const last = Math.max(0, wrapRows(page.rows, screen.columns - 2).length - bodyRows(screen) + 1);
    return { ...screen, page: { ...page, top: Math.max(0, Math.min(last, page.top + by)) } };
  }
  return picked === null ? screen : { ...screen, picked: within(picked + by, conversations.length) };
}

function within(index: number, count: number): number {
  return Math.max(0, Math.min(count - 1, index));
}

/** Whether there is room for the two rules that part the messages from header and input. */
export function hasRules({ rows }: Pick<Screen, 'rows'>): boolean {
  return rows >= 10;
}

export function isWide({ columns }: Pick<Screen, 'columns'>): boolean {
  return columns >= WIDE_COLUMNS;
}

/** The columns of the list beside the messages, 0 where it is folded away. */
export function listColumns({ columns }: Pick<Screen, 'columns'>): number {
  if (columns < MIN_LIST_COLUMNS) return 0;
  return columns < WIDE_COLUMNS ? 20 : 30;
}

/** The columns of the list beside what is shown now: some pages need the whole width. */
export function columnsBeside(screen: Screen): number {
  return screen.page === null || screen.page.type === 'hits' ? listColumns(screen) : 0;
}

/** What stands in front of the input; its sign and the blank behind that stay, however narrow it is. */
export function promptOf(screen: Screen): string {
  const prompt = promptFor(screen);
  const room = Math.floor(screen.columns / 2);
  if (cells(prompt) <= room) return prompt;
  return `${shorten(prompt.slice(0, -PROMPT_SIGN.length), room - PROMPT_SIGN.length)}${PROMPT_SIGN}`;
}

/** Whether messages are in sight: there is room for them, and nothing stands in their place. */
export function showsMessages(screen: Screen): boolean {
  const { columns, rows, page, picked } = screen;
  if (columns < MIN_COLUMNS || rows < MIN_ROWS || page !== null) return false;
  return picked === null || listColumns(screen) > 0;
}

/** Columns that the input may take. */
export function inputColumns(screen: Screen): number {
  return screen.columns - cells(promptOf(screen));
}

/** Rows that the input may take. */
export function maxInputRows({ rows }: Pick<Screen, 'rows'>): number {
  return Math.max(1, Math.min(MAX_INPUT_ROWS, Math.floor(rows / 3) - 1));
}

/** Rows between header and input, when the input takes `inputRows`. */
export function bodyRows(screen: Pick<Screen, 'rows'>, inputRows = 1): number {
  return Math.max(1, screen.rows - (hasRules(screen) ? 4 : 2) - inputRows);
}

import type { ChatState, Question } from '../chat/display.ts';
import { countNews } from '../history/types.ts';
import type { Bindings } from './bindings.ts';
import { cells, shorten, toWidth } from './cells.ts';
import { fitHints, hintFor, hints } from './hints.ts';
import { hitRows, hitsTitle } from './hits.ts';
import { maskInput } from './input-line.ts';
import { viewInput } from './input-view.ts';
import { linkRows } from './link-rows.ts';
import { conversationInRow, listRows } from './list-rows.ts';
import { counted, type Role, type Row, rowCells, type Span, span } from './rows.ts';
import {
  bodyRows,
  columnsBeside,
  hasRules,
  inputColumns,
  listColumns,
  MIN_COLUMNS,
  MIN_ROWS,
  maxInputRows,
  type Page,
  promptOf,
  type Screen,
} from './screen.ts';
import type { Timeline } from './timeline.ts';
import { wrapRows, wrapText } from './wrap.ts';

/** What the terminal shows: a row for each of its rows. */
export interface ScreenFrame {
  readonly rows: readonly Row[];
  /** From which row on it is what is being written, and the row of hints. */
  readonly foot: number;
  /** Null: no cursor. */
  readonly cursor: { readonly x: number; readonly y: number } | null;
}

/** The whole screen. @param now milliseconds since the epoch, for the words of days */
export function frameOf(screen: Screen, timeline: Timeline, now: number): ScreenFrame {
  const { columns, rows } = screen;
  if (columns < MIN_COLUMNS || rows < MIN_ROWS) {
    const words = `${columns}x${rows}: needs ${MIN_COLUMNS}x${MIN_ROWS}`;
    return { rows: [[span(shorten(words, columns), 'ours')]], foot: 1, cursor: null };
  }
  const input = inputOf(screen);
  const height = bodyRows(screen, input.rows.length);
  const beside = columnsBeside(screen);
  const header = headerRow(screen.chat, countNews(screen.conversations), columns);
  const rule = (joint: string): Row[] => (hasRules(screen) ? [ruleRow(columns, beside, joint)] : []);
  const top = [header, ...rule('┬'), ...bodyOf(screen, timeline, beside, height, now), ...rule('┴')];
  const hint = [span(` ${fitHints(`${input.hidden}${hintFor(screen)}`, columns - 2)}`, 'dim')];
  return {
    rows: [...top, ...input.rows, hint],
    foot: top.length,
    cursor: { x: input.cursor.x, y: top.length + input.cursor.y },
  };
}

/** Which conversation of the list stands in a cell of the screen; null: none. */
export function conversationAt(screen: Screen, column: number, row: number): number | null {
  const { columns, rows, conversations, picked, chat } = screen;
  if (columns < MIN_COLUMNS || rows < MIN_ROWS) return null;
  const beside = columnsBeside(screen);
  const width = beside === 0 && picked !== null ? columns : beside;
  const height = bodyRows(screen, inputOf(screen).rows.length);
  const at = row - (hasRules(screen) ? 2 : 1);
  if (column >= width || at < 0 || at >= height) return null;
  return conversationInRow({ conversations, open: chat.to, picked, numbers: screen.numbers }, height, at);
}

/** The columns that messages have. */
export function messageColumns(screen: Screen): number {
  const beside = listColumns(screen);
  return beside === 0 ? screen.columns : screen.columns - beside - 1;
}

/** The rows that messages have: one less while a row says that there is more below. */
export function messageHeight(screen: Screen, isAtEnd: boolean): number {
  const height = bodyRows(screen, inputOf(screen).rows.length);
  return isAtEnd || height < 3 ? height : height - 1;
}

function bodyOf(screen: Screen, timeline: Timeline, beside: number, height: number, now: number): Row[] {
  const { conversations, picked, chat, numbers } = screen;
  const list = { conversations, open: chat.to, picked, numbers };
  if (beside === 0 && picked !== null) return filled(listRows(list, screen.columns, height, now), height);
  const columns = beside === 0 ? screen.columns : messageColumns(screen);
  const content = contentOf(screen, timeline, columns, height, now);
  if (beside === 0) return content;
  const left = filled(listRows(list, beside, height, now), height);
  return content.map((row, index) => {
    const cell = left[index] ?? [];
    const blank = beside - rowCells(cell);
    return [...cell, span(' '.repeat(Math.max(0, blank))), span('│', 'border'), ...row];
  });
}

function contentOf(screen: Screen, timeline: Timeline, columns: number, height: number, now: number): Row[] {
  const { page, chat } = screen;
  if (page !== null) return filled(pageRows(page, columns, height, now), height);
  const below = messageHeight(screen, timeline.isAtEnd) < height ? 1 : 0;
  const rows = timeline.window(height - below);
  const blank = height - below - rows.length;
  const home = chat.to === null ? homeRows(screen, columns) : [];
  const isNew = chat.to !== null && rows.length === 0 && !timeline.isCleared;
  const empty = isNew ? [[], [span(' Nothing said yet.', 'dim')]] : home;
  const above: Row[] = empty.length <= blank ? empty : [];
  const { outOfSight, bindings } = screen;
  const content = [
    ...above,
    ...Array.from({ length: blank - above.length }, (): Row => []),
    ...rows,
    ...(below === 1 ? [belowRow(outOfSight.below, bindings, columns)] : []),
  ];
  // What it stands over is read again when the person goes up there.
  return outOfSight.above === 0
    ? content
    : [aboveRow(outOfSight.above, bindings, columns), ...content.slice(1)];
}

function aboveRow(count: number, bindings: Bindings, columns: number): Row {
  const key = bindings.hint('', 'first-unread');
  return atRight(hints(`↑ ${counted(count)} new above`, key), 'unread', columns);
}

function belowRow(count: number, bindings: Bindings, columns: number): Row {
  if (count === 0) return atRight('↓ more below', 'dim', columns);
  const key = bindings.hint('', 'next-unread');
  return atRight(hints(`↓ ${counted(count)} new below`, key), 'unread', columns);
}

function atRight(text: string, role: Role, columns: number): Row {
  const words = fitHints(text, columns - 1);
  return [span(' '.repeat(Math.max(0, columns - cells(words) - 1))), span(words, role)];
}

function pageRows(page: Page, columns: number, height: number, now: number): Row[] {
  const words = page.type === 'hits' ? hitsTitle(page) : page.title;
  const title: Row = [span(shorten(` ${words}`, columns), 'strong')];
  if (page.type === 'text') {
    const rows = wrapRows(page.rows, columns - 2).slice(page.top, page.top + height - 1);
    return [title, ...rows.map((text): Row => [span(` ${text}`, 'ours')])];
  }
  if (page.type === 'links') return [title, ...linkRows(page.links, page.picked, columns, height - 1, now)];
  return [title, ...hitRows(page, columns, height - 1, now)];
}

/** The input line, a password as dots, and words for the rows of it that are not shown. */
function inputOf(screen: Screen): { rows: Row[]; cursor: { x: number; y: number }; hidden: string } {
  const { question, answer, input } = screen;
  const prompt = promptOf(screen);
  const width = cells(prompt);
  const isMasked = question?.masked === true;
  const shown = question === null ? input : isMasked ? maskInput(answer) : answer;
  const view = viewInput(shown, inputColumns(screen), maxInputRows(screen));
  const rows = view.rows.map((text, index): Row => {
    const left: Span = index === 0 ? span(prompt, 'prompt') : span(' '.repeat(width));
    return [left, span(text, isMasked ? 'ours' : 'text')];
  });
  const { hiddenAbove, hiddenBelow } = view;
  const above = hiddenAbove > 0 ? `↑ ${hiddenAbove} more above · ` : '';
  const below = hiddenBelow > 0 ? `↓ ${hiddenBelow} more below · ` : '';
  return {
    rows,
    cursor: { x: width + view.cursor.column, y: view.cursor.row },
    hidden: above + below,
  };
}

function ruleRow(columns: number, beside: number, joint: string): Row {
  if (beside === 0) return [span('─'.repeat(columns), 'border')];
  return [span(`${'─'.repeat(beside)}${joint}${'─'.repeat(columns - beside - 1)}`, 'border')];
}

function filled(rows: readonly Row[], height: number): Row[] {
  return Array.from({ length: height }, (_, index) => rows[index] ?? []);
}

const LINKS: Record<ChatState['link']['kind'], { text: string; role: Role }> = {
  connecting: { text: '◌ connecting', role: 'connecting' },
  online: { text: '● online', role: 'online' },
  waiting: { text: '○ no connection', role: 'offline' },
  closed: { text: '○ closed', role: 'offline' },
};

/**
 * Who, on which server, in which state, and how many conversations have something unread. Where it is narrow, first the
 * server gives way, then the program's name, then the words around the count.
 */
function headerRow(state: ChatState, unread: number, columns: number): Row {
  const link = LINKS[state.link.kind];
  const counts =
    unread === 0
      ? ['']
      : [`${unread} ${unread === 1 ? 'conversation' : 'conversations'} unread`, `${unread} unread`];
  const who = whoIs(state);
  for (const count of counts) {
    const right = [...(count === '' ? [] : [span(count, 'unread'), span('   ')]), span(link.text, link.role)];
    const used = rowCells(right);
    for (const name of [` milena · ${who}`, ` ${who}`]) {
      for (const server of [`  ${state.server}`, '']) {
        const blank = columns - 1 - cells(name) - cells(server) - used;
        if (blank < 2) continue;
        return [span(name, 'strong'), span(server, 'dim'), span(' '.repeat(blank)), ...right, span(' ')];
      }
    }
  }
  const room = Math.max(0, columns - cells(link.text) - 1);
  return [
    span(toWidth(` ${shorten(who, room - 2)}`, room), 'strong'),
    span(shorten(link.text, columns), link.role),
  ];
}

function whoIs({ account, wanted }: ChatState): string {
  return account ?? (wanted === null ? 'not logged in' : `${wanted}, not logged in`);
}

/** What stands where no conversation is open: where one is, and what to do next. */
function homeRows({ chat, conversations, question, bindings }: Screen, columns: number): Row[] {
  const paragraphs = wordsFor(chat, conversations.length, question, bindings);
  return paragraphs.flatMap((text): Row[] => [
    [],
    ...wrapText(text, columns - 2, columns - 2).map((row): Row => [span(` ${row}`, 'dim')]),
  ]);
}

function wordsFor(
  chat: ChatState,
  conversations: number,
  question: Question | null,
  bindings: Bindings,
): string[] {
  const { account, wanted, link, server } = chat;
  if (conversations > 0) {
    const next = bindings.shown('next-unread') ?? '/next';
    const list = bindings.shown('list');
    return [
      `${next} opens the next unread conversation, ${list === null ? '' : `${list} the list, `}/msg NAME any other.`,
    ];
  }
  if (account !== null || wanted !== null) {
    return [
      'Nobody has written yet, and you have written to nobody.',
      '/list shows who there is; /msg NAME opens a conversation.',
    ];
  }
  const welcome = 'Welcome to Milena: messages that wait until they are read.';
  if (link.kind !== 'online') {
    const running = 'Is a frontend running there? ./start_frontend.sh starts one.';
    return [welcome, `Milena cannot reach ${server} yet and goes on trying. ${running}`];
  }
  if (question === null) return [welcome, '/create NAME makes an account, /login NAME enters one.'];
  // Any other question is about the name that was entered.
  if (!question.orCommand) return [welcome];
  return [welcome, 'Enter a name below. One that nobody has becomes your account.'];
}

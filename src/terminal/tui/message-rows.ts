import { ME, nameOf, wordsForFate } from '../chat/words.ts';
import type { Term } from '../history/terms.ts';
import type { Peer, StoredMessage } from '../history/types.ts';
import { placeText } from '../record-text.ts';
import { MAX_SHOWN, sanitiseLine, sanitiseText } from '../sanitise.ts';
import { cells, toWidth, withoutTabs } from './cells.ts';
import { cutMarked, cutName } from './cut-names.ts';
import { clock, day } from './days.ts';
import { linkedRows } from './links.ts';
import { type Role, type Row, rowCells, type Span, span } from './rows.ts';
import { wrapText } from './wrap.ts';

/** What the client says itself, where the person looks. Not kept on disk. */
export interface Notice {
  readonly id: number;
  readonly at: number;
  readonly kind: 'info' | 'error';
  /** Safe for a terminal. */
  readonly text: string;
}

export interface Layout {
  /** Of the whole row. */
  readonly columns: number;
  /** For who wrote it. */
  readonly nameColumns: number;
  readonly seconds: boolean;
  /** What was looked for, and is to be seen in the texts. */
  readonly terms: readonly Term[];
  /** The message that was gone to for them. */
  readonly here: number | null;
}

/** What stands above a message because of the one before it. */
export interface Above {
  /** The day that begins, or null. */
  readonly day: number | null;
  /** So many unread messages begin here; 0 = none. */
  readonly unread: number;
}

/** With less than this, the text goes under the name instead of beside it. */
const MIN_BESIDE = 44;
const MAX_NAME_COLUMNS = 16;
/** In a room, whoever says something: what was said stands where it stood when somebody else joins in. */
const ROOM_NAME_COLUMNS = 12;
/** With so many columns there is room for more of them. */
const MIN_WIDE_ROOM = 76;
/** Of a text under the name: further in than times stand, so that none of its rows looks like another message. */
const UNDER_INDENT = 3;
/** For the ticks at the right. */
const TICK_COLUMNS = 3;

const NO_TERMS: readonly Term[] = [];

/** The layout of a conversation in so many columns; null: none is open. */
export function layoutFor(
  columns: number,
  seconds: boolean,
  peer: Peer | null,
  terms: readonly Term[] = NO_TERMS,
  here: number | null = null,
): Layout {
  const longest =
    peer?.kind === 'room' ? MAX_NAME_COLUMNS : Math.max(2, peer === null ? 0 : cells(nameOf(peer)));
  const inWindow = peer?.kind === 'room' && columns < MIN_WIDE_ROOM ? ROOM_NAME_COLUMNS : MAX_NAME_COLUMNS;
  const most = columns < 50 ? 10 : inWindow;
  return { columns, nameColumns: Math.min(most, longest), seconds, terms, here };
}

/** A message's rows, with the lines above it. */
export function messageRows(message: StoredMessage, layout: Layout, above: Above, now: number): Row[] {
  const rows: Row[] = [];
  if (above.day !== null) rows.push(dayRow(above.day, layout.columns, now));
  if (above.unread > 0) rows.push(unreadRow(above.unread, layout.columns));
  const { fate } = message;
  const name = nameSpan(message, layout);
  const body = withoutTabs(sanitiseText(message.body.slice(0, MAX_SHOWN)));
  const role = message.highlight ? 'highlight' : 'text';
  rows.push(...beside(layout, message.at, name, body, role, tickOf(message), message.id === layout.here));
  if (fate?.kind === 'refused' || fate?.kind === 'undeliverable' || fate?.kind === 'unsure') {
    rows.push(...under(layout, wordsForFate(fate), 'refused'));
  }
  if (message.record?.note) rows.push(...under(layout, sanitiseLine(message.record.note), 'dim'));
  return rows;
}

/** In a room several stand below each other: what is cut of their names must not make two of them look alike. */
function nameSpan(message: StoredMessage, { nameColumns }: Layout): Span {
  const { direction, peer, author, record } = message;
  if (direction === 'out') return span(ME, 'own');
  // The topic is the room's, on every row the same.
  if (record !== undefined) return span(cutMarked(placeText(record), nameColumns), 'dim');
  const who = author ?? peer;
  const name = author === undefined ? nameOf(peer) : cutMarked(nameOf(author), nameColumns);
  if (message.highlight) return span(name, 'highlight');
  return who.kind === 'external' ? span(name, 'external') : { text: name, role: 'name', who: who.name };
}

export function noticeRows(notice: Notice, layout: Layout): Row[] {
  const error = notice.kind === 'error';
  const mark = span(error ? '!' : '·', error ? 'error' : 'notice');
  const narrow = { ...layout, nameColumns: 1, terms: NO_TERMS };
  return beside(narrow, notice.at, mark, withoutTabs(notice.text), error ? 'error' : 'notice', null);
}

/** Time, who, and the text beside it, or under it where that would be too narrow. */
function beside(
  layout: Layout,
  at: number | null,
  name: Span,
  text: string,
  role: Role,
  tick: Span | null,
  isHere = false,
): Row[] {
  const { columns, nameColumns, seconds, terms } = layout;
  const time = at === null ? ' '.repeat(seconds ? 8 : 5) : clock(at, seconds);
  // No text stands in the last column: beside a border or another window it would be hard to read.
  const ticks = tick === null ? 1 : TICK_COLUMNS;
  if (columns < MIN_BESIDE && name.role !== 'notice' && name.role !== 'error') {
    const head = [span(` ${time} `, 'dim'), { ...name, text: nameIn(name.text, Math.max(1, columns - 10)) }];
    const room = Math.max(1, columns - UNDER_INDENT - ticks);
    const rows = linkedRows(wrapText(text, room, room), text, role, terms, isHere);
    return [head, ...textRows(rows, UNDER_INDENT, columns, tick)];
  }
  const gap = columns < MIN_BESIDE ? 1 : 2;
  const left = 1 + cells(time) + gap + nameColumns + gap;
  const room = Math.max(1, columns - left - ticks);
  const [first = [], ...rest] = linkedRows(wrapText(text, room, room), text, role, terms, isHere);
  const head = [
    span(` ${time}${' '.repeat(gap)}`, 'dim'),
    { ...name, text: nameIn(name.text, nameColumns) },
    span(' '.repeat(gap), role),
    ...first,
  ];
  if (rest.length === 0) return [withTick(head, columns, tick)];
  return [head, ...textRows(rest, left, columns, tick)];
}

/** Cut or filled up with blanks. */
function nameIn(name: string, columns: number): string {
  return toWidth(cutName(name, columns), columns);
}

function textRows(texts: readonly Row[], indent: number, columns: number, tick: Span | null): Row[] {
  return texts.map((text, index) => {
    const row = [span(' '.repeat(indent)), ...text];
    return index === texts.length - 1 ? withTick(row, columns, tick) : row;
  });
}

/** What is to be said of a message, under its text. */
function under({ columns, nameColumns, seconds }: Layout, words: string, role: Role): Row[] {
  const indent = columns < MIN_BESIDE ? UNDER_INDENT : 1 + (seconds ? 8 : 5) + 2 + nameColumns + 2;
  const room = Math.max(1, columns - indent);
  return wrapText(words, room, room).map((text) => [span(' '.repeat(indent) + text, role)]);
}

function withTick(row: Row, columns: number, tick: Span | null): Row {
  if (tick === null) return row;
  const used = rowCells(row);
  const blank = Math.max(1, columns - used - cells(tick.text) - 1);
  return [...row, span(' '.repeat(blank)), tick];
}

function tickOf({ fate }: StoredMessage): Span | null {
  if (fate === null) return null;
  switch (fate.kind) {
    case 'waiting':
      return span('⧖', 'waiting');
    case 'refused':
    case 'undeliverable':
      return span('✗', 'refused');
    case 'unsure':
      return span('?', 'refused');
    default:
      return span(wordsForFate(fate), 'tick');
  }
}

function dayRow(at: number, columns: number, now: number): Row {
  const words = day(at, now);
  return [span(' '.repeat(Math.max(0, columns - cells(words) - 1))), span(words, 'dim')];
}

function unreadRow(count: number, columns: number): Row {
  const words = ` ${count} new `;
  const side = Math.max(1, Math.floor((columns - 2 - cells(words)) / 2));
  return [span(` ${'─'.repeat(side)}${words}${'─'.repeat(side)}`.slice(0, Math.max(1, columns)), 'unread')];
}

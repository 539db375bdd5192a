import { whoSaidWhere } from '../chat/words.ts';
import type { History } from '../history/history.ts';
import type { Found, Search } from '../history/search.ts';
import { placesOf, type Range, type Term } from '../history/terms.ts';
import type { Conversation, StoredMessage } from '../history/types.ts';
import { LINE_BREAK, sanitiseLine } from '../sanitise.ts';
import { cells, shorten, toWidth } from './cells.ts';
import { cutNames, endOf } from './cut-names.ts';
import { lately, when } from './days.ts';
import { type Row, rowCells, type Span, span } from './rows.ts';

/** A message as a row to choose from shows it. */
export interface Hit extends Omit<StoredMessage, 'body' | 'fate'> {
  /** The line in which the first found words stand, or its middle; safe for a terminal. */
  readonly line: string;
  /** What was looked for in it. */
  readonly places: readonly Range[];
}

/** Messages to choose from. */
export interface HitPage {
  readonly type: 'hits';
  readonly title: string;
  readonly hits: readonly Hit[];
  readonly picked: number;
  /** What was looked for, and how many messages have it; null: it is another kind of choice. */
  readonly query: { readonly search: Search; readonly count: number } | null;
  /** Which of them are unread, where that is what the page is about. */
  readonly unread?: ReadonlySet<number>;
}

/** Of a line in front of the first hit, and of the line in all: more fits on no screen. */
const MAX_BEFORE = 200;
const MAX_LINE = 2_000;
/** For who wrote it, and to whom. */
const NAME_COLUMNS = 14;
/** For a room, and who said it there. */
const ROOM_NAME_COLUMNS = 20;
/** With fewer columns, dates are short; and there are none. */
const MIN_LONG_DATE_COLUMNS = 56;
const MIN_DATE_COLUMNS = 32;

/** What a search has found, to choose from; null: nothing. */
export function searchPage({ messages, ...query }: Found<StoredMessage>): HitPage | null {
  const hits = messages.map((message) => hitOf(message, query.search.terms));
  return hits.length === 0 ? null : { type: 'hits', title: '', hits, picked: 0, query };
}

export function nothingFound({ search }: Found<StoredMessage>): string {
  return `Nothing that was said has ${sanitiseLine(search.entered)}.`;
}

/** Where the person is among the hits: the keys say which way there are more. */
export function hitPlace({ picked, hits, query }: HitPage): string {
  const count = query?.count ?? hits.length;
  const number = `hit ${hitNumber(picked, count)}`;
  if (picked < hits.length - 1) return number;
  return hits.length < count
    ? `${number}, the last one listed: before: finds older ones`
    : `${number}, the oldest`;
}

/** Only as much of the text is looked at as it takes: it may be long, and there may be many. */
export function hitOf({ body, fate: _, ...message }: StoredMessage, terms: readonly Term[]): Hit {
  const [first] = placesOf(body, terms);
  if (first === undefined) return { ...message, line: sanitiseLine(body.slice(0, MAX_LINE)), places: [] };
  const from = Math.max(0, first.start - MAX_BEFORE);
  const before = body.slice(from, first.start).split(LINE_BREAK);
  const [behind = ''] = body.slice(first.start, first.start + MAX_LINE).split(LINE_BREAK, 1);
  const isCut = before.length === 1 && from > 0;
  const line = sanitiseLine(`${isCut ? '…' : ''}${before.at(-1)}${behind}`);
  const places = [...placesOf(line, terms)];
  // Words that stand together may do so over the end of the line.
  return { ...message, line, places: places.length > 0 ? places : [...placesOf(line, wordsIn(terms))] };
}

function wordsIn(terms: readonly Term[]): Term[] {
  return terms.flatMap(({ tokens }) => tokens.map((token) => ({ tokens: [token], isWhole: true })));
}

export function hitsTitle({ title, picked, hits, query }: HitPage): string {
  if (query === null) return title;
  const newest = hits.length < query.count ? ` · the newest ${hits.length}` : '';
  return `${hitNumber(picked, query.count)} with ${sanitiseLine(query.search.entered)}${newest}`;
}

/** `3 of 1,204`. */
function hitNumber(picked: number, count: number): string {
  return `${(picked + 1).toLocaleString('en')} of ${count.toLocaleString('en')}`;
}

/** The rows around the picked one. @param height how many there may be */
export function hitRows(page: HitPage, columns: number, height: number, now: number): Row[] {
  const { hits, picked, unread } = page;
  const first = Math.max(0, Math.min(picked - Math.floor(height / 2), hits.length - height));
  const shown = hits.slice(first, first + height);
  const most = shown.some(({ peer }) => peer.kind === 'room') ? ROOM_NAME_COLUMNS : NAME_COLUMNS;
  const names = cutNames(
    shown.map(whoSaidWhere),
    shown.map(() => Math.min(most, Math.floor(columns / 3))),
  );
  const nameColumns = Math.max(...names.map(cells));
  const dateIn = columns < MIN_LONG_DATE_COLUMNS ? lately : when;
  const dates = shown.map(({ at }) => (at === null || columns < MIN_DATE_COLUMNS ? '' : dateIn(at, now)));
  const dateColumns = Math.max(...dates.map(cells));
  return shown.map((hit, index): Row => {
    const isUnread = unread?.has(hit.id) === true;
    const mark = unread === undefined ? '' : hit.highlight ? '! ' : isUnread ? '● ' : '  ';
    const role = hit.highlight ? 'highlight' : isUnread ? 'unread' : 'text';
    const name = toWidth(names[index] ?? '', nameColumns);
    const head: Span[] = [
      span(` ${mark}`, role),
      ...(dateColumns === 0 ? [] : [span(`${(dates[index] ?? '').padStart(dateColumns)}  `, 'dim')]),
      nameSpan(name, hit),
      span('  '),
    ];
    const used = rowCells(head);
    const row = [...head, ...lineSpans(hit, Math.max(1, columns - used - 1), role)];
    return first + index === picked ? pickedRow(row, columns) : row;
  });
}

function nameSpan(name: string, { peer, author = peer }: Hit): Span {
  return author.kind === 'external' ? span(name, 'external') : { text: name, role: 'name', who: author.name };
}

/** As much of the line as fits, with the first hit in it. */
function lineSpans({ line, places }: Hit, columns: number, role: Span['role']): Span[] {
  const first = places[0];
  const isOut = first !== undefined && cells(line.slice(0, first.end)) > columns;
  const from = isOut ? first.start - endOf(line.slice(0, first.start), Math.floor(columns / 3)).length : 0;
  const whole = line.slice(from);
  const shown = shorten(whole, isOut ? columns - 1 : columns);
  const isCut = shown !== whole;
  const text = isCut ? shown.slice(0, -1) : shown;
  const missing = span('…', 'ours');
  const spans = isOut ? [missing] : [];
  let done = 0;
  for (const { start, end } of places) {
    const [begin, behind] = [Math.max(done, start - from), Math.min(text.length, end - from)];
    if (begin >= behind) continue;
    spans.push(span(text.slice(done, begin), role), span(text.slice(begin, behind), 'found'));
    done = behind;
  }
  return [...spans, span(text.slice(done), role), ...(isCut ? [missing] : [])];
}

/** Over the whole width; what was found stands out of it. */
function pickedRow(row: Row, columns: number): Row {
  const used = rowCells(row);
  const spans = row.map(({ text, role }) => span(text, role === 'found' ? 'strong' : 'selected'));
  return [...spans, span(' '.repeat(Math.max(0, columns - used)), 'selected')];
}

/** Highlighted messages on the page, read or not. */
const MAX_HIGHLIGHTED = 100;

/**
 * What is unread, and what held the person's name or words: of all conversations, newest first; null without any. Of what
 * is unread in one conversation it has the first ones, where somebody would begin to read.
 */
export function activityPage(history: History, conversations: readonly Conversation[]): HitPage | null {
  const unread = history.unread();
  const all = new Map([...unread, ...history.highlighted(MAX_HIGHLIGHTED)].map((one) => [one.id, one]));
  if (all.size === 0) return null;
  const messages = [...all.values()].toSorted((one, other) => other.id - one.id);
  const highlights = messages.filter(({ highlight }) => highlight).length;
  const count = conversations.reduce((sum, one) => sum + (one.notify === 'all' ? one.unread : 0), 0);
  const title = `Activity: ${count} unread (●), ${highlights} with your name or words (!)`;
  return {
    type: 'hits',
    title,
    hits: messages.map((message) => hitOf(message, [])),
    picked: 0,
    query: null,
    unread: new Set(unread.map(({ id }) => id)),
  };
}

import { whoSaid } from '../chat/words.ts';
import type { StoredMessage } from '../history/types.ts';
import { MAX_SHOWN, sanitiseText } from '../sanitise.ts';
import { graphemesIn } from '../segmenter.ts';
import { cells, graphemeCells, shorten } from './cells.ts';
import { clock } from './days.ts';

/** Something that was said, as the bare view shows it. Both texts are safe for a terminal. */
export interface BareSaid {
  /** When, and who. */
  readonly head: string;
  readonly text: string;
  /** How much of it stands above the window: 0 is nothing, 0.5 half of it. */
  readonly above: number;
}

/** A line for the terminal to wrap. The head stands in bold, which nothing that was sent can be. */
interface BareLine {
  readonly head: string;
  readonly text: string;
}

/** Tabs stay what they are, so that they are copied as such; at most so many cells each. */
const TAB_CELLS = 8;
// biome-ignore lint/suspicious/noControlCharactersInRegex: plain text is as wide as it is long
const ASCII = /^[\u0000-\u007f]*$/;

export function bareMessage(message: StoredMessage, above: number): BareSaid {
  const { at, body } = message;
  return { head: headOf(at, whoSaid(message)), text: sanitiseText(body.slice(0, MAX_SHOWN)), above };
}

function headOf(at: number | null, who: string): string {
  return at === null ? who : `${clock(at)} ${who}`;
}

/**
 * What was said in lines that are not broken, the newest as far as there is room. Of a text that has more than a screen it
 * begins where the window does.
 */
export function bareLines(said: readonly BareSaid[], columns: number, rows: number): BareLine[] {
  const lines: BareLine[] = [];
  let room = rows;
  for (const one of said.toReversed()) {
    const block = linesOf(one.head, one.text);
    const height = heightOf(block, columns);
    if (height > room) {
      lines.unshift(...(lines.length === 0 ? middleOf(one, columns, room) : endOf(block, columns, room)));
      break;
    }
    lines.unshift(...block);
    room -= height;
  }
  return lines;
}

/** One line stands beside its head; several stand under it, at the edge, as they were sent. */
function linesOf(head: string, text: string): BareLine[] {
  if (!text.includes('\n')) return [{ head, text }];
  return [{ head, text: '' }, ...text.split('\n').map((line) => ({ head: '', text: line }))];
}

function heightOf(lines: readonly BareLine[], columns: number): number {
  return lines.reduce((sum, line) => sum + rowsOf(line, columns), 0);
}

/** Rows that the terminal makes of a line; rather one too many. */
function rowsOf({ head, text }: BareLine, columns: number): number {
  const line = (head === '' ? text : `${head} ${text}`).replaceAll('\t', ' '.repeat(TAB_CELLS));
  if (ASCII.test(line)) return Math.max(1, Math.ceil(line.length / columns));
  // What takes two cells does not begin in the last one.
  return Math.max(1, Math.ceil(cells(line) / Math.max(1, columns - 1)));
}

/** The last lines, under the head. */
function endOf(block: readonly BareLine[], columns: number, rows: number): BareLine[] {
  const [first = { head: '', text: '' }, ...rest] = block;
  const top = topOf(first.head, '…', columns);
  const lines: BareLine[] = [];
  let room = rows - 1;
  for (const line of rest.toReversed()) {
    room -= rowsOf(line, columns);
    if (room < 0) break;
    lines.unshift(line);
  }
  return lines.length === 0 ? [] : [top, ...lines];
}

/** Who said it, in a single row. @param text that stands behind it, if it has room */
function topOf(head: string, text: string, columns: number): BareLine {
  const room = columns - 1 - (text === '' ? 0 : cells(text) + 1);
  return room < 1 && text !== ''
    ? topOf(head, '', columns)
    : { head: shorten(head, Math.max(1, room)), text };
}

/** As much as there is room for, from where the window begins. */
function middleOf({ head, text, above }: BareSaid, columns: number, rows: number): BareLine[] {
  const at = Math.floor(text.length * above);
  const lineStart = at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1;
  const start = at - lineStart < columns * rows ? lineStart : at;
  const shown = text.slice(start, start + columns * rows).toWellFormed();
  const lines: BareLine[] = [topOf(head, start > 0 ? '…' : '', columns)];
  let room = rows - 1;
  for (const line of shown.split('\n')) {
    const own = { head: '', text: line };
    const height = rowsOf(own, columns);
    if (room < 1) break;
    lines.push(height <= room ? own : { head: '', text: beginningOf(line, room * (columns - 1)) });
    room -= height;
  }
  return lines;
}

/** Of a line as much as so many cells have room for. */
function beginningOf(line: string, room: number): string {
  let width = 1;
  for (const { segment, index } of graphemesIn(line)) {
    width += segment === '\t' ? TAB_CELLS : graphemeCells(segment);
    if (width > room) return `${line.slice(0, index)}…`;
  }
  return line;
}

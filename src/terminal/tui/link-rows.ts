import type { SaidLink } from '../chat/display.ts';
import { countOf, whoSaid } from '../chat/words.ts';
import { otherHost } from '../urls.ts';
import { cells, toWidth } from './cells.ts';
import { cutName } from './cut-names.ts';
import { lately } from './days.ts';
import { type Role, type Row, span } from './rows.ts';

const NAME_COLUMNS = 14;
const TIME_COLUMNS = 5;
/** With less for an address it stands under the rest of its row. */
const MIN_BESIDE = 32;
const UNDER_INDENT = 4;

/**
 * Addresses to choose from, each of them whole: what comes from a stranger is seen before it is opened. The picked one is in
 * sight from its beginning; what of it has no room is told.
 */
export function linkRows(
  links: readonly SaidLink[],
  picked: number,
  columns: number,
  height: number,
  now: number,
): Row[] {
  // Only those around the picked one: each has a row at least.
  const first = Math.max(0, picked - height);
  const near = links.slice(first, picked + height);
  const blocks = near.map((link, index) =>
    rowsOf(link, first + index + 1, first + index === picked ? 'selected' : 'text', columns, now),
  );
  const at = picked - first;
  const above = blocks.slice(0, at).flat();
  const own = blocks[at] ?? [];
  const below = blocks.slice(at + 1).flat();
  if (own.length > height) return [...own.slice(0, height - 1), missingRow(own.length - height + 1, columns)];
  // In the middle, if there is something on both sides.
  const room = height - own.length;
  const over = Math.min(above.length, Math.max(Math.floor(room / 2), room - below.length));
  return [...above.slice(above.length - over), ...own, ...below.slice(0, room - over)];
}

function rowsOf({ url, message }: SaidLink, number: number, role: Role, columns: number, now: number): Row[] {
  const { at } = message;
  const who = whoSaid(message);
  const time = (at === null ? '' : lately(at, now)).padStart(TIME_COLUMNS);
  const head = ` ${String(number).padStart(2)}  ${time}  ${toWidth(cutName(who, NAME_COLUMNS), Math.min(NAME_COLUMNS, cells(who)))}`;
  const left = cells(head) + 2;
  const isBeside = columns - left - 1 >= MIN_BESIDE;
  const indent = isBeside ? left : UNDER_INDENT;
  const pieces = cut(url, Math.max(1, columns - indent - 1));
  const texts = isBeside
    ? pieces.map((piece, index) => (index === 0 ? `${head}  ${piece}` : ' '.repeat(indent) + piece))
    : [head, ...pieces.map((piece) => ' '.repeat(indent) + piece)];
  const rows = texts.map((text): Row => [span(toWidth(text, columns), role)]);
  const host = otherHost(url);
  if (host === null) return rows;
  const warning = cut(`leads to ${host}`, Math.max(1, columns - indent - 1));
  return [...rows, ...warning.map((text): Row => [span(' '.repeat(indent) + text, 'error')])];
}

/** Pieces of so many characters; addresses are of ASCII. */
function cut(url: string, columns: number): string[] {
  return url.match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];
}

function missingRow(rows: number, columns: number): Row {
  return [span(toWidth(`    … ${countOf(rows, 'row')} more, in a larger window`, columns), 'selected')];
}

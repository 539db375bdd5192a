import type { Bindings } from './bindings.ts';
import { hints } from './hints.ts';
import { wrapText } from './wrap.ts';

/** With less, what a key does stands under it. */
const MIN_BESIDE = 60;
const KEY_COLUMNS = 26;

/** Which keys hold now, and their names for the file of keys, in rows of so many columns. */
export function keyRows(bindings: Bindings, file: string, columns: number): string[] {
  const about = `Other keys: a line such as next-unread = alt+n in ${file}`;
  const isBeside = columns >= MIN_BESIDE;
  const indent = isBeside ? KEY_COLUMNS : 2;
  const rows = bindings.rows.flatMap(({ keys, name, does }) => {
    const [first = '', ...rest] = wrapText(`${does} (${name})`, columns - indent, columns - indent);
    const under = rest.map((row) => ' '.repeat(indent) + row);
    const isShort = isBeside && keys.length < KEY_COLUMNS;
    return isShort
      ? [keys.padEnd(indent) + first, ...under]
      : [...wrapText(keys, columns, columns), ' '.repeat(indent) + first, ...under];
  });
  return [...rows, '', ...wrapText(about, columns, columns)];
}

/** What one needs first, for /help: rows that fit 80 columns with the keys that hold where nobody says otherwise. */
export function usualKeys(bindings: Bindings): string[] {
  const key = (name: string, does: string) => bindings.hint(does, name);
  return [
    hints(
      key('accept-line', 'sends'),
      key('newline', 'new line'),
      key('complete', 'completes'),
      key('undo', 'takes back a change'),
    ),
    hints(
      key('next-unread', 'next unread'),
      key('activity', 'what concerns you'),
      key('list', 'list'),
      bindings.hint('other', 'previous-conversation', 'next-conversation'),
    ),
    hints(
      bindings.hint('scroll', 'page-up', 'page-down'),
      key('reverse-search-history', 'looks back'),
      key('quit', 'leaves'),
      '/help keys: all',
    ),
  ];
}

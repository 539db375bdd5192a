import type { Bindings } from './bindings.ts';
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

import { createHash } from 'node:crypto';
import { graphemesIn } from '../segmenter.ts';
import { cells, shorten } from './cells.ts';

/** Of a name with less room nothing but its beginning is shown. */
const MIN_MIDDLE_COLUMNS = 6;
const HASH_CHARACTERS = 2;
/**
 * A name in at most so many cells. What is cut out is the middle: names of machines and programs differ at their ends.
 * @param name safe for a terminal, of one line and not long
 */
export function cutName(name: string, columns: number): string {
  if (columns < MIN_MIDDLE_COLUMNS || cells(name) <= columns) return shorten(name, columns);
  const end = endOf(name, Math.floor((columns - 1) / 2));
  return `${shorten(name, columns - cells(end))}${end}`;
}

/**
 * Names that stand below each other, each in at most as many cells as `columns` has for it. Different ones that look alike when they are cut have
 * their ends replaced by two characters that depend on the whole name alone, and so stay what they are.
 */
export function cutNames(names: readonly string[], columns: readonly number[]): string[] {
  const cut = names.map((name, index) => cutName(name, columns[index] ?? 0));
  const alike = Map.groupBy(names.keys(), (index) => cut[index] ?? '');
  return cut.map((text, index) => {
    const name = names[index] ?? '';
    const others = alike.get(text) ?? [];
    if (others.every((other) => names[other] === name)) return text;
    return marked(name, columns[index] ?? 0);
  });
}

/** A name in at most so many cells; one that is cut looks like no other, whatever stands beside it. */
export function cutMarked(name: string, columns: number): string {
  return cells(name) <= columns ? name : marked(name, columns);
}

function marked(name: string, columns: number): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARACTERS);
  return `${shorten(name, columns - 1 - HASH_CHARACTERS)}~${hash}`;
}

/** The end of a text, at most so many cells. */
export function endOf(text: string, columns: number): string {
  let end = '';
  for (const { segment } of Array.from(graphemesIn(text)).reverse()) {
    if (cells(segment + end) > columns) break;
    end = segment + end;
  }
  return end;
}

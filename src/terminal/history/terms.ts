/**
 * What makes a word: the same letters and digits as for SQLite's `unicode61`, with accents of their own behind them. Where
 * the two go by different versions of Unicode, a word is found and not marked.
 */
const WORD = /[\p{L}\p{N}\p{Co}](?:[\p{L}\p{N}\p{Co}]|[\u0300-\u036f])*/gu;
const ACCENTS = /[\u0300-\u036f]/g;

/** Words that stand behind each other. */
export interface Term {
  readonly tokens: readonly string[];
  /** Whether the last one is a whole word; otherwise one that begins so is as good. */
  readonly isWhole: boolean;
}

/** A part of a text, in UTF-16 units; `end` is behind it. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The words of a text. */
export function tokensOf(text: string): string[] {
  return text.match(WORD) ?? [];
}

/** Where one of the terms stands in a text, in order; no two overlap. */
export function* placesOf(text: string, terms: readonly Term[]): Generator<Range> {
  const wanted = terms.map(({ tokens, isWhole }) => ({ tokens: tokens.map(folded), isWhole }));
  const longest = Math.max(0, ...wanted.map(({ tokens }) => tokens.length));
  if (longest === 0) return;
  /** The last words up to here, as many as the longest term has. */
  const last: (Range & { readonly word: string })[] = [];
  let done = 0;
  for (const { 0: word, index: start } of text.matchAll(WORD)) {
    last.push({ start, end: start + word.length, word: folded(word) });
    if (last.length > longest) last.shift();
    const starts = wanted.flatMap(({ tokens, isWhole }) => {
      const words = last.slice(-tokens.length);
      const isHere =
        words.length === tokens.length && words.every((one, at) => fits(one.word, tokens, at, isWhole));
      return isHere ? [words[0]?.start ?? start] : [];
    });
    if (starts.length === 0) continue;
    const range = { start: Math.max(done, Math.min(...starts)), end: start + word.length };
    done = range.end;
    yield range;
  }
}

function fits(word: string, tokens: readonly string[], at: number, isWhole: boolean): boolean {
  const token = tokens[at] ?? '';
  return at === tokens.length - 1 && !isWhole ? word.startsWith(token) : word === token;
}

/** Without case and accents. */
function folded(word: string): string {
  return word.normalize('NFD').replace(ACCENTS, '').toLowerCase();
}

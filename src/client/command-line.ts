/**
 * The words of a command line, for a program that is run without a shell: blanks part them, quotes hold them together and a
 * backslash takes the next character as it is, as in a shell; nothing else means anything. Undefined for what has no words,
 * or a quote without its end.
 */
export function wordsOf(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    if (character === '\0') return undefined;
    if (quote !== null && character === quote) quote = null;
    else if (character === '\\' && quote !== "'" && at + 1 < line.length) {
      at += 1;
      word = `${word ?? ''}${line[at]}`;
    } else if (quote === null && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (quote === null && /\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = `${word ?? ''}${character}`;
  }
  if (quote !== null) return undefined;
  if (word !== null) words.push(word);
  return words[0] ? words : undefined;
}

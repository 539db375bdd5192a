/** Longer queries are cut; so many words a person types at most. */
const MAX_CHARACTERS = 256;
const MAX_WORDS = 16;

/**
 * A full-text expression that matches texts with words that begin with each of the given ones; null if there are none.
 * Every word is quoted, so nothing in it is syntax; one without a letter or digit is passed over by SQLite.
 */
export function matchExpression(words: string): string | null {
  const terms = words
    .slice(0, MAX_CHARACTERS)
    .toWellFormed()
    // A quote would end the word, and a NUL the expression.
    .replaceAll(/["\0]/g, ' ')
    .split(/\s+/u)
    .filter((word) => word !== '')
    .slice(0, MAX_WORDS);
  return terms.length === 0 ? null : terms.map((term) => `"${term}"*`).join(' ');
}

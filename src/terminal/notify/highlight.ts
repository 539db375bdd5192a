/** Words of the person's own; with more, or longer ones, a message would take too long to look at. */
export const MAX_WORDS = 50;
export const MAX_WORD_CHARACTERS = 64;
/** Of a text so much is looked at: no inbox takes longer ones. */
const MAX_CHARACTERS = 65_536;

/**
 * Tells whether a text holds one of the words as a whole, whatever its case and however its letters are composed:
 * `ann` is in `Ann:` and in `@ann`, not in `planning`.
 */
export function highlighter(words: readonly string[]): (text: string) => boolean {
  const parts = words.map((word) => word.normalize('NFC').trim()).filter((word) => word !== '');
  if (parts.length === 0) return () => false;
  const letter = '[\\p{L}\\p{M}\\p{N}_]';
  const any = parts.map((word) => RegExp.escape(word)).join('|');
  const pattern = new RegExp(`(?<!${letter})(?:${any})(?!${letter})`, 'iu');
  return (text) => pattern.test(text.slice(0, MAX_CHARACTERS).normalize('NFC'));
}

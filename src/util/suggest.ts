/** More slips than this make another word. */
const MAX_SLIPS = 2;

/** The one of `words` that was probably meant, or null: it begins with what was written, or differs by two slips. */
export function suggest(written: string, words: readonly string[]): string | null {
  const text = written.toLowerCase();
  const longer = words.filter((word) => text.length >= 2 && word.toLowerCase().startsWith(text));
  if (longer.length === 1) return longer[0] ?? null;
  let best: string | null = null;
  // Of a short word two other letters make anything.
  let fewest = Math.min(MAX_SLIPS, Math.floor(text.length / 2)) + 1;
  for (const word of words) {
    // As many letters to add or leave out: whatever somebody wrote, it costs no more than a few words do.
    if (Math.abs(word.length - text.length) >= fewest) continue;
    const slips = distance(text, word.toLowerCase());
    if (slips < fewest) {
      best = word;
      fewest = slips;
    }
  }
  return best;
}

/** Letters to add, leave out, replace or swap with their neighbour (optimal string alignment). */
function distance(one: string, other: string): number {
  let before: number[] = [];
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1];
      let cost = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    before = above;
    above = current;
  }
  return above[other.length] ?? 0;
}

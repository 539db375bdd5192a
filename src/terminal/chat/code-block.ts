/** At most three blanks, then three signs or more; behind it the language, or anything else. */
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/u;

/**
 * The last block of code between fences (``` or ~~~), without them and without the line break at its end: pasted in a shell, its last line
 * waits for Enter. One that is never closed goes to the end of the text, as in Markdown. Null: there is none.
 */
export function lastCodeBlock(text: string): string | null {
  let last: readonly string[] | null = null;
  let open: { readonly fence: string; readonly lines: string[] } | null = null;
  for (const line of text.split('\n')) {
    const [, fence = '', behind = ''] = FENCE.exec(line) ?? [];
    if (open !== null) {
      if (fence.startsWith(open.fence) && behind.trim() === '') {
        if (open.lines.length > 0) last = open.lines;
        open = null;
      } else open.lines.push(line);
      // In front of a single backtick there may be more of them within a line.
    } else if (fence !== '' && !(fence.startsWith('`') && behind.includes('`'))) open = { fence, lines: [] };
  }
  if (open !== null && open.lines.length > 0) last = open.lines;
  return last?.join('\n') ?? null;
}

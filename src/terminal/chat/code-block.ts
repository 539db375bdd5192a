import { LINE_BREAK } from '../sanitise.ts';

/** At most three blanks, then three signs or more; behind it the language, or anything else. */
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/u;

/**
 * The last block of code between fences (``` or ~~~), without them and without the empty lines at its end: pasted in a shell, its last
 * line waits for Enter. One that is never closed goes to the end of the text, as in Markdown. Null: there is none.
 * @param text with line breaks of any kind, as the screen takes them; in the block they are LF
 */
export function lastCodeBlock(text: string): string | null {
  let last: readonly string[] | null = null;
  let open: { readonly fence: string; readonly lines: string[] } | null = null;
  for (const line of text.split(LINE_BREAK)) {
    const [, fence = '', behind = ''] = FENCE.exec(line) ?? [];
    if (open !== null) {
      if (fence.startsWith(open.fence) && behind.trim() === '') {
        last = withoutEmptyEnd(open.lines) ?? last;
        open = null;
      } else open.lines.push(line);
      // The info string of a backtick fence has no backtick (CommonMark).
    } else if (fence !== '' && !(fence.startsWith('`') && behind.includes('`'))) open = { fence, lines: [] };
  }
  if (open !== null) last = withoutEmptyEnd(open.lines) ?? last;
  return last?.join('\n') ?? null;
}

/** Null: nothing else is in it. */
function withoutEmptyEnd(lines: readonly string[]): readonly string[] | null {
  const end = lines.findLastIndex((line) => line.trim() !== '') + 1;
  return end === 0 ? null : lines.slice(0, end);
}

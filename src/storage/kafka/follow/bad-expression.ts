/** What is wrong with a filter or a template, and where in its text. */
export class BadExpression extends Error {
  override readonly name = 'BadExpression';
  readonly code: 'BAD_FILTER' | 'BAD_TEMPLATE';
  /** Both count from 1; columns are UTF-16 units. */
  readonly line: number;
  readonly column: number;

  /** @param at offset into the text, in UTF-16 units */
  constructor(code: BadExpression['code'], message: string, text: string, at: number) {
    super(message);
    this.code = code;
    const before = text.slice(0, at).split(/\r\n|\r|\n/);
    this.line = before.length;
    this.column = (before.at(-1)?.length ?? 0) + 1;
  }
}

/** The offset of a line and a column, which count from 1; within the text. */
export function offsetOf(text: string, line: number, column: number): number {
  let at = 0;
  for (let left = line; left > 1; left--) {
    const end = text.indexOf('\n', at);
    if (end < 0) break;
    at = end + 1;
  }
  return Math.min(text.length, at + column - 1);
}

/** Characters of a sentence about a record, parts of which may stand in it. */
const MAX_SENTENCE = 200;

/** What a library says is wrong, in one sentence, without the place that Liquid has at its end. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('Maximum call stack')) return 'nested too deeply';
  return message.replace(/, line:\d+, col:\d+/g, '').slice(0, MAX_SENTENCE);
}

import { StringDecoder } from 'node:string_decoder';

/** Longest line, in characters: a Kafka record takes 1 MiB. */
export const MAX_LINE = 1_000_000;

/** A line over the limit; nothing of it was given out. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

/**
 * Text of a stream as lines without their ends, those of one chunk together: a batch is what there is, so a pipe goes in
 * large ones and a keyboard line by line. The last line needs no end. Reads on only when the batch was taken.
 * @throws LineTooLong
 */
export async function* lineBatches(chunks: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.write(chunk)).split('\n').map(withoutCarriageReturn);
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE || lines.some((line) => line.length > MAX_LINE)) throw new LineTooLong();
    if (lines.length > 0) yield lines;
  }
  rest = withoutCarriageReturn(rest + decoder.end());
  if (rest !== '') yield [rest];
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Writes a line, and waits while the reader of our output is slower than we are. */
export async function printLine(line: string): Promise<void> {
  if (process.stdout.write(`${line}\n`)) return;
  await new Promise((resolve) => process.stdout.once('drain', resolve));
}

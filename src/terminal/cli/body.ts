import type { Readable } from 'node:stream';
import { MAX_BODY_BYTES } from '../../client/index.ts';
import { demandUtf8 } from './arguments.ts';
import { EXIT, Failure } from './exit.ts';

/** Of a text that is far too long the length is told up to here; nobody waits for the end of an endless one. */
const MAX_COUNTED_BYTES = 16 * 1024 * 1024;

/** The text of a message from its words. @throws Failure `DATA` */
export function bodyOf(words: readonly string[]): string {
  demandUtf8(words);
  const body = words.join(' ').toWellFormed();
  demandLength(Buffer.byteLength(body), MAX_BODY_BYTES);
  return body;
}

/** The text of a message from a stream, without the line break at its end. @throws Failure `DATA`, `IO` */
export async function bodyFrom(stream: Readable, signal: AbortSignal): Promise<string> {
  const bytes = await readAll(stream, signal);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Failure(EXIT.DATA, 'The text from standard input is not UTF-8: nothing was sent.', {
      cause: error,
    });
  }
  const body = text.replace(/\r?\n$/, '');
  demandLength(Buffer.byteLength(body), MAX_BODY_BYTES);
  return body;
}

/** The length of a text and its limit, in bytes. @throws Failure `DATA` */
export function demandLength(bytes: number, limit: number): void {
  if (bytes === 0) throw new Failure(EXIT.DATA, 'The text is empty: nothing was sent.');
  if (bytes > limit) throw tooLong(String(bytes), limit);
}

function tooLong(bytes: string, limit: number): Failure {
  return new Failure(
    EXIT.DATA,
    `The text is too long: ${bytes} bytes, where ${limit} are allowed. Nothing was sent.`,
  );
}

async function readAll(stream: Readable, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const abort = () => void stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > MAX_COUNTED_BYTES) throw tooLong(`more than ${MAX_COUNTED_BYTES}`, MAX_BODY_BYTES);
      // A line break at the end, of one or two bytes, does not count.
      if (length <= MAX_BODY_BYTES + 2) chunks.push(bytes);
      else chunks.length = 0;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(EXIT.IO, `Standard input cannot be read: ${reason}.`, { cause: error });
  } finally {
    signal.removeEventListener('abort', abort);
  }
  signal.throwIfAborted();
  if (length > MAX_BODY_BYTES + 2) throw tooLong(String(length), MAX_BODY_BYTES);
  return Buffer.concat(chunks);
}

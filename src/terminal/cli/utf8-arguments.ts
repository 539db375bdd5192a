import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { EXIT, Failure } from './exit.ts';

/** What Node makes of each byte of an argument that is not UTF-8; somebody may also have meant it. */
const REPLACEMENT = '\ufffd';
const COMMAND_LINE = '/proc/self/cmdline';

/**
 * Arguments as they were given: none of them had bytes that Node replaced, so that another text would be sent, or sought,
 * than was meant. Linux has the bytes; where nobody knows them, what may have been replaced is refused.
 * @throws Failure `DATA`
 */
export function demandUtf8(
  args: readonly string[],
  commandLine: () => Buffer | null = readCommandLine,
): void {
  if (!args.some((arg) => arg.includes(REPLACEMENT))) return;
  const bytes = commandLine();
  if (bytes === null) {
    throw new Failure(
      EXIT.DATA,
      'An argument has U+FFFD in it, which may stand for bytes that are not UTF-8: nothing was done. ' +
        'A text with this character goes by standard input.',
    );
  }
  const given = bytes.toString('latin1').split('\0');
  if (given.every((arg) => isUtf8(Buffer.from(arg, 'latin1')))) return;
  throw new Failure(EXIT.DATA, 'An argument is not UTF-8: nothing was done.');
}

/** With what stands before the arguments, which does no harm; null where the system has no such file. */
function readCommandLine(): Buffer | null {
  try {
    const bytes = readFileSync(COMMAND_LINE);
    return bytes.length === 0 ? null : bytes;
  } catch {
    return null;
  }
}

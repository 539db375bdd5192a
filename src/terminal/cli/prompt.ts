import { openSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { sanitiseTyped } from '../sanitise.ts';
import { graphemesIn } from '../segmenter.ts';
import { type Context, Interrupted } from './context.ts';

/** No password and no answer is longer; a paste beyond it is cut. */
const MAX_ANSWER = 4_096;

/** The terminal of whoever started the process, whatever standard input and output are. */
export class TerminalPrompt {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #interrupted: AbortSignal;

  private constructor(input: ReadStream, output: WriteStream, interrupted: AbortSignal) {
    this.#input = input;
    this.#output = output;
    this.#interrupted = interrupted;
  }

  /** Null where there is no terminal, as under cron. */
  static open({ interrupted }: Pick<Context, 'interrupted'>): TerminalPrompt | null {
    try {
      // Loaded only here: most commands ask nobody.
      const tty = process.getBuiltinModule('node:tty');
      const input = new tty.ReadStream(openSync('/dev/tty', 'r'));
      return new TerminalPrompt(input, new tty.WriteStream(openSync('/dev/tty', 'w')), interrupted);
    } catch {
      return null;
    }
  }

  /** A line that nobody sees, as it was typed. @throws Interrupted by Ctrl+C */
  secret(question: string): Promise<string> {
    return this.#ask(question, false);
  }

  /** A line. @throws Interrupted by Ctrl+C */
  async line(question: string): Promise<string> {
    return sanitiseTyped(await this.#ask(question, true));
  }

  close(): void {
    this.#input.destroy();
    this.#output.destroy();
  }

  #ask(question: string, shown: boolean): Promise<string> {
    this.#interrupted.throwIfAborted();
    const input = this.#input;
    const output = this.#output;
    return new Promise((resolve, reject) => {
      let answer = '';
      const end = (settle: () => void) => {
        input.off('data', take);
        input.pause();
        input.setRawMode(false);
        this.#interrupted.removeEventListener('abort', abort);
        output.write('\n');
        settle();
      };
      const abort = () => end(() => reject(this.#interrupted.reason));
      const take = (chunk: string) => {
        // Keys such as arrows say nothing here.
        // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
        for (const character of chunk.replace(/\u001b(?:[[O][0-?]*[ -/]*[@-~]|.)?/g, '')) {
          const before = answer;
          switch (character) {
            case '\r':
            case '\n':
              return end(() => resolve(answer));
            case '\u0003':
              return end(() => reject(new Interrupted('SIGINT')));
            case '\u0004':
              if (answer === '') return end(() => resolve(''));
              break;
            case '\u007f':
            case '\b':
              answer = withoutLast(answer);
              break;
            case '\u0015':
              answer = '';
              break;
            default:
              if (character >= ' ' && answer.length < MAX_ANSWER) answer += character;
          }
          if (shown && answer !== before) output.write(`\r\u001b[K${question}${sanitiseTyped(answer)}`);
        }
      };
      this.#interrupted.addEventListener('abort', abort, { once: true });
      input.setEncoding('utf8');
      // Raw before the question is shown: whoever answers it at once is not echoed.
      input.setRawMode(true);
      output.write(question);
      input.on('data', take);
      input.resume();
    });
  }
}

function withoutLast(text: string): string {
  return Array.from(graphemesIn(text), ({ segment }) => segment)
    .slice(0, -1)
    .join('');
}

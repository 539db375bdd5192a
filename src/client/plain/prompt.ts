import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

export interface PromptEvents {
  readonly onLine: (line: string) => void;
  /** Escape is no key here: Ctrl+C leaves a question, and without one the program, as does the end of the input. */
  readonly onInterrupt: () => void;
  readonly onEnd: () => void;
}

/**
 * Lines from a person or a pipe, and lines for them. What comes while somebody types stands above what they type; a
 * password is not echoed.
 */
export class Prompt {
  readonly #lines: Interface;
  readonly #out: NodeJS.WriteStream;
  readonly #isTerminal: boolean;
  readonly #canMove: boolean;
  #isSilent = false;
  #text = '> ';
  #question: { readonly text: string; readonly masked: boolean } | null = null;
  #closed = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, events: PromptEvents) {
    this.#out = output;
    this.#isTerminal = input.isTTY && output.isTTY;
    this.#canMove = this.#isTerminal && process.env.TERM !== 'dumb';
    const echo = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.#isSilent) output.write(chunk);
        done();
      },
    });
    this.#lines = createInterface({
      input,
      output: this.#isTerminal ? echo : undefined,
      terminal: this.#isTerminal,
      historySize: 100,
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    this.#lines.on('line', (line) => {
      const wasMasked = this.#question?.masked ?? false;
      if (wasMasked && this.#isTerminal) {
        this.#isSilent = false;
        output.write('\n');
        this.#forget(line);
      }
      events.onLine(line);
      this.#show();
    });
    this.#lines.on('SIGINT', () => events.onInterrupt());
    this.#lines.on('close', () => {
      this.#closed = true;
      events.onEnd();
    });
  }

  /** What stands before the input while nothing is asked. */
  is(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    if (this.#question === null) this.#show();
  }

  ask(question: { readonly text: string; readonly masked: boolean } | null): void {
    this.#question = question;
    this.#show();
  }

  print(text: string): void {
    this.#above();
    this.#out.write(`${text}\n`);
    this.#show();
  }

  close(): void {
    this.#isSilent = false;
    this.#above();
    this.#lines.close();
  }

  /** Takes away what is being typed, or goes to a line of its own where nothing can be taken away. */
  #above(): void {
    if (!this.#isTerminal || this.#closed) return;
    if (this.#canMove) {
      cursorTo(this.#out, 0);
      clearLine(this.#out, 0);
    } else {
      this.#out.write('\n');
    }
  }

  #show(): void {
    if (!this.#isTerminal || this.#closed) return;
    this.#isSilent = false;
    this.#lines.setPrompt(this.#question?.text ?? this.#text);
    this.#lines.prompt(true);
    this.#isSilent = this.#question?.masked ?? false;
  }

  /** No password stays among the lines that the up key brings back. */
  #forget(line: string): void {
    const lines: unknown = Reflect.get(this.#lines, 'history');
    if (Array.isArray(lines) && lines[0] === line) lines.shift();
  }
}

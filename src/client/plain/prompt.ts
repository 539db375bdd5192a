import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

export interface PromptEvents {
  readonly onLine: (line: string) => void;
  /** Escape is no key here: Ctrl+C leaves a question, and without one the program, as does the end of the input. */
  readonly onInterrupt: () => void;
  readonly onEnd: () => void;
}

const HISTORY_LINES = 100;

/**
 * Lines from a person or a pipe, and lines for them. What comes while somebody types stands above what they type; a
 * password is not echoed, and the line editor that takes it keeps nothing of it.
 */
export class Prompt {
  readonly #input: NodeJS.ReadStream;
  readonly #out: NodeJS.WriteStream;
  readonly #events: PromptEvents;
  readonly #isTerminal: boolean;
  readonly #canMove: boolean;
  #lines: Interface;
  #text = '> ';
  #question: { readonly text: string; readonly masked: boolean } | null = null;
  /** Whether `#lines` is the one for a password. */
  #isSecret = false;
  /** What was entered before, newest first, while a password is asked for. */
  #entered: string[] = [];
  #closed = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, events: PromptEvents) {
    this.#input = input;
    this.#out = output;
    this.#events = events;
    this.#isTerminal = input.isTTY && output.isTTY;
    this.#canMove = this.#isTerminal && process.env.TERM !== 'dumb';
    this.#lines = this.#open();
  }

  /** What stands before the input while nothing is asked. */
  is(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    if (this.#question === null) this.#show();
  }

  ask(question: { readonly text: string; readonly masked: boolean } | null): void {
    this.#question = question;
    const isSecret = this.#isTerminal && question?.masked === true;
    if (isSecret !== this.#isSecret) this.#change(isSecret);
    this.#show();
  }

  print(text: string): void {
    this.#above();
    this.#out.write(`${text}\n`);
    this.#show();
  }

  close(): void {
    this.#above();
    this.#closed = true;
    this.#lines.close();
  }

  /** A line editor of its own for each password: another one would bring it back by a key. */
  #change(isSecret: boolean): void {
    if (this.#closed) return;
    const before = this.#lines;
    this.#isSecret = isSecret;
    this.#lines = this.#open();
    before.removeAllListeners();
    before.close();
    this.#input.resume();
  }

  #open(): Interface {
    const lines = createInterface({
      input: this.#input,
      ...(this.#isTerminal ? { output: this.#isSecret ? nowhere() : this.#out } : {}),
      terminal: this.#isTerminal,
      historySize: this.#isSecret ? 0 : HISTORY_LINES,
      ...(this.#isSecret ? {} : { history: this.#entered }),
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    lines.on('history', (entered) => {
      this.#entered = entered;
    });
    lines.on('line', (line) => {
      if (this.#isSecret) this.#out.write('\n');
      this.#events.onLine(line);
      this.#show();
    });
    lines.on('SIGINT', () => this.#events.onInterrupt());
    lines.on('close', () => {
      if (lines !== this.#lines) return;
      this.#closed = true;
      this.#events.onEnd();
    });
    return lines;
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
    const text = this.#question?.text ?? this.#text;
    if (this.#isSecret) {
      this.#above();
      this.#out.write(text);
      return;
    }
    this.#lines.setPrompt(text);
    this.#lines.prompt(true);
  }
}

function nowhere(): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => done(),
  });
}

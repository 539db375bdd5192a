import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import { KeyLine, type LineEvents } from './key-line.ts';

/** Escape is no key here: Ctrl+C leaves a question, and without one the program, as does the end of the input. */
export interface PromptEvents extends LineEvents {
  /** Whoever reads the lines takes no more of them for now; false: again. */
  readonly onFull: (isFull: boolean) => void;
}

const HISTORY_LINES = 100;
/** After so long most of what comes of a line that was entered stands there. */
const SETTLED_MS = 150;
const CUT = '(that question has ended: Enter goes on) ';

/**
 * Lines from a person or a pipe, and lines for them. What comes while somebody types stands above what they type; a
 * password is not echoed, and no line editor ever sees it. A dumb terminal gets no escape sequence.
 */
export class Prompt {
  readonly #input: NodeJS.ReadStream;
  readonly #out: NodeJS.WriteStream;
  readonly #events: PromptEvents;
  readonly #isTerminal: boolean;
  readonly #canMove: boolean;
  /** The prompt that a dumb terminal has got last, while nothing was asked. */
  #shown = '';
  #soon: NodeJS.Timeout | undefined;
  /** Null: a password is asked for, or the terminal is a dumb one. */
  #editor: Interface | null = null;
  #keys: KeyLine | null = null;
  #text = '> ';
  #question: { readonly text: string; readonly masked: boolean } | null = null;
  /** A password was half typed when its question ended: its other half is not shown, and goes nowhere. */
  #isCut = false;
  /** What was half written when a password was asked for. */
  #half = '';
  /** What was entered before, newest first. */
  #entered: string[] = [];
  /** What stands in the last line of a dumb terminal: the prompt, or nothing. */
  #standing = '';
  /** Something that was typed stands at the end of the line, where nothing can be taken away. */
  #hasTyped = false;
  #closed = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, events: PromptEvents) {
    this.#input = input;
    this.#out = output;
    this.#isTerminal = input.isTTY && output.isTTY;
    this.#canMove = this.#isTerminal && process.env.TERM !== 'dumb';
    output.on('drain', () => events.onFull(false));
    this.#events = {
      onFull: events.onFull,
      onLine: (line) => {
        if (this.#isCut) return this.#goOn();
        // An editor has done it.
        if (this.#editor === null) output.write('\n');
        this.#standing = '';
        events.onLine(line);
        if (this.#canMove) this.#show();
        else this.#showSoon();
      },
      onInterrupt: () => (this.#isCut ? this.#goOn() : events.onInterrupt()),
      onEnd: () => {
        this.#closed = true;
        events.onEnd();
      },
    };
    this.#open();
  }

  /** Whether there are any. */
  get hasKeys(): boolean {
    return this.#isTerminal;
  }

  /** What keys do here, in rows of 80 columns. */
  get keys(): readonly string[] {
    if (!this.#isTerminal)
      return ['One line is a message, a command or an answer; the end of the input leaves.'];
    const editing = this.#canMove
      ? 'Enter sends · ↑ ↓ what was entered before · Ctrl+A E U K W as in a shell'
      : 'Enter sends · Backspace and Ctrl+U take back';
    return [editing, 'Ctrl+C leaves a question, else the program · Ctrl+D on an empty line leaves'];
  }

  get #isSecret(): boolean {
    return this.#isTerminal && (this.#isCut || this.#question?.masked === true);
  }

  /** What stands before the input while nothing is asked. */
  is(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    if (this.#question === null) this.#show();
  }

  /** @param keepsTyped what was typed so far of a password belongs to this question, too, if that is for one */
  ask(question: { readonly text: string; readonly masked: boolean } | null, keepsTyped: boolean): void {
    const wasSecret = this.#isSecret;
    this.#question = question;
    const isKept = keepsTyped && question?.masked === true;
    const isHalf = wasSecret && !this.#isCut && this.#keys !== null && this.#keys.text !== '';
    const becomesCut = isHalf && !isKept;
    this.#isCut ||= becomesCut;
    if ((becomesCut || this.#isSecret !== wasSecret) && !this.#closed) {
      const half = this.#editor?.line ?? this.#keys?.text ?? '';
      // What was typed of a password is for no line that can be seen.
      if (!wasSecret) this.#half = half;
      this.#release();
      this.#open();
    }
    this.#show();
  }

  /** The other half of a password is over. */
  #goOn(): void {
    this.#isCut = false;
    this.#out.write('\n');
    this.#standing = '';
    this.#release();
    this.#open();
    this.#show();
  }

  print(text: string): void {
    this.#above();
    if (!this.#out.write(`${text}\n`)) this.#events.onFull(true);
    this.#show();
  }

  close(): void {
    clearTimeout(this.#soon);
    this.#above();
    this.#closed = true;
    this.#release();
  }

  #open(): void {
    if (this.#isTerminal && (this.#isSecret || !this.#canMove)) {
      const half = this.#isSecret ? '' : this.#half;
      this.#keys = new KeyLine(this.#input, half, (text) => this.#echo(text), this.#events);
      return;
    }
    const editor = createInterface({
      input: this.#input,
      ...(this.#isTerminal ? { output: this.#out } : {}),
      terminal: this.#isTerminal,
      historySize: HISTORY_LINES,
      history: this.#entered,
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    this.#editor = editor;
    editor.on('history', (entered) => {
      this.#entered = entered;
    });
    editor.on('line', this.#events.onLine);
    editor.on('SIGINT', this.#events.onInterrupt);
    editor.on('close', () => {
      if (editor === this.#editor && !this.#closed) this.#events.onEnd();
    });
    if (this.#half !== '') editor.write(this.#half);
  }

  /** In this order: an editor that is closed takes its hands off the terminal, which the next one needs. */
  #release(): void {
    const [editor, keys] = [this.#editor, this.#keys];
    this.#editor = null;
    this.#keys = null;
    editor?.close();
    keys?.close();
  }

  #echo(text: string): void {
    if (this.#isSecret) return;
    this.#out.write(text);
    this.#hasTyped = !text.endsWith('\n');
  }

  /** Takes away what is being typed, or goes to a line of its own where nothing can be taken away. */
  #above(): void {
    if (!this.#isTerminal || this.#closed) return;
    if (this.#canMove) {
      cursorTo(this.#out, 0);
      clearLine(this.#out, 0);
    } else if (this.#standing !== '' || this.#hasTyped) {
      this.#out.write('\n');
      this.#standing = '';
      this.#hasTyped = false;
    }
  }

  /** Once what comes of a line stands there. */
  #showSoon(): void {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => {
      this.#shown = '';
      this.#show();
    }, SETTLED_MS);
  }

  #show(): void {
    if (!this.#isTerminal || this.#closed) return;
    const text = this.#isCut ? CUT : (this.#question?.text ?? this.#text);
    if (this.#editor !== null) {
      this.#editor.setPrompt(text);
      this.#editor.prompt(true);
      return;
    }
    if (!this.#canMove && this.#standing === text) return;
    const isIdle = this.#question === null && !this.#isCut && (this.#keys?.text ?? '') === '';
    // A prompt behind each line would be most of what a dumb terminal shows.
    if (!this.#canMove && isIdle && this.#shown === text) return;
    this.#shown = isIdle ? text : '';
    this.#above();
    this.#out.write(text + (this.#isSecret ? '' : (this.#keys?.text ?? '')));
    this.#standing = text;
  }
}

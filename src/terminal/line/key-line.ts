import { emitKeypressEvents, type Key } from 'node:readline';
import { graphemesIn } from '../segmenter.ts';
import { cells } from '../tui/cells.ts';

export interface LineEvents {
  readonly onLine: (line: string) => void;
  /** Ctrl+C. */
  readonly onInterrupt: () => void;
  /** Ctrl+D on an empty line, or no input any more. */
  readonly onEnd: () => void;
}

/**
 * A line from a terminal, key by key, that can be taken back but not edited. What it needs no terminal lacks; and it
 * keeps nothing of what was entered.
 */
export class KeyLine {
  readonly #input: NodeJS.ReadStream;
  readonly #echo: (text: string) => void;
  readonly #events: LineEvents;
  #text: string;
  #sawReturn = false;

  /** @param echo gets what has to be seen of the line: nothing of a password */
  constructor(input: NodeJS.ReadStream, text: string, echo: (text: string) => void, events: LineEvents) {
    this.#input = input;
    this.#text = text;
    this.#echo = echo;
    this.#events = events;
    emitKeypressEvents(input);
    input.on('keypress', this.#pressed);
    input.on('end', events.onEnd);
    input.setRawMode(true);
    input.resume();
  }

  /** What was typed so far. */
  get text(): string {
    return this.#text;
  }

  /** Takes no keys any more. */
  close(): void {
    this.#input.off('keypress', this.#pressed);
    this.#input.off('end', this.#events.onEnd);
    this.#input.setRawMode(false);
    this.#input.pause();
  }

  readonly #pressed = (text: string | undefined, key: Key): void => {
    // CR and LF together are one Enter.
    const isSecond = this.#sawReturn && key.name === 'enter';
    this.#sawReturn = key.name === 'return';
    if (isSecond) return;
    if (key.name === 'return' || key.name === 'enter') this.#enter();
    else if (key.ctrl && key.name === 'c') {
      // Thrown away by the person themselves.
      this.#text = '';
      this.#events.onInterrupt();
    } else if (key.ctrl && key.name === 'd') {
      if (this.#text === '') this.#events.onEnd();
    } else if (key.name === 'backspace' || (key.ctrl && key.name === 'h')) this.#erase(1);
    else if (key.ctrl && key.name === 'u') this.#erase(Number.POSITIVE_INFINITY);
    else if (!key.ctrl && !key.meta && text !== undefined && !/\p{Cc}/u.test(text)) {
      this.#text += text;
      this.#echo(text);
    }
  };

  #enter(): void {
    const line = this.#text;
    this.#text = '';
    this.#events.onLine(line);
  }

  #erase(count: number): void {
    const all = Array.from(graphemesIn(this.#text), ({ segment }) => segment);
    const gone = all.splice(-Math.min(count, all.length), count);
    this.#text = all.join('');
    this.#echo('\b \b'.repeat(cells(gone.join(''))));
  }
}

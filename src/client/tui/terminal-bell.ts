import type { Bell } from './chat.ts';

/** At most one ring in so many milliseconds, however much arrives. */
const QUIET_MS = 2_000;
const PUSH_TITLE = '\u001b[22;2t';
const POP_TITLE = '\u001b[23;2t';

/** The bell and the title of a real terminal. Between two frames both leave everything else as it is. */
export class TerminalBell implements Bell {
  readonly #out: NodeJS.WriteStream;
  readonly #rings: boolean;
  #lastRing = Number.NEGATIVE_INFINITY;
  #hasTitle = false;
  #title = '';

  constructor(out: NodeJS.WriteStream, rings: boolean) {
    this.#out = out;
    this.#rings = rings;
  }

  /** Keeps the title that the terminal has; after `end` ours comes back. */
  begin(): void {
    this.#out.write(PUSH_TITLE);
    this.#hasTitle = true;
    if (this.#title !== '') this.title(this.#title);
  }

  end(): void {
    if (this.#hasTitle) this.#out.write(POP_TITLE);
    this.#hasTitle = false;
  }

  ring(): void {
    const now = performance.now();
    if (!this.#rings || now - this.#lastRing < QUIET_MS) return;
    this.#lastRing = now;
    this.#out.write('\u0007');
  }

  /** @param text safe for a terminal */
  title(text: string): void {
    if (!this.#hasTitle) return;
    this.#title = text;
    this.#out.write(`\u001b]2;${text}\u0007`);
  }
}

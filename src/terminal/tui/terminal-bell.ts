import type { Notify } from '../notify/notification.ts';
import type { Bell } from './chat.ts';

/** At most one ring in so many milliseconds, however much arrives. */
const QUIET_MS = 2_000;
const PUSH_TITLE = '\u001b[22;2t';
const POP_TITLE = '\u001b[23;2t';

/** The bell, the title and notifications of a real terminal. Between two frames they leave everything else as it is. */
export class TerminalBell implements Bell {
  readonly #out: NodeJS.WriteStream;
  readonly #rings: boolean;
  readonly #notifies: readonly Notify[];
  #lastRing = Number.NEGATIVE_INFINITY;
  #hasTitle = false;
  #title = '';

  /** @param notifies who is told of each message that rings */
  constructor(out: NodeJS.WriteStream, rings: boolean, notifies: readonly Notify[] = []) {
    this.#out = out;
    this.#rings = rings;
    this.#notifies = notifies;
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

  ring(from: string, text: string): void {
    for (const notify of this.#notifies) notify({ from, text });
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

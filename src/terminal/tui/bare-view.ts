import type { InputEvent } from '../keyboard/input-event.ts';
import type { Terminal } from '../keyboard/terminal.ts';
import { type BareSaid, bareLines } from './bare-lines.ts';
import { fitHints } from './hints.ts';
import type { KeyAction } from './keys.ts';
import { ERASE_SCREEN, gateOf, HIDE_CURSOR, NO_WRAP, WRAP } from './terminal-output.ts';

const BOLD = ['\u001b[1m', '\u001b[22m'] as const;
const DIM = ['\u001b[2m', '\u001b[22m'] as const;
const HINT = 'Any key goes back.';

/** The messages alone, as the chat has it. */
export interface Bare {
  readonly isShown: boolean;
  show(said: readonly BareSaid[]): void;
  leave(): void;
}

/**
 * The messages alone on the screen, without anything beside them, and each line of them as one for the terminal to wrap: what is
 * selected with the mouse, which is the terminal's meanwhile, is copied as it was sent. Nothing else is drawn until it is left.
 */
export class BareView implements Bare {
  readonly #terminal: Pick<Terminal, 'leaveMouse'>;
  readonly #out: NodeJS.WriteStream;
  #said: readonly BareSaid[] | null = null;

  constructor(terminal: Pick<Terminal, 'leaveMouse'>, out: NodeJS.WriteStream) {
    this.#terminal = terminal;
    this.#out = out;
  }

  get isShown(): boolean {
    return this.#said !== null;
  }

  /** For whoever draws the rest: the same stream, which nothing goes through meanwhile. */
  get gate(): NodeJS.WriteStream {
    return gateOf(this.#out, (bytes) => (this.isShown ? '' : bytes));
  }

  show(said: readonly BareSaid[]): void {
    this.#said = said;
    this.#terminal.leaveMouse(true);
    this.draw();
  }

  /** Again, also in another size. */
  draw(): void {
    const { columns = 80, rows = 24 } = this.#out;
    const lines = bareLines(this.#said ?? [], columns, Math.max(1, rows - 1)).map(({ head, text }) =>
      head === '' ? text : `${BOLD.join(head)}${text === '' ? '' : ` ${text}`}`,
    );
    const hint = DIM.join(fitHints(HINT, columns));
    this.#out.write(WRAP + HIDE_CURSOR + ERASE_SCREEN + [...lines, hint].join('\r\n'));
  }

  leave(): void {
    if (!this.isShown) return;
    this.end();
    this.#out.write(NO_WRAP);
    // Whatever the size: everything is drawn anew then.
    this.#out.emit('resize');
  }

  /** Gives the terminal back, and draws nothing. */
  end(): void {
    if (!this.isShown) return;
    this.#said = null;
    this.#terminal.leaveMouse(false);
  }
}

/** Where nobody draws. */
export const NO_BARE: Bare = { isShown: false, show: () => undefined, leave: () => undefined };

/**
 * What the person does leaves it, whatever key it is.
 * @returns whether that was not all of it: text belongs to what is being written, and who wants to leave or stop the program does
 */
export function leaveBare(bare: Bare, event: InputEvent, action: KeyAction | null): boolean {
  if (event.type !== 'key' && event.type !== 'text' && event.type !== 'paste') return false;
  bare.leave();
  return event.type !== 'key' || action?.type === 'quit' || action?.type === 'suspend';
}

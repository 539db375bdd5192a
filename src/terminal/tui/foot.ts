import type { Drawing } from './drawing.ts';
import type { ScreenFrame } from './frame.ts';
import { type Looks, painted } from './paint.ts';
import { ERASE_SCREEN, gateOf, HIDE_CURSOR, OWN_SCREEN, SHOW_CURSOR } from './terminal-output.ts';

/** What is drawn between these is seen at once, by terminals that know them. */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';
/** The cursor's place, kept by the terminal. */
const KEEP_PLACE = '\u001b7';
const TO_PLACE = '\u001b8';
const ERASE_ROW = '\u001b[2K';

/**
 * The lowest rows, with what is being written and the cursor: drawn here as soon as a key is pressed, since Ink draws nothing
 * without measuring all that is on the screen. Ink has blank rows there and draws relative to where it left the cursor: there the
 * cursor goes before each write of Ink's, and back to the input behind it.
 */
export class Foot {
  readonly #out: NodeJS.WriteStream;
  readonly #frames: Pick<Drawing, 'getFrame'>;
  readonly #unsubscribe: () => void;
  #looks: Looks;
  #shown = '';
  /** The first row that was ever drawn since the screen was empty. */
  #from = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(out: NodeJS.WriteStream, frames: Pick<Drawing, 'subscribe' | 'getFrame'>, looks: Looks) {
    this.#out = out;
    this.#frames = frames;
    this.#looks = looks;
    this.#unsubscribe = frames.subscribe(() => this.#draw());
  }

  /** For Ink. */
  get gate(): NodeJS.WriteStream {
    return gateOf(this.#out, (bytes) => {
      if (this.#isOver || bytes === '' || bytes === BEGIN || bytes === END) return bytes;
      // A screen of one's own has the cursor where the shell had it, and may show what another program left there.
      if (bytes.includes(OWN_SCREEN)) return bytes + ERASE_SCREEN + KEEP_PLACE;
      this.#shown = this.#painted();
      return TO_PLACE + bytes + KEEP_PLACE + this.#shown;
    });
  }

  set looks(looks: Looks) {
    this.#looks = looks;
    this.#draw();
  }

  /** The screen is empty, and the cursor in its first cell: Ink's next write begins there. */
  erased(): void {
    this.#out.write(KEEP_PLACE);
    this.#shown = '';
    this.#from = Number.POSITIVE_INFINITY;
  }

  /** Draws no more, and leaves the cursor to Ink. */
  end(): void {
    this.#unsubscribe();
    this.#isOver = true;
    this.#out.write(TO_PLACE);
  }

  #draw(): void {
    const painted = this.#painted();
    if (painted === this.#shown) return;
    this.#shown = painted;
    this.#out.write(BEGIN + painted + END);
  }

  #painted(): string {
    const { rows, foot, cursor }: ScreenFrame = this.#frames.getFrame();
    // With all that it ever had: of a moment in which a row was not Ink's, or was another one, Ink may never hear.
    this.#from = Math.min(this.#from, foot);
    const from = this.#from;
    const drawn = rows
      .slice(from)
      // Erased first: behind a row that fills the screen the cursor stands on its last character.
      .map((row, index) => `\u001b[${from + index + 1}H${ERASE_ROW}${painted(row, this.#looks)}`);
    const place = cursor === null ? '' : `\u001b[${cursor.y + 1};${cursor.x + 1}H${SHOW_CURSOR}`;
    return HIDE_CURSOR + drawn.join('') + place;
  }
}

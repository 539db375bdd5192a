import { join } from 'node:path';
import { throughTmux } from './environment.ts';
import { readEntries, writeEntries } from './small-file.ts';

export const CLIPBOARD_CHOICES = ['ask', 'on', 'off'] as const;
export type ClipboardChoice = (typeof CLIPBOARD_CHOICES)[number];

const FILE = 'clipboard.json';
const ALLOWED = 'allowed';
/**
 * Bytes that are copied at once: with them the sequence has 100,000 bytes, which is where hterm's osc52.sh ends, and with it most
 * programs that copy so. Terminals that take less drop a longer one without a word.
 */
export const MAX_COPIED_BYTES = 74_994;

interface ClipboardOptions {
  readonly choice: ClipboardChoice;
  /** Where histories lie, and what the person has answered; null: it is asked for once in each process. */
  readonly directory: string | null;
  readonly isInTmux: boolean;
  /** Writes to the terminal. */
  readonly write: (bytes: string) => void;
}

/** The clipboard of the terminal that one sits at, by OSC 52; also over ssh. Nothing tells whether it was taken. */
export class Clipboard {
  readonly #options: ClipboardOptions;
  #isAllowed: boolean | null;

  constructor(options: ClipboardOptions) {
    this.#options = options;
    this.#isAllowed = options.choice === 'ask' ? null : options.choice === 'on';
  }

  /** Whether the person wants it; null: they have to be asked. */
  get isAllowed(): boolean | null {
    const { directory } = this.#options;
    if (this.#isAllowed === null && directory !== null) {
      const isTrue = (value: unknown): value is true => value === true;
      if (readEntries(join(directory, FILE), isTrue).has(ALLOWED)) this.#isAllowed = true;
    }
    return this.#isAllowed;
  }

  get isInTmux(): boolean {
    return this.#options.isInTmux;
  }

  /** The person wants it, from now on. */
  allow(): void {
    const { directory } = this.#options;
    this.#isAllowed = true;
    if (directory !== null) writeEntries(join(directory, FILE), new Map([[ALLOWED, true]]), 1);
  }

  /** @param text of at most `MAX_COPIED_BYTES` in UTF-8 */
  copy(text: string): void {
    this.#options.write(copying(text, this.#options.isInTmux));
  }
}

/**
 * The bytes that copy a text. tmux takes them for itself where `set-clipboard` is `on`, and with `external`, which it is unless
 * somebody says otherwise, takes none from programs; what it passes through where `allow-passthrough` is on goes to the terminal
 * around it. So it gets them both ways: the same text twice does no harm.
 */
export function copying(text: string, isInTmux: boolean): string {
  const bytes = `\u001b]52;c;${Buffer.from(text).toString('base64')}\u0007`;
  return isInTmux ? bytes + throughTmux(bytes) : bytes;
}

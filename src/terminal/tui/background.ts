import type { TerminalReply } from '../keyboard/input-event.ts';

/** How bright each part of a colour is, from 0 to 1. */
export interface Brightness {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** OSC 11 asks for the background; DA1 behind it is answered by every terminal, so that nobody waits for one that says nothing. */
const QUESTION = '\u001b]11;?\u001b\\\u001b[c';
/** A terminal on this machine answers within a few ms. One that is far away is waited for no longer: its answer may come later. */
const WAIT_MS = 60;

interface Asked {
  write(text: string): void;
  /** @returns what ends it */
  onReply(listener: (reply: TerminalReply) => void): () => void;
}

/**
 * Asks a terminal for its background.
 * @param later called with an answer that comes after all
 * @returns null where it has not said so in a moment
 */
export function askBackground(
  terminal: Asked,
  later: (background: Brightness) => void,
): Promise<Brightness | null> {
  return new Promise((resolve) => {
    let isOver = false;
    const over = (background: Brightness | null): void => {
      if (isOver && background !== null) later(background);
      isOver = true;
      clearTimeout(timer);
      resolve(background);
    };
    const timer = setTimeout(() => over(null), WAIT_MS);
    const stop = terminal.onReply((reply) => {
      if (reply.kind === 'device-attributes') over(null);
      if (reply.kind !== 'background') return;
      over(reply);
      stop();
    });
    terminal.write(QUESTION);
  });
}

/** Whether dark text is what can be read on it: where its luminance (WCAG 2) is nearer to white's than to black's, by contrast. */
export function isLight({ red, green, blue }: Brightness): boolean {
  const linear = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  // Contrast with black is (l + 0.05) / 0.05, with white 1.05 / (l + 0.05): as much at 0.179.
  return luminance > 0.179;
}

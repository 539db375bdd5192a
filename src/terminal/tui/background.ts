import type { TerminalReply } from '../keyboard/input-event.ts';

/** How bright each part of a colour is, from 0 to 1. */
export interface Brightness {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** OSC 11 with a question mark. Terminals that do not know it pass over it. */
const QUESTION = '\u001b]11;?\u001b\\';

interface Asked {
  write(text: string): void;
  /** @returns what ends it */
  onReply(listener: (reply: TerminalReply) => void): () => void;
}

/**
 * Asks a terminal for its background. Nobody waits for the answer: one on this machine says it in a few milliseconds, one far
 * away later, many never.
 * @param told called once, when the answer comes
 */
export function askBackground(terminal: Asked, told: (background: Brightness) => void): void {
  const stop = terminal.onReply((reply) => {
    if (reply.kind !== 'background') return;
    stop();
    told(reply);
  });
  terminal.write(QUESTION);
}

/** Whether dark text is what can be read on it: where its luminance (WCAG 2) is nearer to white's than to black's, by contrast. */
export function isLight({ red, green, blue }: Brightness): boolean {
  const linear = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  // Contrast with black is (l + 0.05) / 0.05, with white 1.05 / (l + 0.05): as much at 0.179.
  return luminance > 0.179;
}

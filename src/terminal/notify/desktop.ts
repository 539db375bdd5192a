import { type Environment, isInTmux, throughTmux } from '../environment.ts';
import type { Notification } from './notification.ts';

/** How a terminal is asked to show a notification on the desktop, by the number of the control sequence. */
export const DESKTOP_CHOICES = ['auto', 'off', 'osc9', 'osc777', 'osc99'] as const;
export type DesktopChoice = (typeof DESKTOP_CHOICES)[number];
type Sequence = Exclude<DesktopChoice, 'auto' | 'off'>;

const BEL = '\u0007';
const ST = '\u001b\\';

/*
 * Where nothing is known of a terminal it gets none: one that knows OSC 9 as something else would set its progress bar.
 * OSC 99 is kitty's, OSC 9 with a text is iTerm2's, OSC 777 is rxvt-unicode's, which most others have taken over.
 */
const BY_PROGRAM: Readonly<Record<string, Sequence>> = {
  'iTerm.app': 'osc9',
  WarpTerminal: 'osc9',
  ghostty: 'osc777',
  WezTerm: 'osc777',
};
const BY_TERM: readonly (readonly [RegExp, Sequence])[] = [
  [/^xterm-kitty$/, 'osc99'],
  [/^xterm-ghostty$/, 'osc777'],
  [/^wezterm$/, 'osc777'],
  [/^foot(?:-|$)/, 'osc777'],
  [/^rxvt-unicode/, 'osc777'],
  [/^contour/, 'osc777'],
];

/**
 * The sequence for this terminal; null: none. tmux and screen swallow them, unless somebody has told them not to, and who
 * has can name one.
 */
export function sequenceFor(choice: DesktopChoice, environment: Environment): Sequence | null {
  if (choice !== 'auto') return choice === 'off' ? null : choice;
  const { TERM = '', TERM_PROGRAM = '', STY = '' } = environment;
  if (isInTmux(environment) || STY !== '') return null;
  const byTerm = BY_TERM.find(([pattern]) => pattern.test(TERM))?.[1];
  return byTerm ?? (Object.hasOwn(BY_PROGRAM, TERM_PROGRAM) ? (BY_PROGRAM[TERM_PROGRAM] ?? null) : null);
}

/** The bytes that show it. In tmux they go through to the terminal around it, where `allow-passthrough` is on. */
export function desktopNotification(
  sequence: Sequence,
  { from, text }: Notification,
  goesThroughTmux: boolean,
): string {
  const bytes = plain(sequence, withoutControls(from), withoutControls(text));
  return goesThroughTmux ? throughTmux(bytes) : bytes;
}

function plain(sequence: Sequence, from: string, text: string): string {
  switch (sequence) {
    case 'osc9':
      // A text that began with a digit and a semicolon would be another command.
      return `\u001b]9;Milena: ${from}: ${text}${BEL}`;
    case 'osc777':
      // A semicolon ends the title.
      return `\u001b]777;notify;${from.replaceAll(';', ',')};${text}${BEL}`;
    case 'osc99':
      return `\u001b]99;i=milena:d=0;${from}${ST}\u001b]99;i=milena:d=1:p=body;${text}${ST}`;
  }
}

/** Whoever calls has made the texts safe; here it would be another program's terminal that suffers. */
function withoutControls(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

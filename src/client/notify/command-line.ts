import { wordsOf } from '../command-line.ts';
import type { Notification } from './notification.ts';

/** Words of a command, with places in them for a notification. */
export type NotifyCommand = readonly string[];

const MAX_WORDS = 50;
const PLACES = /\{(\w*)\}/g;

/**
 * A command line as a person writes it: words between blanks, quotes (' or ") around what belongs together, a backslash
 * before what is meant as it is. There is no shell: nothing else in it means anything but `{from}` and `{text}`.
 * @returns undefined if it is none: nothing in it, an open quote, another place than these two, or one in the program's name
 */
export function parseNotifyCommand(line: string): NotifyCommand | undefined {
  const words = wordsOf(line);
  if (words === undefined || words.length > MAX_WORDS) return undefined;
  const [program = '', ...others] = words;
  const places = others.flatMap((word) => Array.from(word.matchAll(PLACES), ([, place]) => place));
  const isGood = places.every((place) => place === 'from' || place === 'text');
  return program.includes('{') || !isGood ? undefined : words;
}

/**
 * The command with a notification in its places. No sender can add a word or an option: each place is part of the word
 * where it stands, and a word that begins with one never begins with a dash.
 */
export function notifyWords(command: NotifyCommand, { from, text }: Notification): string[] {
  return command.map((word) => {
    const filled = word.replaceAll(PLACES, (_, place: string) => (place === 'from' ? from : text));
    const isOption = word.startsWith('{') && filled.startsWith('-');
    return (isOption ? ` ${filled}` : filled).replaceAll(/\p{Cc}/gu, ' ');
  });
}

import type { Notification } from './notify/notification.ts';

/**
 * The words of a command line, for a program that is run without a shell: blanks part them, quotes hold them together and a
 * backslash takes the next character as it is, as in a shell; nothing else means anything. Undefined for what has no words,
 * or a quote without its end.
 */
export function wordsOf(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    if (character === '\0') return undefined;
    if (quote !== null && character === quote) quote = null;
    else if (character === '\\' && quote !== "'" && at + 1 < line.length) {
      at += 1;
      word = `${word ?? ''}${line[at]}`;
    } else if (quote === null && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (quote === null && /\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = `${word ?? ''}${character}`;
  }
  if (quote !== null) return undefined;
  if (word !== null) words.push(word);
  return words[0] ? words : undefined;
}

const MAX_WORDS = 50;
const PLACES = /\{(\w*)\}/g;

/**
 * Words as `wordsOf` has them, with places for what comes later, such as `{text}`.
 * @returns undefined also with another place than these, or one in the program's name or in a script for a shell (`sh -c`), in
 * which what comes later could do anything
 */
export function parsePlaces(line: string, known: readonly string[]): readonly string[] | undefined {
  const words = wordsOf(line);
  if (words === undefined || words.length > MAX_WORDS) return undefined;
  const [program = '', ...others] = words;
  const places = others.flatMap((word) => Array.from(word.matchAll(PLACES), ([, place = '']) => place));
  const isScript = others.some((word, at) => others[at - 1] === '-c' && /\{\w*\}/.test(word));
  return program.includes('{') || isScript || places.some((place) => !known.includes(place))
    ? undefined
    : words;
}

/**
 * The command with values in its places. Nobody who wrote them can add a word or an option: each place is part of the word
 * where it stands, and a word that begins with one never begins with a dash.
 */
export function fillPlaces(
  words: readonly string[],
  values: Readonly<Partial<Record<string, string>>>,
): string[] {
  return words.map((word) => {
    const filled = word.replaceAll(PLACES, (_, place: string) => values[place] ?? '');
    const isOption = word.startsWith('{') && filled.startsWith('-');
    return (isOption ? ` ${filled}` : filled).replaceAll(/\p{Cc}/gu, ' ');
  });
}

/** Words of a command; `{url}` stands for the address. */
export type OpenCommand = readonly string[];

/**
 * A command as a person writes it; without a place for the address that is its last argument. Undefined also where the address
 * would stand in a word with blanks: that is a script for a shell, in which an address could do anything.
 */
export function parseOpenCommand(line: string): OpenCommand | undefined {
  const words = parsePlaces(line, ['url']);
  if (words?.some((word) => word.includes('{url}') && /\s/u.test(word))) return undefined;
  return words?.some((word) => word.includes('{url}')) === false ? [...words, '{url}'] : words;
}

/** Words of a command, with places in them for a notification. */
export type NotifyCommand = readonly string[];

/**
 * @returns undefined if it is none: nothing in it, an open quote, another place than `{from}` and `{text}`, or one in the
 * program's name
 */
export function parseNotifyCommand(line: string): NotifyCommand | undefined {
  return parsePlaces(line, ['from', 'text']);
}

export function notifyWords(command: NotifyCommand, { from, text }: Notification): string[] {
  return fillPlaces(command, { from, text });
}

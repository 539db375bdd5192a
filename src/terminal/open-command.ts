import { parsePlaces } from './command-line.ts';

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

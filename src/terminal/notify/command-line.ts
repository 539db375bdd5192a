import { fillPlaces, parsePlaces } from '../command-line.ts';
import type { Notification } from './notification.ts';

/** Words of a command, with places in them for a notification. */
export type NotifyCommand = readonly string[];

const PLACES = ['from', 'text'] as const;

/**
 * @returns undefined if it is none: nothing in it, an open quote, another place than `{from}` and `{text}`, or one in the
 * program's name
 */
export function parseNotifyCommand(line: string): NotifyCommand | undefined {
  return parsePlaces(line, PLACES);
}

export function notifyWords(command: NotifyCommand, { from, text }: Notification): string[] {
  return fillPlaces(command, { from, text });
}

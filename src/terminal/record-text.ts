/* Records of the topics that rooms show, as a person reads them: safe for a terminal. */
import type { RoomPreview, RoomRecord } from '../client/index.ts';
import { isoTime, sanitiseLine, sanitiseText } from './sanitise.ts';

/** The place of a record: `orders.dlq/3/1042`, without its topic `3/1042`. */
export function placeText(
  { partition, offset }: { readonly partition: number; readonly offset: number },
  topic?: string,
): string {
  const place = `${partition}/${offset}`;
  return topic === undefined ? place : `${sanitiseLine(topic)}/${place}`;
}

/** Headers, key and value, each from a line of its own on. */
export function recordLines({ key, keyBytes, value, valueBytes, headers }: RoomRecord): string[] {
  return [
    ...headers.map(({ name, value: bytes }) => `header ${sanitiseLine(name)}: ${shown(bytes, bytes.length)}`),
    `key: ${shown(key, keyBytes)}`,
    `value: ${shown(value, valueBytes)}`,
  ];
}

/** One line for each record that is shown. */
export function previewLines({ lines }: RoomPreview, topic: string): string[] {
  return lines.map(({ time, text, note, ...place }) => {
    const why = note === null ? '' : `  (${sanitiseLine(note)})`;
    return `${placeText(place, topic)} ${isoTime(time) ?? '-'} ${sanitiseLine(text)}${why}`;
  });
}

/** How many there were, and why the room would be paused there. */
export function previewSummary({ looked, leftOut, paused, lines }: RoomPreview): string {
  const why = paused === null ? '' : ` The room would be paused there. ${sanitiseLine(paused)}.`;
  return `${looked} looked at: ${lines.length} shown, ${leftOut} left out.${why}`;
}

/** What is no UTF-8 shows as U+FFFD. */
export function textOfBytes(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}

function shown(bytes: Uint8Array | null, length: number): string {
  const text = textOfBytes(bytes);
  if (text === null) return '(null)';
  const rest = length - (bytes?.length ?? 0);
  return `${sanitiseText(text).replaceAll('\n', '\n    ')}${rest > 0 ? `… (${rest} bytes more)` : ''}`;
}

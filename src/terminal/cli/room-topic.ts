/* Rooms that show topics: what one would show, and the records as they are. */
import type { RoomRecord } from '../../client/index.ts';
import { isoTime, sanitiseLine, sanitiseText } from '../sanitise.ts';
import { wholeNumberOf } from './arguments.ts';
import { EXIT, Failure } from './exit.ts';
import type { RoomWords, RoomWork, Told } from './room-actions.ts';

/** Records that a preview looks at. */
const MAX_PREVIEW = 100;

/** What a room would show; none is made. @throws Failure `USAGE` */
export function previewWanted({ values, usage }: RoomWords): RoomWork {
  const { topic, where = '', as = '', preview = '' } = values;
  if (topic === undefined) throw new Failure(EXIT.USAGE, `Of which topic? --topic TOPIC: ${usage}`);
  const last = wholeNumberOf('--preview', preview, MAX_PREVIEW);
  if (last === 0) throw new Failure(EXIT.USAGE, `--preview is a number from 1 to ${MAX_PREVIEW}: ${usage}`);
  return async function* (rooms, how) {
    const { lines, looked, leftOut, paused } = await rooms.preview(topic, { ...how, where, as, last });
    for (const { partition, offset, time, text, note } of lines) {
      const at = isoTime(time);
      const why = note === null ? '' : `  (${sanitiseLine(note)})`;
      yield {
        object: { type: 'record', topic, partition, offset, at, text, note },
        text: `${topic}/${partition}/${offset} ${at ?? '-'} ${sanitiseLine(text)}${why}`,
      };
    }
    const why = paused === null ? '' : ` The room would be paused there. ${sanitiseLine(paused)}.`;
    yield {
      object: { type: 'summary', looked, shown: lines.length, leftOut, paused },
      text: `${looked} looked at: ${lines.length} shown, ${leftOut} left out.${why}`,
      isWord: true,
    };
  };
}

/** One record of the topic that a room shows. */
export function recordWanted(
  room: string,
  place: { readonly partition: number; readonly offset: number },
): RoomWork {
  return async function* (rooms, how) {
    const record = await rooms.raw(room, place, how);
    const { partition, offset } = place;
    if (record === null) {
      throw new Failure(EXIT.NO_USER, `There is no record ${partition}/${offset} in what ${room} shows.`);
    }
    yield recordTold(room, place, record);
  };
}

function recordTold(
  room: string,
  { partition, offset }: { readonly partition: number; readonly offset: number },
  { time, key, keyBytes, value, valueBytes, headers }: RoomRecord,
): Told {
  const at = isoTime(time);
  const all = [
    ...headers.map(({ name, value: bytes }) => [`header ${sanitiseLine(name)}`, shown(bytes, bytes.length)]),
    ['key', shown(key, keyBytes)],
    ['value', shown(value, valueBytes)],
  ];
  return {
    object: {
      ...{ type: 'raw', room, partition, offset, at },
      ...{ key: textOf(key), keyBytes, value: textOf(value), valueBytes },
      headers: headers.map(({ name, value: bytes }) => ({ name, value: textOf(bytes) ?? '' })),
    },
    text: [`${partition}/${offset} ${at ?? '-'}`, ...all.map(([what, text]) => `${what}: ${text}`)].join(
      '\n',
    ),
  };
}

/** What is no UTF-8 shows as U+FFFD. */
function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}

function shown(bytes: Uint8Array | null, length: number): string {
  const text = textOf(bytes);
  if (text === null) return '(null)';
  const rest = length - (bytes?.length ?? 0);
  return `${sanitiseText(text).replaceAll('\n', '\n    ')}${rest > 0 ? `… (${rest} bytes more)` : ''}`;
}

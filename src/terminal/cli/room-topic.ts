/* Rooms that show topics: what one would show, and the records as they are. */
import type { RoomRecord } from '../../client/index.ts';
import { placeText, previewLines, previewSummary, recordLines, textOfBytes } from '../record-text.ts';
import { isoTime } from '../sanitise.ts';
import { wholeNumberOf } from './arguments.ts';
import { EXIT, Failure } from './exit.ts';
import type { RoomWords, RoomWork, Told } from './room-actions.ts';

/** Records that a preview looks at. */
const MAX_PREVIEW = 100;

/** What a room would show; none is made. @throws Failure `USAGE` */
export function previewWanted({ values, usage }: RoomWords): RoomWork {
  const { topic, where = '', as = '', preview: count = '' } = values;
  if (topic === undefined) throw new Failure(EXIT.USAGE, `Of which topic? --topic TOPIC: ${usage}`);
  const last = wholeNumberOf('--preview', count, MAX_PREVIEW);
  if (last === 0) throw new Failure(EXIT.USAGE, `--preview is a number from 1 to ${MAX_PREVIEW}: ${usage}`);
  return async function* (rooms, how) {
    const preview = await rooms.preview(topic, { ...how, where, as, last });
    const { lines, looked, leftOut, paused } = preview;
    const texts = previewLines(preview, topic);
    for (const [index, { partition, offset, time, text, note }] of lines.entries()) {
      const object = { type: 'record', topic, partition, offset, at: isoTime(time), text, note };
      yield { object, text: texts[index] ?? '' };
    }
    yield {
      object: { type: 'summary', looked, shown: lines.length, leftOut, paused },
      text: previewSummary(preview),
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
  place: { readonly partition: number; readonly offset: number },
  record: RoomRecord,
): Told {
  const { time, key, keyBytes, value, valueBytes, headers } = record;
  return {
    object: {
      ...{ type: 'raw', room, ...place, at: isoTime(time) },
      ...{ key: textOfBytes(key), keyBytes, value: textOfBytes(value), valueBytes },
      headers: headers.map(({ name, value: bytes }) => ({ name, value: textOfBytes(bytes) ?? '' })),
    },
    text: [`${placeText(place)} ${isoTime(time) ?? '-'}`, ...recordLines(record)].join('\n'),
  };
}

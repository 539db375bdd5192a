import { type AccountRoom, type Client, ClientError, type RoomRecord } from '../../client/index.ts';
import { placeText, previewLines, previewSummary, recordLines } from '../record-text.ts';
import { isoTime, sanitiseLine, sanitiseName } from '../sanitise.ts';
import type { Display } from './display.ts';
import type { RoomCommand } from './parse-room-command.ts';

/** Bytes of a record's value that a page shows; a template for the line has the rest. */
const MAX_VALUE_SHOWN = 16_384;

/** What is special about rooms that show a topic. */
export class TopicRooms {
  readonly #client: Client;
  readonly #display: Display;
  /** By room, of those that the account is in. */
  #topics: ReadonlyMap<string, string> = new Map();

  constructor(client: Client, display: Display) {
    this.#client = client;
    this.#display = display;
  }

  /** The account is in these rooms. */
  joinedAre(rooms: readonly AccountRoom[]): void {
    this.#topics = new Map(rooms.flatMap(({ name, topic }) => (topic === null ? [] : [[name, topic]])));
  }

  /** @throws ClientError where nobody says anything */
  demandTalk(room: string): void {
    const topic = this.#topics.get(room);
    if (topic === undefined) return;
    throw new ClientError(
      'INVALID',
      `Nobody says anything in ${sanitiseName(room)}: it shows the topic ${sanitiseLine(topic)}.`,
    );
  }

  /** Shows a record as it is. @param place null: the one that the person looks at. @throws ClientError */
  async raw(room: string, place: Extract<RoomCommand, { type: 'raw' }>['place']): Promise<void> {
    const looked = this.#display.lookedAt();
    const wanted = place ?? looked?.record;
    if (wanted === undefined) {
      throw new ClientError('INVALID', 'No record is in sight here: /raw PARTITION/OFFSET names one.');
    }
    const topic = this.#topics.get(room) ?? (place === null ? looked?.author?.name : undefined);
    const named = place?.topic ?? topic;
    if (named !== topic && topic !== undefined) {
      throw new ClientError(
        'INVALID',
        `${sanitiseName(room)} shows ${sanitiseLine(topic)}, and no other topic.`,
      );
    }
    const where = placeText(wanted, named);
    const { partition, offset } = wanted;
    const record = await this.#client.rooms.raw(room, { partition, offset });
    if (record === null) throw new ClientError('INVALID', `No record lies at ${where}.`);
    this.#display.page(`${where}  ${isoTime(record.time) ?? ''}`.trimEnd(), rowsOf(record));
  }

  /** Shows what a room would show. @throws ClientError */
  async preview({ topic, settings, last }: Extract<RoomCommand, { type: 'room-preview' }>): Promise<void> {
    const preview = await this.#client.rooms.preview(topic, { ...settings, last });
    const rows = [...previewLines(preview, topic), previewSummary(preview)];
    this.#display.page(`What a room would show of ${topic}`, rows);
  }
}

/** What such a room shows, as a part of a sentence. */
export function topicWords({ topic, where, as }: AccountRoom): string | null {
  if (topic === null) return null;
  const parts = [
    `shows ${sanitiseLine(topic)}`,
    ...(where === null ? [] : [`where ${sanitiseLine(where)}`]),
    ...(as === null ? [] : [`as ${sanitiseLine(as)}`]),
  ];
  return parts.join(' ');
}

function rowsOf({ value, ...record }: RoomRecord): string[] {
  const cut = value?.subarray(0, MAX_VALUE_SHOWN) ?? null;
  return recordLines({ ...record, value: cut }).flatMap((line) => line.split('\n'));
}

import {
  type NewRoomSettings,
  parsePattern,
  parseRoom,
  parseUsername,
  type RoomSettings,
} from '../../client/index.ts';
import { parseTopicRoom } from './parse-topic-room.ts';

/** What has to do with rooms. `room` null: the one that is open. */
export type RoomCommand =
  | { readonly type: 'join'; readonly room: string; readonly back: number }
  | { readonly type: 'leave' | 'members' | 'room-about' | 'room-delete'; readonly room: string | null }
  | {
      readonly type: 'invite' | 'kick' | 'room-owner';
      readonly room: string | null;
      readonly name: string;
    }
  | { readonly type: 'room-create'; readonly room: string; readonly settings: NewRoomSettings }
  | {
      readonly type: 'room-preview';
      readonly topic: string;
      readonly settings: Pick<RoomSettings, 'where' | 'as'>;
      readonly last: number;
    }
  /** Of the message that one looks at, in the open room. */
  | { readonly type: 'holders' }
  /** The record that one looks at, or another one of the topic that the open room shows. */
  | { readonly type: 'raw'; readonly place: RecordAt | null }
  | { readonly type: 'room-set'; readonly room: string | null; readonly settings: RoomSettings }
  | { readonly type: 'room-list'; readonly pattern: string };

/** Where a record lies; `topic` null: in the one that the room shows. */
export interface RecordAt {
  readonly topic: string | null;
  readonly partition: number;
  readonly offset: number;
}

/** How a command is written, where it was written otherwise. */
export class RoomUsage {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Messages from before that one gets who joins, if the room allows that many. */
const USUAL_BACK = 50;
const MAX_BACK = 1_000;
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** What stands behind `/room`. */
export const ROOM_WORDS: readonly string[] = ['create', 'preview', 'delete', 'set', 'owner', 'list'];

/**
 * Reads a command about rooms.
 * @param word the command: `/join`, `/leave`, `/members`, `/invite`, `/kick`, `/holders`, `/raw` or `/room`. @param rest what stands behind it
 * @throws ClientError `INVALID` for what is no name
 */
export function parseRoomCommand(word: string, rest: string): RoomCommand | RoomUsage {
  const words = rest === '' ? [] : rest.split(/\s+/u);
  switch (word) {
    case '/join':
      return join(words);
    case '/leave':
    case '/members':
      return words.length > 1
        ? new RoomUsage(`${word} [#ROOM]`)
        : { type: word === '/leave' ? 'leave' : 'members', room: roomOf(words[0]) };
    case '/invite':
    case '/kick':
      return named(word === '/invite' ? 'invite' : 'kick', words, `${word} NAME [#ROOM]`);
    case '/holders':
      return rest === '' ? { type: 'holders' } : new RoomUsage('/holders');
    case '/raw':
      return raw(rest);
    default:
      return about(words, rest);
  }
}

/** A place as it stands beside a message: `3/1042`, or `orders.dlq/3/1042`; with a blank, too, as other programs print it. */
function raw(rest: string): RoomCommand | RoomUsage {
  if (rest === '') return { type: 'raw', place: null };
  const [, topic = null, partition = '', offset = ''] =
    /^(?:(\S{1,249})[/ ])?(\d{1,10})[/ ](\d{1,16})$/.exec(rest) ?? [];
  const place = { topic, partition: Number(partition), offset: Number(offset) };
  return partition === '' || !Number.isSafeInteger(place.offset)
    ? new RoomUsage('/raw [PARTITION/OFFSET]')
    : { type: 'raw', place };
}

/** Whoever forgets the `#` of a room means one all the same. */
function roomNamed(word: string): string {
  return parseRoom(word.startsWith('#') ? word : `#${word}`);
}

function roomOf(word: string | undefined): string | null {
  return word === undefined ? null : roomNamed(word);
}

function join([room, back = String(USUAL_BACK), ...more]: readonly string[]): RoomCommand | RoomUsage {
  const isGood =
    room !== undefined && more.length === 0 && /^\d{1,4}$/.test(back) && Number(back) <= MAX_BACK;
  if (!isGood) return new RoomUsage(`/join #ROOM [MESSAGES FROM BEFORE, up to ${MAX_BACK}]`);
  return { type: 'join', room: roomNamed(room), back: Number(back) };
}

function named(
  type: 'invite' | 'kick' | 'room-owner',
  words: readonly string[],
  usage: string,
): RoomCommand | RoomUsage {
  // Either order is plain: only one of them has a `#`.
  const [name, room, ...more] = words[0]?.startsWith('#') ? [words[1], words[0], ...words.slice(2)] : words;
  const isRoom = room === undefined || room.startsWith('#');
  if (name === undefined || !isRoom || more.length > 0) return new RoomUsage(usage);
  return { type, name: parseUsername(name), room: roomOf(room) };
}

const ROOM_USAGE = '/room [#ROOM], /room create|preview|delete|set|owner|list …';

function about([word, ...others]: readonly string[], rest: string): RoomCommand | RoomUsage {
  switch (word?.toLowerCase()) {
    case undefined:
      return { type: 'room-about', room: null };
    case 'create': {
      const [room, policy = 'open', ...more] = others;
      if (rest.includes('--')) return topicRoom(rest);
      if (room === undefined || more.length > 0 || !isPolicy(policy)) {
        return new RoomUsage('/room create #ROOM [open|invited]');
      }
      return { type: 'room-create', room: roomNamed(room), settings: { policy } };
    }
    case 'preview':
      return topicRoom(rest);
    case 'delete':
      return others.length > 1
        ? new RoomUsage('/room delete [#ROOM]')
        : { type: 'room-delete', room: roomOf(others[0]) };
    case 'owner':
      return named('room-owner', others, '/room owner NAME [#ROOM]');
    case 'list':
      return { type: 'room-list', pattern: parsePattern(others.join(' ').replace(/^#/, '')) };
    case 'set': {
      const hasRoom = others[0]?.startsWith('#') === true;
      return set(roomOf(hasRoom ? others[0] : undefined), others.slice(hasRoom ? 1 : 0), rest);
    }
    default:
      return word?.startsWith('#') && others.length === 0
        ? { type: 'room-about', room: roomNamed(word) }
        : new RoomUsage(ROOM_USAGE);
  }
}

function topicRoom(rest: string): RoomCommand | RoomUsage {
  const asked = parseTopicRoom(rest);
  if (asked === null) return new RoomUsage(TOPIC_USAGE);
  return asked.type === 'room-create' ? { ...asked, room: roomNamed(asked.room) } : asked;
}

const TOPIC_USAGE =
  "/room create #ROOM --topic TOPIC [--where 'FILTER'] [--as 'TEMPLATE']; with preview for create it only shows what that would";
const SET_USAGE =
  '/room set where FILTER, set as TEMPLATE, set open|invited, /room set about TEXT, /room set keep 30d (or 12h, 90m), /room set history MESSAGES';

/** @param rest as it was typed: a description keeps its blanks */
function set(room: string | null, words: readonly string[], rest: string): RoomCommand | RoomUsage {
  const [what = '', value = '', ...more] = words;
  const isAlone = more.length === 0;
  const change = (settings: RoomSettings) => ({ type: 'room-set', room, settings }) as const;
  if (isPolicy(what) && value === '') return change({ policy: what });
  if (what === 'about') {
    const [, description = ''] = /\sabout(?:\s(.*))?$/su.exec(rest) ?? [];
    return change({ description: description.trim() });
  }
  if (what === 'where' || what === 'as') {
    const [, text = ''] = /\s(?:where|as)(?:\s(.*))?$/su.exec(rest) ?? [];
    return change({ [what]: text.trim() });
  }
  if (what === 'history' && isAlone && /^\d{1,4}$/.test(value) && Number(value) <= MAX_BACK) {
    return change({ history: Number(value) });
  }
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(value) ?? [];
  if (what === 'keep' && isAlone && count !== undefined) {
    return change({ retentionMs: Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS] });
  }
  return new RoomUsage(SET_USAGE);
}

function isPolicy(word: string): word is 'open' | 'invited' {
  return word === 'open' || word === 'invited';
}

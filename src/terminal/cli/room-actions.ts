import type { AccountRoom, Milena, RoomSettings } from '../../client/index.ts';
import type { jsonLine } from '../sanitise.ts';
import { sanitiseLine } from '../sanitise.ts';
import { type OptionValues, quoted, roomOf, usernameOf, wholeNumberOf } from './arguments.ts';
import type { COMMANDS, RoomAction } from './commands.ts';
import { EXIT, Failure } from './exit.ts';
import { previewWanted, recordWanted } from './room-topic.ts';

const DAY_MS = 86_400_000;
/** For how long a room may keep messages. */
const MAX_DAYS = 3_650;
/** Messages from before that somebody may have who joins. */
const MAX_HISTORY = 1_000;

export type RoomValues = OptionValues<(typeof COMMANDS)['room']['options']>;

/** What somebody gave behind an action's name. */
export interface RoomWords {
  readonly words: readonly string[];
  readonly values: RoomValues;
  readonly usage: string;
}

/** What comes out: an object for `--json`, and a line for people. */
export interface Told {
  readonly object: Parameters<typeof jsonLine>[0];
  readonly text: string;
  /** It says what was done, and is no answer to a question. */
  readonly isWord?: boolean;
}

export type RoomWork = (
  rooms: Milena['rooms'],
  how: { readonly signal: AbortSignal },
) => AsyncGenerator<Told, void>;

export interface RoomActionEntry {
  /** Behind `milena room`. */
  readonly usage: string;
  /** How many words are behind its name, at least and at most. */
  readonly words: readonly [least: number, most: number];
  /** Options that mean something to it, beside those of all actions. */
  readonly options: readonly (keyof RoomValues)[];
  /** Reads what was given. @throws Failure `USAGE` */
  readonly read: (given: RoomWords) => RoomWork;
}

const SETTINGS = ['policy', 'description', 'keep', 'backlog', 'where', 'as'] as const;

export const ACTIONS: Readonly<Record<RoomAction, RoomActionEntry>> = {
  list: {
    usage: 'list [PATTERN]',
    words: [0, 1],
    options: ['mine'],
    read: ({ words: [pattern = ''], values: { mine = false } }) =>
      async function* (rooms, how) {
        for await (const room of rooms.list(pattern, { ...how, mine })) yield infoOf(room);
      },
  },
  create: {
    usage: 'create ROOM',
    words: [1, 1],
    options: [...SETTINGS, 'topic', 'preview'],
    read: (given) => {
      const name = roomIn(given);
      const { topic } = given.values;
      const settings = { ...settingsIn(given), ...(topic !== undefined && { topic }) };
      if (given.values.preview !== undefined) return previewWanted(given);
      return async function* (rooms, how) {
        const room = await rooms.create(name, settings, how);
        yield { ...infoOf(room), text: `The room ${name} is made, and yours.`, isWord: true };
      };
    },
  },
  set: {
    usage: 'set ROOM',
    words: [1, 1],
    options: SETTINGS,
    read: (given) => {
      const [name, settings] = [roomIn(given), settingsIn(given)];
      if (Object.keys(settings).length === 0) {
        const options = SETTINGS.map((option) => `--${option}`).join(', ');
        throw new Failure(EXIT.USAGE, `What is to be changed? ${options}: ${given.usage}`);
      }
      return async function* (rooms, how) {
        const room = await rooms.set(name, settings, how);
        yield { ...infoOf(room), text: `The room ${name} is changed.`, isWord: true };
      };
    },
  },
  join: {
    usage: 'join ROOM',
    words: [1, 1],
    options: ['back'],
    read: (given) => {
      const name = roomIn(given);
      const { back: text } = given.values;
      const back = text === undefined ? undefined : wholeNumberOf('--back', text, MAX_HISTORY);
      return async function* (rooms, how) {
        const room = await rooms.join(name, { ...how, back });
        yield { ...infoOf(room), text: `You are in the room ${name}.`, isWord: true };
      };
    },
  },
  leave: {
    usage: 'leave ROOM',
    words: [1, 1],
    options: [],
    read: (given) => {
      const name = roomIn(given);
      return async function* (rooms, how) {
        await rooms.leave(name, how);
        yield wordOf('leave', name, null, `You are not in the room ${name} any more.`);
      };
    },
  },
  members: {
    usage: 'members ROOM',
    words: [1, 1],
    options: ['invited'],
    read: (given) => {
      const room = roomIn(given);
      const { invited = false } = given.values;
      return async function* (rooms, how) {
        for await (const name of rooms.members(room, { ...how, invited })) {
          yield { object: { type: 'member', room, name }, text: name };
        }
      };
    },
  },
  holders: {
    usage: 'holders ROOM SEQ',
    words: [2, 2],
    options: [],
    read: (given) => {
      const room = roomIn(given);
      const seq = wholeNumberOf('SEQ', given.words[1] ?? '', Number.MAX_SAFE_INTEGER);
      return async function* (rooms, how) {
        const { members, having, missing } = await rooms.holders(room, seq, how);
        if (members === 0) throw new Failure(EXIT.NO_USER, `There is no message ${seq} in the room ${room}.`);
        const more = having + missing.length < members ? ' and others' : '';
        const rest = missing.length === 0 ? '' : ` Not yet: ${missing.join(', ')}${more}.`;
        yield {
          object: { type: 'holders', room, seq, members, having, missing: [...missing] },
          text: `${having} of ${members} have it.${rest}`,
        };
      };
    },
  },
  raw: {
    usage: 'raw ROOM PARTITION OFFSET',
    words: [3, 3],
    options: [],
    read: (given) => {
      const [, partition = '', offset = ''] = given.words;
      return recordWanted(roomIn(given), {
        partition: wholeNumberOf('PARTITION', partition, Number.MAX_SAFE_INTEGER),
        offset: wholeNumberOf('OFFSET', offset, Number.MAX_SAFE_INTEGER),
      });
    },
  },
  invite: forEach('invite', (room, name) => `${name} may join the room ${room}.`),
  kick: forEach('kick', (room, name) => `${name} is neither in the room ${room} nor invited now.`),
  owner: {
    usage: 'owner ROOM NAME',
    words: [2, 2],
    options: [],
    read: (given) => {
      const room = roomIn(given);
      const [name = ''] = namesIn(given);
      return async function* (rooms, how) {
        const changed = await rooms.makeOwner(room, name, how);
        yield { ...infoOf(changed), text: `The room ${room} is ${name}'s from now on.`, isWord: true };
      };
    },
  },
  delete: {
    usage: 'delete ROOM',
    words: [1, 1],
    options: ['force'],
    read: (given) => {
      const room = roomIn(given);
      const { force = false } = given.values;
      return async function* (rooms, how) {
        await rooms.delete(room, { ...how, force });
        yield wordOf('delete', room, null, `The room ${room} is deleted, and what was said in it.`);
      };
    },
  },
};

/** What a room is, as `--json` and a list have it. */
function infoOf({ name, ...info }: AccountRoom): Told {
  const { members, policy, role, description } = info;
  const shows = info.topic === null ? null : `shows ${info.topic}`;
  const what = [`${members} in it`, policy, role, shows].filter(Boolean).join(', ');
  return {
    object: { type: 'room', room: name, ...info },
    text: `${name} (${what}) ${sanitiseLine(description)}`.trimEnd(),
  };
}

function wordOf(action: RoomAction, room: string, name: string | null, text: string): Told {
  return { object: { type: 'room-done', action, room, name }, text, isWord: true };
}

/** What an owner does to one person after the other. */
function forEach(
  action: 'invite' | 'kick',
  wordFor: (room: string, name: string) => string,
): RoomActionEntry {
  return {
    usage: `${action} ROOM NAME…`,
    words: [2, Number.POSITIVE_INFINITY],
    options: [],
    read: (given) => {
      const [room, names] = [roomIn(given), namesIn(given)];
      return async function* (rooms, how) {
        for (const name of names) {
          await rooms[action](room, name, how);
          yield wordOf(action, room, name, wordFor(room, name));
        }
      };
    },
  };
}

function roomIn({ words: [text], usage }: RoomWords): string {
  return roomOf(text, usage);
}

function namesIn({ words: [, ...names], usage }: RoomWords): string[] {
  return [...new Set(names.map((name) => usernameOf(name, usage)))];
}

/** @throws Failure `USAGE` */
function settingsIn({ values: { policy, description, keep, backlog, where, as } }: RoomWords): RoomSettings {
  if (policy !== undefined && policy !== 'open' && policy !== 'invited') {
    throw new Failure(EXIT.USAGE, `--policy ${quoted(policy)}: it must be open or invited.`);
  }
  return {
    ...(policy !== undefined && { policy }),
    ...(description !== undefined && { description }),
    ...(keep !== undefined && { retentionMs: daysOf(keep) }),
    ...(where !== undefined && { where }),
    ...(as !== undefined && { as }),
    ...(backlog !== undefined && { history: wholeNumberOf('--backlog', backlog, MAX_HISTORY) }),
  };
}

/** In milliseconds. @throws Failure `USAGE` */
function daysOf(text: string): number {
  const days = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (days > 0 && days <= MAX_DAYS) return Math.round(days * DAY_MS);
  throw new Failure(
    EXIT.USAGE,
    `--keep ${quoted(text)}: it must be days, up to ${MAX_DAYS}. For example: --keep 7`,
  );
}

import { z } from 'zod';
import { MAX_ROOM_HISTORY, type Membership, type Room } from '../../../core/rooms.ts';
import { demandUuid, uuidKey, uuidOfKey, uuidText } from '../../../util/uuid.ts';

/*
  A record of the compacted topic of rooms:
    key    the room's name without its `#`
    value  JSON, or null: the room is deleted
  A record of the compacted topic of their members:
    key    the room's name without its `#`, a slash, the person's name
    value  JSON, or null: not in it any more. `after`: the revision of the key up to which whoever wrote it knew what was there; one
           that comes behind a later one does not count
  Unknown fields are kept out, so that later versions may add some. A room that shows a topic has its policy beside that: versions which
  know of no such rooms take it for none, rather than for one in which people talk, and never write it again without its topic.
*/

/** Longest name of a room, without its `#`. */
export const MAX_ROOM_NAME = 32;

const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

const id = z.uuid().transform(demandUuid);
const time = z.number().int().nonnegative();

const fields = {
  incarnation: id,
  topicId: z.uuid().transform((text) => text.toLowerCase()),
  owner: z.object({ name: z.string().regex(NAME), incarnation: id }),
  description: z.string().max(1_000),
  retentionMs: time,
  history: z.number().int().min(0).max(MAX_ROOM_HISTORY),
  createdAt: time,
};
const policy = z.enum(['open', 'invited']);
const roomSchema = z.union([
  z.object({ ...fields, policy }),
  z
    .object({
      ...fields,
      window: z.object({
        policy,
        topic: z.string().min(1).max(249),
        where: z.string().max(1_024).nullable(),
        as: z.string().max(1_024).nullable(),
      }),
    })
    .transform(({ window: { policy, ...window }, ...room }) => ({ ...room, policy, window })),
]);

/** The key of a room in its table, and the end of its topic's name. */
export function roomKey(name: string): string {
  return name.slice(1);
}

/** The other way round. */
export function roomName(key: string): string {
  return `#${key}`;
}

export function encodeRoom({ name: _key, incarnation, owner, policy, window, ...rest }: Room): Buffer {
  const whose = { name: owner.name, incarnation: uuidText(owner.incarnation) };
  const how = window === undefined ? { policy } : { window: { policy, ...window } };
  return Buffer.from(JSON.stringify({ incarnation: uuidText(incarnation), owner: whose, ...how, ...rest }));
}

/** Its JSON, one character for each byte; null for anything that is no room: who may write to the topic may write nonsense. */
export function packRoom(key: string, value: Buffer): string | null {
  const room = NAME.test(key) ? readRoom(key, value.toString('utf8')) : null;
  return room === null ? null : encodeRoom(room).toString('latin1');
}

/** Reads what `packRoom` made. */
export function unpackRoom(key: string, packed: string): Room {
  const room = readRoom(key, Buffer.from(packed, 'latin1').toString('utf8'));
  if (room === null) throw new Error(`${key} was packed as a room and is none`);
  return room;
}

function readRoom(key: string, text: string): Room | null {
  const parsed = roomSchema.safeParse(jsonOf(text));
  return parsed.success ? { name: roomName(key), ...parsed.data } : null;
}

const memberSchema = z.object({
  roomLife: id,
  life: id,
  role: z.enum(['member', 'invited']),
  since: time,
  at: time,
});

/** The key of a membership in its table. */
export function memberKey({ room, person }: Pick<Membership, 'room' | 'person'>): string {
  return `${roomKey(room.name)}/${person.name}`;
}

/** @param after the revision that was known when it was decided; absent of what is merely written again */
export function encodeMember({ room, person, role, since, at }: Membership, after?: number): Buffer {
  const lives = { roomLife: uuidText(room.incarnation), life: uuidText(person.incarnation) };
  return Buffer.from(JSON.stringify({ ...lives, role, since, at, after }));
}

/** What `encodeMember` was given as `after`; null where it says none. */
export function knownRevision(value: Buffer): number | null {
  const after = /,"after":(\d{1,15})\}$/.exec(value.toString('latin1'))?.[1];
  return after === undefined ? null : Number(after);
}

/** A membership as it lies in memory: two ids of 16 bytes, `m` or `i`, then both numbers: 60 bytes instead of 150. */
const LIFE_AT = 16;
const ROLE_AT = 32;

/** @returns null for anything that is no membership */
export function packMember(key: string, value: Buffer): string | null {
  if (namesIn(key) === null) return null;
  const parsed = memberSchema.safeParse(jsonOf(value.toString('utf8')));
  if (!parsed.success) return null;
  const { roomLife, life, role, since, at } = parsed.data;
  return `${uuidKey(roomLife)}${uuidKey(life)}${role === 'member' ? 'm' : 'i'}${since},${at}`;
}

/** Reads what `packMember` made. */
export function unpackMember(key: string, packed: string): Membership {
  const names = namesIn(key);
  if (names === null) throw new Error(`${key} was packed as a membership and is none`);
  const [since = 0, at = 0] = packed
    .slice(ROLE_AT + 1)
    .split(',')
    .map(Number);
  return {
    room: { name: names.room, incarnation: uuidOfKey(packed) },
    person: { name: names.person, incarnation: uuidOfKey(packed, LIFE_AT) },
    role: packed[ROLE_AT] === 'm' ? 'member' : 'invited',
    since,
    at,
  };
}

function namesIn(key: string): { readonly room: string; readonly person: string } | null {
  const [room = '', person = '', ...more] = key.split('/');
  return NAME.test(room) && NAME.test(person) && more.length === 0 ? { room: roomName(room), person } : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

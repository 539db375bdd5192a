/*
 * Requests about rooms, and their replies: rows of the tables in requests.ts and replies.ts. The low nibble of their opcodes is 4
 * for a request and 5 for its reply.
 */
import { MAX_DESCRIPTION_BYTES, MAX_ROOM_HISTORY, ROOM_RETENTION } from '../../core/rooms.ts';
import { RAW_BOUNDS } from '../../core/windows.ts';
import { parsePattern } from '../names.ts';
import {
  bytes,
  count,
  id,
  label,
  line,
  milliseconds,
  number,
  policy,
  room,
  seq,
  storedRoom,
  storedUsername,
  storedUsernames,
  text,
  time,
  username,
} from './fields.ts';
import { array, boolean, object, oneOf, optional, string, transformed } from './schema.ts';

/** Most rooms in one page of them, and most names in one of members. */
export const MAX_ROOMS_PAGE = 100;
export const MAX_MEMBERS_PAGE = 1_000;
/** Most names of those who have not received a message. */
export const MAX_MISSING = 100;

/** Longest name of a topic, and what is written of a window on it: what may be in it the server's store says. */
const topic = label(249);
const expressions = { where: optional(text(0, 1_024)), as: optional(text(0, 4_096)) };
/** Most records that a preview looks at. */
export const MAX_PREVIEW = 100;

/** With the `#` of rooms in front or not. Throws ProtocolError `BAD_REQUEST` through the schema. */
const roomPattern = transformed(string, (text) => parsePattern(text.replace(/^#/, '')));

/** What an owner says of a room. */
const settings = {
  policy: optional(policy),
  description: optional(line(MAX_DESCRIPTION_BYTES)),
  /** So long are messages kept. */
  retentionMs: optional(number(ROOM_RETENTION.least, ROOM_RETENTION.most)),
  /** So many messages from before may who joins have. */
  history: optional(number(0, MAX_ROOM_HISTORY)),
  /** Of a window on a topic; an empty one: none. */
  ...expressions,
};

/** A room as it is to who asks. */
const roomInfo = object({
  room: storedRoom,
  /** This life of the room; made again it has another one. */
  incarnation: id,
  policy,
  description: string,
  retentionMs: milliseconds,
  history: count,
  /** How many are in it. */
  members: count,
  owner: optional(storedUsername),
  /** Of a window: the topic, and which of its records are shown as what. */
  topic: optional(string),
  where: optional(string),
  as: optional(string),
  /** What who asks is to it; absent: nothing. */
  role: optional(oneOf(['owner', 'member', 'invited'])),
  /** Of a member: the first `seq` that is for them. */
  since: optional(seq),
});

export const ROOM_REQUESTS = {
  'room-create': {
    opcode: 0x14,
    reply: 'room-created',
    /** `topic`: the room is a window on it. */
    payload: object({ room, ...settings, topic: optional(topic) }),
  },
  'room-set': {
    opcode: 0x24,
    reply: 'room-changed',
    /** What is absent stays. `owner`: a member whose it is from now on. */
    payload: object({ room, ...settings, owner: optional(username) }),
  },
  /** `force`: although others are in it. */
  'room-delete': { opcode: 0x34, reply: 'room-deleted', payload: object({ room, force: optional(boolean) }) },
  /** `back`: so many messages from before, as far as the room allows it. */
  join: {
    opcode: 0x44,
    reply: 'joined',
    payload: object({ room, back: optional(number(0, MAX_ROOM_HISTORY)) }),
  },
  leave: { opcode: 0x54, reply: 'left', payload: object({ room }) },
  invite: { opcode: 0x64, reply: 'invited', payload: object({ room, name: username }) },
  kick: { opcode: 0x74, reply: 'kicked', payload: object({ room, name: username }) },
  rooms: {
    opcode: 0x84,
    reply: 'rooms-listed',
    payload: object({
      /** Absent or empty: every room. */
      pattern: optional(roomPattern),
      /** Rooms behind this one, the last one of the page before. */
      after: optional(room),
      limit: optional(number(1, MAX_ROOMS_PAGE)),
      /** Only those that one is in, or invited to. */
      mine: optional(boolean),
    }),
  },
  members: {
    opcode: 0x94,
    reply: 'members-listed',
    payload: object({
      room,
      after: optional(username),
      limit: optional(number(1, MAX_MEMBERS_PAGE)),
      /** Those who are invited, instead. */
      invited: optional(boolean),
    }),
  },
  /** Who has a message. */
  holders: { opcode: 0xa4, reply: 'holders-told', payload: object({ room, seq }) },
  /** A record of a window. */
  raw: { opcode: 0xb4, reply: 'raw-told', payload: object({ room, partition: count, offset: count }) },
  /** What a window would show of the newest records. */
  preview: {
    opcode: 0xf4,
    reply: 'previewed',
    payload: object({ topic, ...expressions, last: optional(number(1, MAX_PREVIEW)) }),
  },
} as const;

export const ROOM_REPLIES = {
  'room-created': { opcode: 0x15, payload: roomInfo },
  'room-changed': { opcode: 0x25, payload: roomInfo },
  'room-deleted': { opcode: 0x35, payload: object({ room: storedRoom }) },
  joined: { opcode: 0x45, payload: roomInfo },
  left: { opcode: 0x55, payload: object({ room: storedRoom }) },
  invited: { opcode: 0x65, payload: object({ room: storedRoom }) },
  kicked: { opcode: 0x75, payload: object({ room: storedRoom }) },
  'rooms-listed': {
    opcode: 0x85,
    payload: object({ rooms: array(roomInfo, 0, MAX_ROOMS_PAGE), more: boolean }),
  },
  'members-listed': {
    opcode: 0x95,
    payload: object({ members: storedUsernames(MAX_MEMBERS_PAGE), more: boolean }),
  },
  'holders-told': {
    opcode: 0xa5,
    /** Whose it is, who of them has acknowledged it, and the first names of those who have not. */
    payload: object({ members: count, having: count, missing: storedUsernames(MAX_MISSING) }),
  },
  'raw-told': {
    opcode: 0xb5,
    payload: object({
      topic: string,
      /** Absent: none lies there. */
      record: optional(
        object({
          time,
          key: optional(bytes(RAW_BOUNDS.key)),
          value: optional(bytes(RAW_BOUNDS.value)),
          /** How long they are, where they were cut. */
          keyBytes: optional(count),
          valueBytes: optional(count),
          headers: array(
            object({ name: string, value: bytes(RAW_BOUNDS.headerValue) }),
            0,
            RAW_BOUNDS.headers,
          ),
        }),
      ),
    }),
  },
  previewed: {
    opcode: 0xf5,
    payload: object({
      lines: array(
        object({ partition: count, offset: count, time, text: string, note: optional(string) }),
        0,
        MAX_PREVIEW,
      ),
      looked: count,
      leftOut: count,
      paused: optional(string),
    }),
  },
};

export const ROOM_PUSHES = {
  gap: {
    opcode: 0x62,
    /** Messages of a room that were kept no longer than they were received. */
    payload: object({ room: storedRoom, messages: count }),
  },
  notice: {
    opcode: 0x66,
    /** What is to be said of a window; of records that are not shown how many they are, and where the first one lies. */
    payload: object({
      room: storedRoom,
      text: string,
      records: optional(count),
      partition: optional(count),
      offset: optional(count),
    }),
  },
};

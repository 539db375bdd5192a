/*
 * The requests of version 2. Each payload is a CBOR map (cbor-heads.ts); an empty payload is read as the empty map.
 */
import { ProtocolError } from '../errors.ts';
import { encodeFrame, type Frame, MAX_PAYLOAD } from '../frame.ts';
import { isRoom, parseAddressee } from '../names.ts';
import { opcodeText } from '../text.ts';
import { CborError, decodeCbor, REQUEST_LIMITS } from './cbor-reader.ts';
import { encodeCbor } from './cbor-writer.ts';
import {
  byteStrings,
  device,
  ID_BYTES,
  id,
  isBytes,
  isCount,
  isLabel,
  isText,
  label,
  MAX_RECEIPT_BYTES,
  number,
  password,
  pattern,
  recipient,
  room,
  seq,
  text,
  token,
  username,
} from './fields.ts';
import { type FrameValues, type Kind, opcodesOf, typesOf } from './kinds.ts';
import type { ServerFrame } from './replies.ts';
import { ROOM_REQUESTS } from './rooms.ts';
import { array, boolean, check, Mismatch, object, oneOf, optional, refined, type Schema } from './schema.ts';

export const VERSION = 2;

/** Most messages in one retrieve reply, most names in one list reply. */
export const MAX_PAGE = 1_000;
export const MAX_ACK_RANGES = 256;
export const MAX_STATUS_NAMES = 200;
export const MAX_RECEIPTS = 500;
/** Longest body, in bytes: what a send has besides it takes less than 256. */
export const MAX_BODY_BYTES = MAX_PAYLOAD - 256;
export const MAX_CONTENT_TYPE_BYTES = 100;
/** Messages that a new device may ask for. */
const MAX_LAST = 1_000;
const MAX_CONVERSATION_BYTES = 100;

const limit = number(1, MAX_PAGE);

/**
 * What comes to a login by itself: everything undelivered (`all`), only what comes from now on (`live`; the rest waits for a
 * `retrieve`), or nothing: such a login only sends, and any number of them go beside others.
 */
export type Deliver = 'all' | 'live' | 'none';
const deliver: Schema<Deliver> = oneOf(['all', 'live', 'none']);

/**
 * Every request: a row has its opcode, the type of its reply (null: it has none but a failure), and what its payload holds.
 * A request's type is what its row gives when it is read.
 */
const REQUESTS = {
  hello: {
    opcode: 0x80,
    reply: 'welcome',
    payload: object({ client: label(64), features: optional(array(label(64), 0, 32)) }),
  },
  create: {
    opcode: 0x10,
    reply: 'created',
    payload: object({
      username,
      /** Absent: an open account, which anybody may log in to, where the server allows that. */
      password: optional(password),
      displayName: optional(label(64)),
      /** Where the operator lets in only whom they have invited. */
      invite: optional(label(256)),
      deliver: optional(deliver),
    }),
  },
  login: {
    opcode: 0x20,
    reply: 'logged-in',
    payload: refined(
      object({
        username,
        /** Neither: an open account. */
        password: optional(password),
        token: optional(token),
        /**
         * Log in even if the account is logged in elsewhere, which ends there. Absent: nobody said; a token does so then, since
         * it is the same client that comes back.
         */
        takeover: optional(boolean),
        deliver: optional(deliver),
        /** With which of the account's devices; absent: the main one. */
        device: optional(device),
        /** Of a device that comes for the first time: so many of the newest messages, whatever others have. */
        last: optional(number(1, MAX_LAST)),
      }),
      (value) => value.password === undefined || value.token === undefined,
      'expected a password or a token, not both',
    ),
  },
  logout: { opcode: 0x30, reply: 'logged-out', payload: object({}) },
  delete: {
    opcode: 0x40,
    reply: 'deleted',
    payload: object({
      /** Needed unless the account is open. */
      password: optional(password),
      /** Delete although there are undelivered messages. */
      force: optional(boolean),
    }),
  },
  list: {
    opcode: 0x50,
    reply: 'listed',
    payload: object({
      /** Absent or empty: every name. */
      pattern: optional(pattern),
      /** Names behind this one, the last one of the page before. */
      after: optional(username),
      limit: optional(limit),
    }),
  },
  retrieve: { opcode: 0x60, reply: 'retrieved', payload: object({ limit: optional(limit) }) },
  send: {
    opcode: 0x70,
    reply: 'sent',
    payload: object({
      /** Made by the client, the same for each attempt. */
      id,
      /** A person, or a room. */
      to: recipient,
      body: text(1, MAX_BODY_BYTES),
      contentType: optional(label(MAX_CONTENT_TYPE_BYTES)),
    }),
  },
  ack: {
    opcode: 0x90,
    reply: null,
    payload: refined(
      object({
        /** Absent: of the inbox. */
        room: optional(room),
        /** Exactly with `room`: in which life of it, since another one counts from 0 again. */
        roomIncarnation: optional(id),
        upTo: optional(seq),
        /** First and last of each range, both included. */
        ranges: optional(
          check<[number, number][]>(areRanges, `expected 1 to ${MAX_ACK_RANGES} pairs of a first and a last`),
        ),
      }),
      (value) =>
        (value.upTo !== undefined || value.ranges !== undefined) &&
        (value.room === undefined) === (value.roomIncarnation === undefined),
      'expected upTo or ranges, and both a room and its incarnation or neither',
    ),
  },
  status: { opcode: 0xa0, reply: 'status', payload: object({ names: array(username, 0, MAX_STATUS_NAMES) }) },
  ping: { opcode: 0xb0, reply: 'pong', payload: object({}) },
  password: {
    opcode: 0xd0,
    reply: 'password-changed',
    payload: object({
      /** Absent: the account was open. */
      old: optional(password),
      new: password,
    }),
  },
  receipts: {
    opcode: 0xe0,
    reply: 'fates',
    payload: object({ receipts: byteStrings(1, MAX_RECEIPT_BYTES, MAX_RECEIPTS) }),
  },
  block: {
    opcode: 0xf0,
    reply: 'blocked',
    payload: refined(
      object({ name: optional(username), blocked: optional(boolean) }),
      (value) => (value.name === undefined) === (value.blocked === undefined),
      'expected both a name and blocked, or neither',
    ),
  },
  ...ROOM_REQUESTS,
  devices: { opcode: 0xc4, reply: 'devices-listed', payload: object({}) },
  'mark-read': {
    opcode: 0xe4,
    reply: 'marked',
    payload: object({
      /** As the account's clients call it. */
      conversation: label(MAX_CONVERSATION_BYTES),
      /** Of the last message that was read there. */
      upTo: seq,
    }),
  },
  'forget-device': { opcode: 0xd4, reply: 'device-forgotten', payload: object({ device }) },
} as const satisfies Readonly<Record<string, Kind & { readonly reply: ServerFrame['type'] | null }>>;

type Requests = FrameValues<typeof REQUESTS>;
/** Names are valid and lower-cased, patterns too; byte strings are copies. */
export type Request = Requests[keyof Requests];
/** One kind of request: `RequestOf<'send'>`. */
export type RequestOf<Type extends Request['type']> = Extract<Request, { type: Type }>;

/** Types of the replies, by the type of the request; null: none but a failure. */
export type ReplyTypes = { readonly [Type in Request['type']]: (typeof REQUESTS)[Type]['reply'] };

export const REPLY_TYPES = Object.fromEntries(
  Object.entries(REQUESTS).map(([type, { reply }]) => [type, reply]),
) as ReplyTypes;

/** By type. */
export const REQUEST_OPCODES = opcodesOf(REQUESTS);
const TYPES = typesOf(REQUESTS);

type Fields = Readonly<Record<string, unknown>>;

/**
 * Server side. None of its errors is fatal: the frame's bounds are known, so the next frame can be read.
 * @throws ProtocolError `BAD_REQUEST`, and `INVALID_USERNAME` where a username was read and is none
 */
export function decodeRequest(frame: Frame): Request {
  const type = TYPES.get(frame.opcode);
  if (type === undefined) {
    throw new ProtocolError('BAD_REQUEST', `There is no request with opcode ${opcodeText(frame.opcode)}.`);
  }
  const { payload } = frame;
  try {
    const fields = payload.length === 0 ? {} : decodeCbor(payload, REQUEST_LIMITS);
    return frequent(type, fields) ?? checked(type, fields);
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    throw new ProtocolError('BAD_REQUEST', `The ${type} request could not be read: ${error.message}.`);
  }
}

/**
 * Client side.
 * @throws ProtocolError `INVALID_USERNAME`, `BAD_REQUEST`, `TOO_LARGE` for what a server would refuse
 */
export function encodeRequest(value: Request): Buffer {
  const { type, ...fields } = checked(value.type, value);
  const payload = encodeCbor(fields);
  if (payload.length > MAX_PAYLOAD) throw new ProtocolError('TOO_LARGE');
  return encodeFrame(VERSION, REQUEST_OPCODES[type], payload);
}

/** A key `type` in the fields is one of those that nobody knows. */
function checked(type: Request['type'], fields: object): Request {
  try {
    // The row of this very type has read it.
    return { type, ...REQUESTS[type].payload(fields, '') } as Request;
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new ProtocolError('BAD_REQUEST', `The ${type} request is not right: ${error.message}.`);
  }
}

/**
 * A send, an ack or a ping without its schema, which costs as much as all the rest of reading one. Null for any other
 * request, and for one that is not right: its schema knows what to say.
 */
function frequent(type: Request['type'], fields: Fields): Request | null {
  switch (type) {
    case 'send': {
      const { id, to, body, contentType } = fields;
      if (!isBytes(id, ID_BYTES, ID_BYTES) || typeof to !== 'string') return null;
      if (!isText(body, 1, MAX_BODY_BYTES)) return null;
      if (contentType !== undefined && !isLabel(contentType, MAX_CONTENT_TYPE_BYTES)) return null;
      return { type, id, to: parseAddressee(to), body, contentType };
    }
    case 'ack': {
      const { upTo, ranges, room, roomIncarnation } = fields;
      if (upTo === undefined && ranges === undefined) return null;
      if (upTo !== undefined && !isCount(upTo)) return null;
      if (ranges !== undefined && !areRanges(ranges)) return null;
      if (room === undefined && roomIncarnation === undefined) return { type, upTo, ranges };
      // A name as it was typed is the schema's to read.
      if (typeof room !== 'string' || !isRoom(room) || !isBytes(roomIncarnation, ID_BYTES, ID_BYTES))
        return null;
      return { type, upTo, ranges, room, roomIncarnation };
    }
    case 'ping':
      return { type };
    default:
      return null;
  }
}

function areRanges(value: unknown): value is [number, number][] {
  return Array.isArray(value) && value.length >= 1 && value.length <= MAX_ACK_RANGES && value.every(isRange);
}

function isRange(value: unknown): value is [number, number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [first, last]: unknown[] = value;
  return isCount(first) && isCount(last) && first <= last;
}

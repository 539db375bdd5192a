/*
 * What a server of version 2 sends. Each payload is a CBOR map (cbor-heads.ts).
 */
import { ProtocolError } from '../errors.ts';
import { encodeFrame, type Frame, MAX_REPLY_PAYLOAD } from '../frame.ts';
import { opcodeText } from '../text.ts';
import { CborError, decodeCbor, REPLY_LIMITS } from './cbor-reader.ts';
import { encodeCbor } from './cbor-writer.ts';
import {
  byteStrings,
  count,
  errorCode,
  ID_BYTES,
  type Immutable,
  id,
  milliseconds,
  number,
  receipt,
  seq,
  storedDevice,
  storedRoom,
  storedUsername,
  storedUsernames,
  time,
  token,
} from './fields.ts';
import { type FrameValues, type Kinds, opcodesOf, typesOf } from './kinds.ts';
import { MAX_PAGE, MAX_RECEIPTS, VERSION } from './requests.ts';
import { ROOM_PUSHES, ROOM_REPLIES } from './rooms.ts';
import {
  array,
  boolean,
  type Infer,
  literal,
  Mismatch,
  object,
  oneOf,
  optional,
  string,
  tagged,
} from './schema.ts';

/** Most ids in each list of one delivered push. */
export const MAX_DELIVERED_IDS = 1_000;
/** As many as a payload holds. */
const ANY = Number.POSITIVE_INFINITY;

const serverLimits = object({
  /** Largest payload of a request once logged in, and before. */
  payloadBytes: count,
  payloadBytesBeforeLogin: count,
  /** Longest body of a send. */
  bodyBytes: count,
  /** Messages that may be pushed and not acknowledged. */
  window: count,
  /** Silence of the client after which the server pings, and after which it closes. */
  pingAfterMs: milliseconds,
  closeAfterMs: milliseconds,
});

const sessionLimits = object({
  window: count,
  messagesPerSecond: count,
  /** Undelivered messages, and their bytes, that the account's mailbox takes. */
  mailboxMessages: optional(count),
  mailboxBytes: optional(count),
});

const session = object({
  username: storedUsername,
  incarnation: id,
  /**
   * Names the inbox for as long as the account lives and the inbox loses nothing: with a seq it names a message. This and the
   * next three are absent of a login that only sends.
   */
  inbox: optional(id),
  /** The login's; absent: the main one. */
  device: optional(storedDevice),
  /** For a login without the password. */
  token: optional(token),
  tokenExpiresAt: optional(time),
  undelivered: optional(count),
  /** Of them so many may have come before, since the inbox had lost a part. */
  again: optional(count),
  /** Messages that were deleted before they were read, since the login before. */
  gone: optional(count),
  limits: sessionLimits,
});

const content = {
  /** Absent: it is of the inbox. */
  room: optional(storedRoom),
  /** Exactly with `room`: the life of it in which `seq` counts. */
  roomIncarnation: optional(id),
  seq,
  body: string,
  sentAt: time,
  contentType: optional(string),
};

/** Written by a user: a frontend vouched for it. */
const userMessage = {
  ...content,
  verified: literal(true),
  id,
  from: storedUsername,
  fromIncarnation: id,
};

/** Written by any other Kafka producer; `external` is what it calls itself, which may be empty or a user's name. */
const externalMessage = {
  ...content,
  verified: literal(false),
  id: optional(id),
  external: string,
  /** Of a record that a window shows, whose topic is `external`. */
  partition: optional(count),
  offset: optional(count),
  /** Why that is the record as it is. */
  note: optional(string),
};

const message = tagged('verified', { true: object(userMessage), false: object(externalMessage) });

const fate = oneOf(['delivered', 'waiting', 'undeliverable', 'unknown']);

/** Everything that a server sends: a row has its opcode and what its payload holds; what a row gives is its type. */
const SERVER_FRAMES = {
  // Replies
  welcome: {
    opcode: 0x81,
    payload: object({
      server: string,
      versions: array(count, 0, ANY),
      features: array(string, 0, ANY),
      limits: serverLimits,
      time,
    }),
  },
  created: { opcode: 0x11, payload: session },
  'logged-in': { opcode: 0x21, payload: session },
  'logged-out': { opcode: 0x31, payload: object({}) },
  deleted: {
    opcode: 0x41,
    /** Messages that nobody will read any more. */
    payload: object({ undelivered: count }),
  },
  listed: { opcode: 0x51, payload: object({ names: storedUsernames(MAX_PAGE), more: boolean }) },
  retrieved: { opcode: 0x61, payload: object({ messages: array(message, 0, MAX_PAGE), more: boolean }) },
  sent: {
    opcode: 0x71,
    payload: object({
      id,
      acceptedAt: time,
      /** Asks later what became of the message. */
      receipt,
      recipientLoggedIn: boolean,
    }),
  },
  status: { opcode: 0xa1, payload: object({ loggedIn: storedUsernames() }) },
  pong: { opcode: 0xb1, payload: object({ time }) },
  'password-changed': { opcode: 0xd1, payload: object({ token, tokenExpiresAt: time }) },
  /** To receipts. */
  fates: { opcode: 0xe1, payload: object({ fates: array(fate, 0, MAX_RECEIPTS) }) },
  blocked: { opcode: 0xf1, payload: object({ blocked: storedUsernames() }) },
  'devices-listed': {
    opcode: 0xc5,
    payload: object({
      devices: array(
        object({
          /** Absent: the main one. */
          device: optional(storedDevice),
          /** Some hours old at most while somebody is logged in with it. */
          lastLogin: optional(time),
          loggedIn: boolean,
          /** Messages that it has not acknowledged. */
          waiting: count,
        }),
        0,
        ANY,
      ),
    }),
  },
  marked: { opcode: 0xe5, payload: object({}) },
  'device-forgotten': { opcode: 0xd5, payload: object({ device: storedDevice }) },
  failure: {
    opcode: 0x22,
    payload: object({
      code: errorCode,
      message: string,
      /** Opcode of the request it answers. An ack has no other reply, so its failure takes no request's turn. */
      request: optional(number(0, 255)),
      retryAfterMs: optional(milliseconds),
      /** With HAS_UNDELIVERED. */
      undelivered: optional(count),
      /** Of the send it answers. */
      id: optional(id),
      /** Of a create that made the account and did not log in to it. */
      created: optional(boolean),
      /** False, of a send with UNAVAILABLE: surely not stored, and it will not be before somebody mends what `message` says. */
      stored: optional(boolean),
      /** Of BAD_FILTER and BAD_TEMPLATE: where in the text, both from 1 on. */
      line: optional(count),
      column: optional(count),
    }),
  },
  ...ROOM_REPLIES,
  // Pushes, between replies
  message: { opcode: 0x72, payload: message },
  delivered: {
    opcode: 0x92,
    payload: object({
      ids: byteStrings(ID_BYTES, ID_BYTES, MAX_DELIVERED_IDS),
      undeliverable: optional(byteStrings(ID_BYTES, ID_BYTES, MAX_DELIVERED_IDS)),
    }),
  },
  ...ROOM_PUSHES,
  /** Sent with another device of the account … */
  'sent-elsewhere': {
    opcode: 0xc6,
    payload: object({
      ...content,
      id,
      to: storedUsername,
      toIncarnation: id,
      /** Absent: the main one. */
      device: optional(storedDevice),
    }),
  },
  /** … and read with another one. */
  'read-elsewhere': {
    opcode: 0xe6,
    payload: object({ seq, conversation: string, upTo: seq, device: optional(storedDevice) }),
  },
  ping: { opcode: 0xb2, payload: object({}) },
  goodbye: {
    opcode: 0xc2,
    payload: object({ code: errorCode, reason: string, retryAfterMs: optional(milliseconds) }),
  },
} satisfies Kinds;

type ServerFrames = FrameValues<typeof SERVER_FRAMES>;
/** What a server sends: success replies, the failure reply to any request, and pushes. */
export type ServerFrame = ServerFrames[keyof ServerFrames];
/** One kind of server frame: `ServerFrameOf<'sent'>`. */
export type ServerFrameOf<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>;
/** A message as a push and a page of `retrieved` carry it; `verified` tells a user's from an external one. */
export type Message = Immutable<Infer<typeof message>>;
/** What became of a sent message. */
export type ReportedFate = Infer<typeof fate>;
export type ServerLimits = Immutable<Infer<typeof serverLimits>>;
export type SessionLimits = Immutable<Infer<typeof sessionLimits>>;

/** By type. */
export const SERVER_OPCODES = opcodesOf(SERVER_FRAMES);
const TYPES = typesOf(SERVER_FRAMES);

/**
 * Server side. Who makes a page must have cut it (pages.ts).
 * @throws TypeError, RangeError for what the protocol has no room for, which would be a fault of the server
 */
export function encodeServerFrame(value: ServerFrame): Buffer {
  const { type, ...fields } = demandRight(value);
  const payload = encodeCbor(fields);
  if (payload.length > MAX_REPLY_PAYLOAD) {
    throw new RangeError(`a ${type} frame of ${payload.length} bytes is too large`);
  }
  return encodeFrame(VERSION, SERVER_OPCODES[type], payload);
}

/** What a failure answers, as far as it is known. */
export interface FailedRequest {
  /** Absent for what answers no request. */
  readonly opcode?: number | undefined;
  /** Of a send. */
  readonly id?: Uint8Array | undefined;
}

/** The failure frame for an error. */
export function failureFrame(error: ProtocolError, { opcode: request, id }: FailedRequest = {}): Buffer {
  const { code, message, retryAfterMs, undelivered } = error;
  const created = error.created ? true : undefined;
  const stored = error.isUndone && id !== undefined ? false : undefined;
  return encodeServerFrame({
    type: 'failure',
    code,
    message,
    request,
    retryAfterMs,
    undelivered,
    id,
    created,
    stored,
    ...error.place,
  });
}

/** The last frame of a connection that the server closes. */
export function goodbyeFrame(error: ProtocolError): Buffer {
  const { code, message, retryAfterMs } = error;
  return encodeServerFrame({ type: 'goodbye', code, reason: message, retryAfterMs });
}

/**
 * Client side. Nothing in the value is safe for a terminal yet.
 * @throws ProtocolError `BAD_FRAME`: a server that talks like this cannot be trusted
 */
export function decodeServerFrame(frame: Frame): ServerFrame {
  const type = TYPES.get(frame.opcode);
  if (type === undefined) {
    throw new ProtocolError('BAD_FRAME', `The server sent an unknown opcode ${opcodeText(frame.opcode)}.`);
  }
  try {
    return checked(type, readMap(type, frame.payload));
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new ProtocolError('BAD_FRAME', `The server sent a wrong ${type}: ${error.message}.`);
  }
}

function demandRight(value: ServerFrame): ServerFrame {
  try {
    return checked(value.type, value);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new TypeError(`not a ${value.type} frame: ${error.message}`, { cause: error });
  }
}

/** A key `type` in the fields is one of those that nobody knows. */
function checked(type: ServerFrame['type'], fields: object): ServerFrame {
  // The row of this very type has read it.
  return { type, ...SERVER_FRAMES[type].payload(fields, '') } as ServerFrame;
}

function readMap(type: string, payload: Buffer): Readonly<Record<string, unknown>> {
  try {
    return decodeCbor(payload, REPLY_LIMITS);
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    throw new ProtocolError('BAD_FRAME', `The server sent a ${type} that cannot be read: ${error.message}.`);
  }
}

/*
 * 0x81 welcome           server  versions  features  limits  time       (hello)
 * 0x11 created           username  incarnation  inbox?  token?  tokenExpiresAt?  undelivered?  again?  gone?  limits
 * 0x21 logged in         the same
 * 0x31 logged out        (nothing)
 * 0x41 deleted           undelivered
 * 0x51 listed            names  more
 * 0x61 retrieved         messages  more
 * 0x71 sent              id  acceptedAt  receipt  recipientLoggedIn
 * 0xA1 status reply      loggedIn
 * 0xB1 pong              time
 * 0xD1 password changed  token  tokenExpiresAt
 * 0xE1 fates             fates                                          (receipts)
 * 0xF1 blocked           blocked
 * 0x22 failure           code  message  request?  retryAfterMs?  undelivered?  id?  created?  stored?
 *
 * pushed, between replies:
 * 0x72 message    seq  verified  (from  fromIncarnation | external)  id?  body  sentAt  contentType?
 * 0x92 delivered  ids  undeliverable?
 * 0xB2 ping       (nothing)
 * 0xC2 goodbye    code  reason  retryAfterMs?
 */
import { ProtocolError } from '../errors.ts';
import { encodeFrame, type Frame, MAX_REPLY_PAYLOAD } from '../frame.ts';
import { OPCODE, opcodeText } from '../opcodes.ts';
import { CborError, decodeCbor, encodeCbor, REPLY_LIMITS } from './cbor.ts';
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
  storedUsername,
  storedUsernames,
  time,
  token,
} from './fields.ts';
import { MAX_PAGE, MAX_RECEIPTS, VERSION } from './requests.ts';
import {
  boolean,
  list,
  literal,
  Mismatch,
  type Output,
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

const session = {
  username: storedUsername,
  incarnation: id,
  /**
   * Names the inbox for as long as the account lives and the inbox loses nothing: with a seq it names a message. This and the
   * next three are absent of a login that only sends.
   */
  inbox: optional(id),
  /** For a login without the password. */
  token: optional(token),
  tokenExpiresAt: optional(time),
  undelivered: optional(count),
  /** Of them so many may have come before, since the inbox had lost a part. */
  again: optional(count),
  /** Messages that were deleted before they were read, since the login before. */
  gone: optional(count),
  limits: sessionLimits,
};

const content = {
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
};

const message = tagged('verified', { true: object(userMessage), false: object(externalMessage) });

const messageFrame = tagged('verified', {
  true: object({ type: literal('message'), ...userMessage }),
  false: object({ type: literal('message'), ...externalMessage }),
});

const fate = oneOf(['delivered', 'waiting', 'undeliverable', 'unknown']);

const welcome = object({
  type: literal('welcome'),
  server: string,
  versions: list(count, 0, ANY),
  features: list(string, 0, ANY),
  limits: serverLimits,
  time,
});
const created = object({ type: literal('created'), ...session });
const loggedIn = object({ type: literal('logged-in'), ...session });
const loggedOut = object({ type: literal('logged-out') });
const deleted = object({
  type: literal('deleted'),
  /** Messages that nobody will read any more. */
  undelivered: count,
});
const listed = object({
  type: literal('listed'),
  names: storedUsernames(MAX_PAGE),
  more: boolean,
});
const retrieved = object({
  type: literal('retrieved'),
  messages: list(message, 0, MAX_PAGE),
  more: boolean,
});
const sent = object({
  type: literal('sent'),
  id,
  acceptedAt: time,
  /** Asks later what became of the message. */
  receipt,
  recipientLoggedIn: boolean,
});
const status = object({ type: literal('status'), loggedIn: storedUsernames() });
const pong = object({ type: literal('pong'), time });
const passwordChanged = object({ type: literal('password-changed'), token, tokenExpiresAt: time });
const fates = object({ type: literal('fates'), fates: list(fate, 0, MAX_RECEIPTS) });
const blocked = object({ type: literal('blocked'), blocked: storedUsernames() });
const failure = object({
  type: literal('failure'),
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
});
const delivered = object({
  type: literal('delivered'),
  ids: byteStrings(ID_BYTES, ID_BYTES, MAX_DELIVERED_IDS),
  undeliverable: optional(byteStrings(ID_BYTES, ID_BYTES, MAX_DELIVERED_IDS)),
});
const ping = object({ type: literal('ping') });
const goodbye = object({
  type: literal('goodbye'),
  code: errorCode,
  reason: string,
  retryAfterMs: optional(milliseconds),
});

const serverFrame = tagged('type', {
  welcome,
  created,
  'logged-in': loggedIn,
  'logged-out': loggedOut,
  deleted,
  listed,
  retrieved,
  sent,
  status,
  pong,
  'password-changed': passwordChanged,
  fates,
  blocked,
  failure,
  message: messageFrame,
  delivered,
  ping,
  goodbye,
});

/** What a server sends: success replies, the failure reply to any request, and pushes. */
export type ServerFrame = Immutable<Output<typeof serverFrame>>;
/** One kind of server frame: `ServerFrameOf<'sent'>`. */
export type ServerFrameOf<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>;
/** A message as a push and a page of `retrieved` carry it; `verified` tells a user's from an external one. */
export type Message = Immutable<Output<typeof message>>;
/** What became of a sent message. */
export type Fate = Output<typeof fate>;
export type ServerLimits = Immutable<Output<typeof serverLimits>>;
export type SessionLimits = Immutable<Output<typeof sessionLimits>>;

const OPCODES: Readonly<Record<ServerFrame['type'], number>> = {
  welcome: OPCODE.WELCOME,
  created: OPCODE.CREATED,
  'logged-in': OPCODE.LOGGED_IN,
  'logged-out': OPCODE.LOGGED_OUT,
  deleted: OPCODE.DELETED,
  listed: OPCODE.LISTED,
  retrieved: OPCODE.RETRIEVED,
  sent: OPCODE.SENT,
  status: OPCODE.STATUS_REPLY,
  pong: OPCODE.PONG,
  'password-changed': OPCODE.PASSWORD_CHANGED,
  fates: OPCODE.FATES,
  blocked: OPCODE.BLOCKED,
  failure: OPCODE.FAILURE,
  message: OPCODE.MESSAGE,
  delivered: OPCODE.DELIVERED,
  ping: OPCODE.PING_PUSH,
  goodbye: OPCODE.GOODBYE,
};

const TYPES: ReadonlyMap<number, string> = new Map(
  Object.entries(OPCODES).map(([type, opcode]) => [opcode, type]),
);

/**
 * Server side. Who makes a page must have cut it (pages.ts).
 * @throws TypeError, RangeError for what the protocol has no room for, which would be a fault of the server
 */
export function encodeServerFrame(value: ServerFrame): Buffer {
  const { type, ...fields } = readFrame(value);
  const payload = encodeCbor(fields);
  if (payload.length > MAX_REPLY_PAYLOAD) {
    throw new RangeError(`a ${type} frame of ${payload.length} bytes is too large`);
  }
  return encodeFrame(VERSION, OPCODES[type], payload);
}

/** What a failure answers, as far as it is known. */
export interface Answered {
  /** Opcode of the request; absent for what answers no request. */
  readonly request?: number | undefined;
  /** Of a send. */
  readonly id?: Uint8Array | undefined;
}

/** The failure frame for an error. */
export function failureFrame(error: ProtocolError, answered: Answered = {}): Buffer {
  const { code, message, retryAfterMs, undelivered } = error;
  const { request, id } = answered;
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
  // The type goes in last: a key of that name in the payload is one of those that nobody knows.
  try {
    return serverFrame({ ...readMap(type, frame.payload), type }, '');
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new ProtocolError('BAD_FRAME', `The server sent a wrong ${type}: ${error.message}.`);
  }
}

function readFrame(value: ServerFrame): ServerFrame {
  try {
    return serverFrame(value, '');
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new TypeError(`not a ${value.type} frame: ${error.message}`, { cause: error });
  }
}

function readMap(type: string, payload: Buffer): Readonly<Record<string, unknown>> {
  try {
    return decodeCbor(payload, REPLY_LIMITS);
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    throw new ProtocolError('BAD_FRAME', `The server sent a ${type} that cannot be read: ${error.message}.`);
  }
}

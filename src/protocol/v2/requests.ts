/*
 * 0x10 create   username  password?  displayName?  invite? deliver?  0x90 ack       upTo?  ranges?
 * 0x20 login    username  password? | token?  takeover?  deliver?    0xA0 status    names
 * 0x30 logout   (nothing)                                            0xB0 ping      (nothing)
 * 0x40 delete   password?  force?                                    0xD0 password  old?  new
 * 0x50 list     pattern?  after?  limit?                             0xE0 receipts  receipts
 * 0x60 retrieve limit?                                               0xF0 block     name? blocked?
 * 0x70 send     id  to  body  contentType?                           0x80 hello     client  features?
 *
 * Each payload is a CBOR map (cbor.ts); (nothing) is the empty map. An empty payload is read as the empty map.
 */
import { ProtocolError } from '../errors.ts';
import { encodeFrame, type Frame, MAX_PAYLOAD } from '../frame.ts';
import { parseUsername } from '../names.ts';
import { OPCODE, opcodeText } from '../opcodes.ts';
import { CborError, decodeCbor, encodeCbor, REQUEST_LIMITS } from './cbor.ts';
import {
  byteStrings,
  ID_BYTES,
  type Immutable,
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
  seq,
  text,
  token,
  username,
} from './fields.ts';
import {
  boolean,
  check,
  list,
  literal,
  Mismatch,
  type Output,
  object,
  oneOf,
  optional,
  refined,
  tagged,
} from './schema.ts';

export const VERSION = 2;

/** Most messages in one retrieve reply, most names in one list reply. */
export const MAX_PAGE = 1_000;
export const MAX_ACK_RANGES = 256;
export const MAX_STATUS_NAMES = 200;
export const MAX_RECEIPTS = 500;
/** Longest body, in bytes: what a send has besides it takes less than 256. */
export const MAX_BODY_BYTES = MAX_PAYLOAD - 256;
export const MAX_CONTENT_TYPE_BYTES = 100;

const limit = number(1, MAX_PAGE);

/**
 * What is pushed: from the oldest undelivered message on, which is what absent means; only what arrives from now on; or
 * nothing, of a login that has no inbox and only sends.
 */
const deliver = oneOf(['all', 'live', 'none']);

const hello = object({
  type: literal('hello'),
  client: label(64),
  features: optional(list(label(64), 0, 32)),
});

const create = object({
  type: literal('create'),
  username,
  /** Absent: an open account, which anybody may log in to, where the server allows that. */
  password: optional(password),
  displayName: optional(label(64)),
  /** Where the operator lets in only whom they have invited. */
  invite: optional(label(256)),
  deliver: optional(deliver),
});

const login = refined(
  object({
    type: literal('login'),
    username,
    /** Neither: an open account. */
    password: optional(password),
    token: optional(token),
    /** Log in even if the account is logged in elsewhere, which ends there. */
    takeover: optional(boolean),
    deliver: optional(deliver),
  }),
  (value) => value.password === undefined || value.token === undefined,
  'expected a password or a token, not both',
);

const logout = object({ type: literal('logout') });

const remove = object({
  type: literal('delete'),
  /** Needed unless the account is open. */
  password: optional(password),
  /** Delete although there are undelivered messages. */
  force: optional(boolean),
});

const listNames = object({
  type: literal('list'),
  /** Absent or empty: every name. */
  pattern: optional(pattern),
  /** Names behind this one, the last one of the page before. */
  after: optional(username),
  limit: optional(limit),
});

const retrieve = object({ type: literal('retrieve'), limit: optional(limit) });

const send = object({
  type: literal('send'),
  /** Made by the client, the same for each attempt. */
  id,
  to: username,
  body: text(1, MAX_BODY_BYTES),
  contentType: optional(label(MAX_CONTENT_TYPE_BYTES)),
});

const ack = refined(
  object({
    type: literal('ack'),
    upTo: optional(seq),
    /** First and last of each range, both included. */
    ranges: optional(
      check<[number, number][]>(areRanges, `expected 1 to ${MAX_ACK_RANGES} pairs of a first and a last`),
    ),
  }),
  (value) => value.upTo !== undefined || value.ranges !== undefined,
  'expected upTo or ranges',
);

const status = object({
  type: literal('status'),
  names: list(username, 0, MAX_STATUS_NAMES),
});

const ping = object({ type: literal('ping') });

const changePassword = object({
  type: literal('password'),
  /** Absent: the account was open. */
  old: optional(password),
  new: password,
});

const receipts = object({
  type: literal('receipts'),
  receipts: byteStrings(1, MAX_RECEIPT_BYTES, MAX_RECEIPTS),
});

const block = refined(
  object({
    type: literal('block'),
    name: optional(username),
    blocked: optional(boolean),
  }),
  (value) => (value.name === undefined) === (value.blocked === undefined),
  'expected both a name and blocked, or neither',
);

const request = tagged('type', {
  hello,
  create,
  login,
  logout,
  delete: remove,
  list: listNames,
  retrieve,
  send,
  ack,
  status,
  ping,
  password: changePassword,
  receipts,
  block,
});

/** Names are valid and lower-cased, patterns too; byte strings are copies. */
export type Request = Immutable<Output<typeof request>>;
/** One kind of request: `RequestOf<'send'>`. */
export type RequestOf<Type extends Request['type']> = Extract<Request, { type: Type }>;

const OPCODES: Readonly<Record<Request['type'], number>> = {
  hello: OPCODE.HELLO,
  create: OPCODE.CREATE,
  login: OPCODE.LOGIN,
  logout: OPCODE.LOGOUT,
  delete: OPCODE.DELETE,
  list: OPCODE.LIST,
  retrieve: OPCODE.RETRIEVE,
  send: OPCODE.SEND,
  ack: OPCODE.ACK,
  status: OPCODE.STATUS,
  ping: OPCODE.PING,
  password: OPCODE.PASSWORD,
  receipts: OPCODE.RECEIPTS,
  block: OPCODE.BLOCK,
};

const TYPES: ReadonlyMap<number, string> = new Map(
  Object.entries(OPCODES).map(([type, opcode]) => [opcode, type]),
);

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
  const fields = readMap(type, frame.payload);
  // The type goes in last: a key of that name in the payload is one of those that nobody knows.
  return frequent(type, fields) ?? checked({ ...fields, type }, type);
}

/**
 * Client side.
 * @throws ProtocolError `INVALID_USERNAME`, `BAD_REQUEST`, `TOO_LARGE` for what a server would refuse
 */
export function encodeRequest(value: Request): Buffer {
  const { type, ...fields } = checked(value, value.type);
  const payload = encodeCbor(fields);
  if (payload.length > MAX_PAYLOAD) throw new ProtocolError('TOO_LARGE');
  return encodeFrame(VERSION, OPCODES[type], payload);
}

function readMap(type: string, payload: Buffer): Fields {
  if (payload.length === 0) return {};
  try {
    return decodeCbor(payload, REQUEST_LIMITS);
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    throw new ProtocolError('BAD_REQUEST', `The ${type} request could not be read: ${error.message}.`);
  }
}

function checked(value: unknown, type: string): Request {
  try {
    return request(value, '');
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new ProtocolError('BAD_REQUEST', `The ${type} request is not right: ${error.message}.`);
  }
}

/**
 * A send, an ack or a ping without its schema, which costs as much as all the rest of reading one. Null for any other
 * request, and for one that is not right: its schema knows what to say.
 */
function frequent(type: string, fields: Fields): Request | null {
  if (type === 'send') return rightSend(fields);
  if (type === 'ping') return { type };
  return type === 'ack' ? rightAck(fields) : null;
}

function rightSend({ id, to, body, contentType }: Fields): RequestOf<'send'> | null {
  if (!isBytes(id, ID_BYTES, ID_BYTES) || typeof to !== 'string') return null;
  if (!isText(body, 1, MAX_BODY_BYTES)) return null;
  if (contentType !== undefined && !isLabel(contentType, MAX_CONTENT_TYPE_BYTES)) return null;
  return { type: 'send', id, to: parseUsername(to), body, contentType };
}

function rightAck({ upTo, ranges }: Fields): RequestOf<'ack'> | null {
  if (upTo === undefined && ranges === undefined) return null;
  if (upTo !== undefined && !isCount(upTo)) return null;
  if (ranges !== undefined && !areRanges(ranges)) return null;
  return { type: 'ack', upTo, ranges };
}

function areRanges(value: unknown): value is [number, number][] {
  return Array.isArray(value) && value.length >= 1 && value.length <= MAX_ACK_RANGES && value.every(isRange);
}

function isRange(value: unknown): value is [number, number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [first, last]: unknown[] = value;
  return isCount(first) && isCount(last) && first <= last;
}

/*
 * 0x10 create    username                              0x40 delete    (nothing)
 * 0x20 login     username                              0x50 list      (nothing) | pattern
 * 0x30 logout    (nothing)                             0x60 retrieve  (nothing)
 * 0x70 send      length username body
 *
 * username, body, pattern := UTF-8
 * length   := u8 from 1 to 255  |  u32-big-endian below 2^24
 *
 * The original specification says that the length of a send is one byte, the original client sends four. A
 * username is never empty, so a first byte of 0 can only begin the four-byte form.
 */
import { ProtocolError } from '../errors.ts';
import { allocateFrame, encodeFrame, type Frame, HEADER_BYTES } from '../frame.ts';
import { parsePattern, parseUsername } from '../names.ts';
import { decodeText, opcodeText } from '../text.ts';

export const VERSION = 1;

/** Requests, the replies to them, and the push of a message. Version 2 has the same and more. */
export const OPCODE = {
  CREATE: 0x10,
  CREATED: 0x11,
  LOGIN: 0x20,
  LOGGED_IN: 0x21,
  FAILURE: 0x22,
  LOGOUT: 0x30,
  DELETE: 0x40,
  LIST: 0x50,
  LISTED: 0x51,
  RETRIEVE: 0x60,
  RETRIEVED: 0x61,
  SEND: 0x70,
  SENT: 0x71,
  MESSAGE: 0x72,
} as const;

/** Names are valid and lower-cased, patterns too; a body is not empty. */
export type Request =
  | { readonly type: 'create'; readonly name: string }
  | { readonly type: 'login'; readonly name: string }
  | { readonly type: 'logout' }
  | { readonly type: 'delete' }
  | { readonly type: 'list'; readonly pattern: string }
  | { readonly type: 'retrieve' }
  | { readonly type: 'send'; readonly to: string; readonly body: string };

/**
 * Server side. None of its errors is fatal: the frame's bounds are known, so the next frame can be read.
 * @throws ProtocolError `BAD_REQUEST`, `INVALID_USERNAME`
 */
export function decodeRequest(frame: Frame): Request {
  const { opcode, payload } = frame;
  switch (opcode) {
    case OPCODE.CREATE:
      return { type: 'create', name: parseUsername(decodeText(payload, 'The username')) };
    case OPCODE.LOGIN:
      return { type: 'login', name: parseUsername(decodeText(payload, 'The username')) };
    case OPCODE.LOGOUT:
      return bare('logout', payload);
    case OPCODE.DELETE:
      return bare('delete', payload);
    case OPCODE.LIST:
      return { type: 'list', pattern: parsePattern(decodeText(payload, 'The pattern')) };
    case OPCODE.RETRIEVE:
      return bare('retrieve', payload);
    case OPCODE.SEND:
      return decodeSend(payload);
    default:
      throw new ProtocolError('BAD_REQUEST', `There is no request with opcode ${opcodeText(opcode)}.`);
  }
}

/**
 * Client side. A send gets the four-byte length, as the original client sends it.
 * @throws ProtocolError `INVALID_USERNAME`, `BAD_REQUEST` for what a server would refuse
 */
export function encodeRequest(request: Request): Buffer {
  switch (request.type) {
    case 'create':
      return encodeFrame(VERSION, OPCODE.CREATE, parseUsername(request.name));
    case 'login':
      return encodeFrame(VERSION, OPCODE.LOGIN, parseUsername(request.name));
    case 'logout':
      return encodeFrame(VERSION, OPCODE.LOGOUT, '');
    case 'delete':
      return encodeFrame(VERSION, OPCODE.DELETE, '');
    case 'list':
      return encodeFrame(VERSION, OPCODE.LIST, parsePattern(request.pattern));
    case 'retrieve':
      return encodeFrame(VERSION, OPCODE.RETRIEVE, '');
    case 'send':
      if (request.body === '') throw emptyBody();
      return encodeNameAndBody(OPCODE.SEND, parseUsername(request.to), request.body);
  }
}

/** `length:u32 name body`, the payload of a send and of a pushed message. */
export function encodeNameAndBody(opcode: number, name: string, body: string): Buffer {
  const nameBytes = Buffer.byteLength(name);
  const frame = allocateFrame(VERSION, opcode, 4 + nameBytes + Buffer.byteLength(body));
  frame.writeUInt32BE(nameBytes, HEADER_BYTES);
  frame.write(name, HEADER_BYTES + 4);
  frame.write(body, HEADER_BYTES + 4 + nameBytes);
  return frame;
}

function bare<Type extends 'logout' | 'delete' | 'retrieve'>(type: Type, payload: Buffer): { type: Type } {
  // Refused rather than ignored: a client that says more than we read means something else.
  if (payload.length > 0) throw new ProtocolError('BAD_REQUEST', `A ${type} request has no payload.`);
  return { type };
}

function decodeSend(payload: Buffer): Request {
  const lengthBytes = payload[0] === 0 ? 4 : 1;
  if (payload.length < lengthBytes) throw cutShort();
  const nameBytes = payload.readUIntBE(0, lengthBytes);
  const bodyAt = lengthBytes + nameBytes;
  if (payload.length < bodyAt) throw cutShort();
  const to = parseUsername(decodeText(payload.subarray(lengthBytes, bodyAt), "The recipient's name"));
  if (payload.length === bodyAt) throw emptyBody();
  return { type: 'send', to, body: decodeText(payload.subarray(bodyAt), 'The message') };
}

function cutShort(): ProtocolError {
  return new ProtocolError('BAD_REQUEST', "A send request ended within the recipient's name.");
}

function emptyBody(): ProtocolError {
  return new ProtocolError('BAD_REQUEST', 'The message is empty.');
}

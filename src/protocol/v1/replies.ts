/*
 * 0x11 created    token                0x61 retrieved  entries  (entries.ts)
 * 0x21 logged in  token                0x71 sent       text: delivered or queued
 * 0x51 listed     names (entries.ts)   0x22 failure    text for a person
 * 0x72 message    length:u32-big-endian  sender  body        pushed, between replies
 *
 * token, text, sender, body := UTF-8, a token is not empty. Logout and delete have no success reply.
 */
import { ProtocolError } from '../errors.ts';
import { encodeFrame, type Frame } from '../frame.ts';
import { decodeText, opcodeText } from '../text.ts';
import { formatEntries, formatNames, parseEntries, parseNames, type RetrievedEntry } from './entries.ts';
import { encodeNameAndBody, OPCODE, VERSION } from './requests.ts';

/** What a server sends: success replies, the failure reply to any request, and the push of a live message. */
export type ServerFrame =
  | { readonly type: 'created'; readonly token: string }
  | { readonly type: 'logged-in'; readonly token: string }
  | { readonly type: 'listed'; readonly names: readonly string[] }
  | { readonly type: 'retrieved'; readonly entries: readonly RetrievedEntry[] }
  | { readonly type: 'sent'; readonly text: string }
  | { readonly type: 'failure'; readonly text: string }
  | { readonly type: 'message'; readonly sender: string; readonly body: string };

/**
 * Server side. Names beyond the reply limit are cut off; entries are not (see `fitEntries`), since who answers
 * must know which messages went out.
 * @throws ProtocolError `INTERNAL` for an empty token, which would be a fault of the server
 */
export function encodeServerFrame(value: ServerFrame): Buffer {
  switch (value.type) {
    case 'created':
      return encodeFrame(VERSION, OPCODE.CREATED, notEmpty(value.token));
    case 'logged-in':
      return encodeFrame(VERSION, OPCODE.LOGGED_IN, notEmpty(value.token));
    case 'listed':
      return encodeFrame(VERSION, OPCODE.LISTED, formatNames(value.names));
    case 'retrieved':
      return encodeFrame(VERSION, OPCODE.RETRIEVED, formatEntries(value.entries));
    case 'sent':
      return encodeFrame(VERSION, OPCODE.SENT, value.text);
    case 'failure':
      return encodeFrame(VERSION, OPCODE.FAILURE, value.text);
    case 'message':
      return encodeNameAndBody(OPCODE.MESSAGE, value.sender, value.body);
  }
}

/** The failure frame for an error: its sentence. */
export function failureFrame(error: ProtocolError): Buffer {
  return encodeServerFrame({ type: 'failure', text: error.message });
}

/**
 * Client side. Nothing in the value is safe for a terminal yet.
 * @throws ProtocolError `BAD_FRAME`, `BAD_REQUEST` (not UTF-8): a server that talks like this cannot be trusted
 */
export function decodeServerFrame(frame: Frame): ServerFrame {
  const { opcode, payload } = frame;
  switch (opcode) {
    case OPCODE.CREATED:
      return { type: 'created', token: decodeToken(payload) };
    case OPCODE.LOGGED_IN:
      return { type: 'logged-in', token: decodeToken(payload) };
    case OPCODE.LISTED:
      return { type: 'listed', names: parseNames(decodeText(payload, 'The list')) };
    case OPCODE.RETRIEVED:
      return { type: 'retrieved', entries: parseEntries(decodeText(payload, 'The reply')) };
    case OPCODE.SENT:
      return { type: 'sent', text: decodeText(payload, 'The reply') };
    case OPCODE.FAILURE:
      return { type: 'failure', text: decodeText(payload, 'The reply') };
    case OPCODE.MESSAGE:
      return decodeMessage(payload);
    default:
      throw new ProtocolError('BAD_FRAME', `The server sent an unknown opcode ${opcodeText(opcode)}.`);
  }
}

function decodeToken(payload: Buffer): string {
  const token = decodeText(payload, 'The token');
  if (token === '') throw new ProtocolError('BAD_FRAME', 'The server sent an empty token.');
  return token;
}

function decodeMessage(payload: Buffer): ServerFrame {
  const bodyAt = payload.length < 4 ? 4 : 4 + payload.readUInt32BE(0);
  if (payload.length < bodyAt) {
    throw new ProtocolError('BAD_FRAME', 'The server sent a message that is cut short.');
  }
  return {
    type: 'message',
    sender: decodeText(payload.subarray(4, bodyAt), "The sender's name"),
    body: decodeText(payload.subarray(bodyAt), 'The message'),
  };
}

function notEmpty(token: string): string {
  if (token === '') throw new ProtocolError('INTERNAL', 'A token must not be empty.');
  return token;
}

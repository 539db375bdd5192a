import { encodeFrame, HEADER_BYTES } from '../../src/protocol/frame.ts';
import { encodeNameAndBody } from '../../src/protocol/v1/requests.ts';
import { encodeCbor } from '../../src/protocol/v2/cbor-writer.ts';
import { REQUEST_OPCODES } from '../../src/protocol/v2/requests.ts';

/*
 * Frames made and read with as little work as can be: the generator must not be what is measured.
 *
 * body of a message := "L" run:3 digits  time:16 digits  filling       time = microseconds, the moment it was to be sent
 */

export type ProtocolVersion = 1 | 2;

const RUN_DIGITS = 3;
const TIME_DIGITS = 16;
export const SHORTEST_BODY = 1 + RUN_DIGITS + TIME_DIGITS;
export const MOST_RUNS = 10 ** RUN_DIGITS;
const ZERO = 0x30;
const MARK = 0x4c;

/** A send to one recipient, ready but for its id, its run and its time. */
export interface SendTemplate {
  /** Changed by each message. */
  readonly frame: Buffer;
  /** Where the 16 bytes of the id begin; -1 in version 1, which has none. */
  readonly idAt: number;
  readonly bodyAt: number;
}

export function sendTemplate(version: ProtocolVersion, to: string, bodyBytes: number): SendTemplate {
  const body = 'L'.padEnd(Math.max(SHORTEST_BODY, bodyBytes), 'x');
  if (version === 1) {
    const frame = encodeNameAndBody(REQUEST_OPCODES.send, to, body);
    return { frame, idAt: -1, bodyAt: frame.length - body.length };
  }
  const id = Buffer.alloc(16, 0xab);
  const frame = encodeFrame(2, REQUEST_OPCODES.send, encodeCbor({ id, to, body }));
  return { frame, idAt: frame.indexOf(id), bodyAt: frame.indexOf(body) };
}

/**
 * The frame of one message: the template's own, until the next message is made of it.
 * @param sender and count make its id, which nobody else may use
 * @param timeUs when it was to be sent, microseconds
 */
export function fillTemplate(
  template: SendTemplate,
  run: number,
  timeUs: number,
  sender: number,
  count: number,
): Buffer {
  const { frame } = template;
  if (template.idAt >= 0) {
    writeU32(frame, template.idAt, sender);
    writeU32(frame, template.idAt + 4, count);
    writeU32(frame, template.idAt + 8, run);
  }
  writeDigits(frame, template.bodyAt + 1, RUN_DIGITS, run);
  writeDigits(frame, template.bodyAt + 1 + RUN_DIGITS, TIME_DIGITS, Math.floor(timeUs));
  return frame;
}

/** The text of one message, for who does not send it as a client. */
export function bodyOf(run: number, timeUs: number, bytes: number): string {
  const time = String(Math.floor(timeUs)).padStart(TIME_DIGITS, '0');
  return `L${String(run).padStart(RUN_DIGITS, '0')}${time}`.padEnd(bytes, 'x');
}

/** When a message of this run was to be sent, in microseconds; -1 for a message of another run, or of somebody else. */
export function timeOf(chunk: Buffer, bodyAt: number, run: number): number {
  if (chunk[bodyAt] !== MARK || readDigits(chunk, bodyAt + 1, RUN_DIGITS) !== run) return -1;
  return readDigits(chunk, bodyAt + 1 + RUN_DIGITS, TIME_DIGITS);
}

function writeDigits(buffer: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const higher = Math.floor(rest / 10);
    buffer[i] = ZERO + rest - higher * 10;
    rest = higher;
  }
}

/** Without the checks of Buffer's own, which cost more than the writing. @returns where it ends */
function writeU32(buffer: Buffer, at: number, value: number): number {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
  return at + 4;
}

function readDigits(buffer: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) value = value * 10 + (buffer[i] ?? ZERO) - ZERO;
  return value;
}

/** An ack but for its size and its number: `{upTo: `, and in a room `{room: "#ops", roomIncarnation: …, upTo: `. */
export function ackHead(room: { room: string; roomIncarnation: Uint8Array } | null): Buffer {
  const place = encodeCbor(room ?? {});
  place.writeUInt8(place.readUInt8(0) + 1, 0);
  const upTo = encodeCbor({ upTo: 0 }).subarray(1, -1);
  return encodeFrame(2, REQUEST_OPCODES.ack, Buffer.concat([place, upTo]));
}

const SIZE_AT = 1;
/** Of the number of an ack, at most. */
export const ACK_NUMBER_BYTES = 9;

/** Writes the frame of an ack. @param head as `ackHead` makes it @returns where it ends */
export function writeAck(out: Buffer, at: number, seq: number, head: Buffer): number {
  out.set(head, at);
  const end = writeUnsigned(out, at + head.length, seq);
  writeU32(out, at + SIZE_AT, end - at - HEADER_BYTES);
  return end;
}

/** An unsigned integer in CBOR's shortest form. @returns where it ends */
function writeUnsigned(out: Buffer, at: number, value: number): number {
  if (value < 24) return out.writeUInt8(value, at);
  if (value < 0x100) return out.writeUInt8(value, out.writeUInt8(0x18, at));
  if (value < 0x10000) return out.writeUInt16BE(value, out.writeUInt8(0x19, at));
  if (value < 2 ** 32) return writeU32(out, out.writeUInt8(0x1a, at), value);
  const low = value % 2 ** 32;
  return writeU32(out, writeU32(out, out.writeUInt8(0x1b, at), (value - low) / 2 ** 32), low);
}

export const PING_FRAME = encodeFrame(2, REQUEST_OPCODES.ping, encodeCbor({}));

/** What `readPush` finds, in place: one object for all messages. */
export interface Push {
  bodyAt: number;
  seq: number;
}

const KEY_SEQ = Buffer.from('\x63seq', 'latin1').readUInt32BE(0);
const KEY_BODY = Buffer.from('\x64bod', 'latin1').readUInt32BE(0);
const Y = 0x79;

/** Finds body and seq in a pushed message of version 2 whose payload is `chunk` from `start` on. */
export function readPush(chunk: Buffer, start: number, push: Push): void {
  let at = start;
  let left = (chunk[at++] ?? 0) & 0x1f;
  for (; left > 0; left--) {
    const keyAt = at;
    const valueAt = itemEnd(chunk, at);
    at = itemEnd(chunk, valueAt);
    const keyBytes = valueAt - keyAt;
    if (keyBytes !== 4 && keyBytes !== 5) continue;
    const key = chunk.readUInt32BE(keyAt);
    if (keyBytes === 4) {
      if (key === KEY_SEQ) push.seq = readHead(chunk, valueAt);
    } else if (key === KEY_BODY && chunk[keyAt + 4] === Y) push.bodyAt = valueAt + headBytes(chunk, valueAt);
  }
}

/** In a pushed message of version 1: where its body begins. */
export function bodyOfPush1(chunk: Buffer, start: number): number {
  return start + 4 + chunk.readUInt32BE(start);
}

function headBytes(chunk: Buffer, at: number): number {
  const info = (chunk[at] ?? 0) & 0x1f;
  return info < 24 ? 1 : 1 + (1 << (info - 24));
}

/** The number in an item's head: its value, or its length. */
function readHead(chunk: Buffer, at: number): number {
  const info = (chunk[at] ?? 0) & 0x1f;
  switch (info) {
    case 24:
      return chunk[at + 1] ?? 0;
    case 25:
      return chunk.readUInt16BE(at + 1);
    case 26:
      return chunk.readUInt32BE(at + 1);
    case 27:
      return chunk.readUInt32BE(at + 1) * 2 ** 32 + chunk.readUInt32BE(at + 5);
    default:
      return info;
  }
}

/** Where the item that begins at `at` ends. Integers, strings and simple values only: a push has no other. */
function itemEnd(chunk: Buffer, at: number): number {
  const major = (chunk[at] ?? 0) >> 5;
  const head = at + headBytes(chunk, at);
  return major === 2 || major === 3 ? head + readHead(chunk, at) : head;
}

export { HEADER_BYTES };

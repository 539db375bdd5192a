import { encodeFrame, HEADER_BYTES } from '../../src/protocol/frame.ts';
import { OPCODE } from '../../src/protocol/opcodes.ts';
import { encodeNameAndBody } from '../../src/protocol/v1/requests.ts';
import { encodeCbor } from '../../src/protocol/v2/cbor.ts';

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
  readonly frame: Buffer;
  /** Where the 16 bytes of the id begin; -1 in version 1, which has none. */
  readonly idAt: number;
  readonly bodyAt: number;
}

export function sendTemplate(version: ProtocolVersion, to: string, bodyBytes: number): SendTemplate {
  const body = 'L'.padEnd(Math.max(SHORTEST_BODY, bodyBytes), 'x');
  if (version === 1) {
    const frame = encodeNameAndBody(OPCODE.SEND, to, body);
    return { frame, idAt: -1, bodyAt: frame.length - body.length };
  }
  const id = Buffer.alloc(16, 0xab);
  const frame = encodeFrame(2, OPCODE.SEND, encodeCbor({ id, to, body }));
  return { frame, idAt: frame.indexOf(id), bodyAt: frame.indexOf(body) };
}

/**
 * The frame of one message.
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
  const frame = Buffer.allocUnsafe(template.frame.length);
  frame.set(template.frame);
  if (template.idAt >= 0) {
    frame.writeUInt32BE(sender, template.idAt);
    frame.writeUInt32BE(count, template.idAt + 4);
    frame.writeUInt32BE(run, template.idAt + 8);
  }
  writeDigits(frame, template.bodyAt + 1, RUN_DIGITS, run);
  writeDigits(frame, template.bodyAt + 1 + RUN_DIGITS, TIME_DIGITS, Math.floor(timeUs));
  return frame;
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

function readDigits(buffer: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) value = value * 10 + (buffer[i] ?? ZERO) - ZERO;
  return value;
}

/** `{upTo: seq}`. */
export function ackFrame(seq: number): Buffer {
  const head = Buffer.from([0xa1, 0x64, 0x75, 0x70, 0x54, 0x6f]);
  return encodeFrame(2, OPCODE.ACK, Buffer.concat([head, unsigned(seq)]));
}

/** An unsigned integer in CBOR's shortest form. */
function unsigned(value: number): Buffer {
  if (value < 24) return Buffer.from([value]);
  if (value < 0x100) return Buffer.from([0x18, value]);
  if (value < 0x10000) return Buffer.from([0x19, value >> 8, value & 0xff]);
  const long = value >= 2 ** 32;
  const bytes = Buffer.alloc(long ? 9 : 5);
  bytes[0] = long ? 0x1b : 0x1a;
  if (long) bytes.writeBigUInt64BE(BigInt(value), 1);
  else bytes.writeUInt32BE(value, 1);
  return bytes;
}

export const PING_FRAME = encodeFrame(2, OPCODE.PING, encodeCbor({}));

/** What `readPush` finds, in place: one object for all messages. */
export interface Push {
  bodyAt: number;
  seq: number;
}

const KEY_SEQ = Buffer.from('\x63seq', 'latin1').readUInt32BE(0);
const KEY_BODY = Buffer.from('dbody', 'latin1');

/** Finds body and seq in a pushed message of version 2 whose payload is `chunk` from `start` on. */
export function readPush(chunk: Buffer, start: number, push: Push): void {
  let at = start;
  let left = (chunk[at++] ?? 0) & 0x1f;
  for (; left > 0; left--) {
    const keyAt = at;
    const valueAt = itemEnd(chunk, at);
    at = itemEnd(chunk, valueAt);
    if (valueAt - keyAt === 4 && chunk.readUInt32BE(keyAt) === KEY_SEQ) push.seq = readHead(chunk, valueAt);
    else if (valueAt - keyAt === 5 && chunk.compare(KEY_BODY, 0, 5, keyAt, valueAt) === 0) {
      push.bodyAt = valueAt + headBytes(chunk, valueAt);
    }
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

/*
 * Frames and payloads as docs/protocol.md describes them, and by nothing else: nothing here or in client.ts comes from
 * src/. CBOR is that of a library which the server does not use.
 */
import { decode, encode } from 'cborg';

export interface Frame {
  readonly version: number;
  readonly opcode: number;
  readonly payload: Buffer;
}

export type Fields = Readonly<Record<string, unknown>>;

/** version u8 | payload size u32, big-endian | opcode u8 | payload */
export function frame(version: number, opcode: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(payload);
  const header = Buffer.alloc(6);
  header.writeUInt8(version, 0);
  header.writeUInt32BE(bytes.length, 1);
  header.writeUInt8(opcode, 5);
  return Buffer.concat([header, bytes]);
}

/** A frame of version 2; fields that are undefined are absent. */
export function frame2(opcode: number, fields: Fields = {}): Buffer {
  return frame(2, opcode, cbor(fields));
}

/** A send of version 1 with a length of one byte, or of four. */
export function send1(to: string, body: string, lengthBytes: 1 | 4 = 4): Buffer {
  const name = Buffer.from(to);
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(name.length, 0, lengthBytes);
  return frame(1, 0x70, Buffer.concat([length, name, Buffer.from(body)]));
}

export function cbor(value: unknown): Uint8Array {
  return encode(value, { ignoreUndefinedProperties: true });
}

/**
 * The map of a payload from the server.
 * @throws Error for anything that the section *Payloads* does not allow, or keys that are not in the order of their encoding
 */
export function fieldsOf(payload: Buffer): Fields {
  const bytes = new Uint8Array(payload);
  const value: unknown = decode(bytes, {
    strict: true,
    allowIndefinite: false,
    allowUndefined: false,
    allowBigInt: false,
    rejectDuplicateMapKeys: true,
  });
  if (!isFields(value)) throw new Error(`no map: ${payload.toString('hex')}`);
  // Only one encoding has every head at its shortest and the keys in their order.
  if (!Buffer.from(encode(value)).equals(payload))
    throw new Error(`not in order: ${payload.toString('hex')}`);
  demandNoNull(value);
  return value;
}

/** *An optional field is absent, never `null`.* */
function demandNoNull(value: unknown): void {
  if (value === null) throw new Error('a null from the server');
  if (value instanceof Uint8Array) return;
  if (typeof value === 'object') for (const item of Object.values(value)) demandNoNull(item);
}

function isFields(value: unknown): value is Fields {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** What arrives, cut into frames. */
export class Inflow {
  #bytes = Buffer.alloc(0);

  push(chunk: Buffer): Frame[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const frames: Frame[] = [];
    while (this.#bytes.length >= 6) {
      const end = 6 + this.#bytes.readUInt32BE(1);
      if (this.#bytes.length < end) break;
      frames.push({
        version: this.#bytes.readUInt8(0),
        opcode: this.#bytes.readUInt8(5),
        payload: this.#bytes.subarray(6, end),
      });
      this.#bytes = this.#bytes.subarray(end);
    }
    return frames;
  }
}

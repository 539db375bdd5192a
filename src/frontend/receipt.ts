/*
 * receipt     := format:u8  incarnation:16 bytes  offset:u64-big-endian  name:1 to 32 bytes
 *
 * Opaque to clients. It says where an accepted message lies: in the inbox that this life of this name has.
 */
import { isUsername } from '../protocol/names.ts';
import { uuidBytes, uuidText } from './uuid.ts';

const FORMAT = 1;
const NAME_AT = 1 + 16 + 8;

/** Where an accepted message lies. */
export interface ReceiptContent {
  readonly name: string;
  readonly incarnation: string;
  readonly offset: number;
}

/** @throws Error for an incarnation that is no UUID, which would be a fault of ours */
export function encodeReceipt({ name, incarnation, offset }: ReceiptContent): Buffer {
  const life = uuidBytes(incarnation);
  if (life === null) throw new Error(`the incarnation ${incarnation} is no UUID`);
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(offset));
  return Buffer.concat([Buffer.from([FORMAT]), life, place, Buffer.from(name)]);
}

/** What a client gave back; null for anything that no frontend has made. */
export function decodeReceipt(bytes: Uint8Array): ReceiptContent | null {
  const buffer = Buffer.from(bytes);
  if (buffer.length <= NAME_AT || buffer.readUInt8(0) !== FORMAT) return null;
  const offset = buffer.readBigUInt64BE(17);
  const name = buffer.toString('latin1', NAME_AT);
  if (offset > BigInt(Number.MAX_SAFE_INTEGER) || !isUsername(name)) return null;
  return { name, incarnation: uuidText(buffer.subarray(1, 17)), offset: Number(offset) };
}

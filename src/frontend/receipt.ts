/*
 * receipt     := format:u8  owner:6 bytes  incarnation:16 bytes  offset:u64-big-endian  name:1 to 32 bytes
 *
 * Opaque to clients. It says where an accepted message lies: in the inbox that this life of this name has. The owner is
 * the beginning of a hash over all the rest and the sender's incarnation, so that nobody asks with another's receipt
 * (who goes to the trouble of forging one learns whether a message of that number was read, and nothing else).
 */
import { createHash } from 'node:crypto';
import { isUsername } from '../protocol/names.ts';
import { uuidBytes, uuidText } from './uuid.ts';

const FORMAT = 1;
const OWNER_BYTES = 6;
const PLACE_AT = 1 + OWNER_BYTES;
const NAME_AT = PLACE_AT + 16 + 8;

/** Where an accepted message lies. */
export interface ReceiptContent {
  readonly name: string;
  readonly incarnation: string;
  readonly offset: number;
}

/**
 * @param owner incarnation of the sender
 * @throws Error for an incarnation that is no UUID, which would be a fault of ours
 */
export function encodeReceipt(owner: string, { name, incarnation, offset }: ReceiptContent): Buffer {
  const life = uuidBytes(incarnation);
  if (life === null) throw new Error(`the incarnation ${incarnation} is no UUID`);
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(offset));
  const rest = Buffer.concat([life, place, Buffer.from(name)]);
  return Buffer.concat([Buffer.from([FORMAT]), ownerTag(owner, rest), rest]);
}

/** What a client gave back; null for anything that no frontend has made for this owner. */
export function decodeReceipt(owner: string, bytes: Uint8Array): ReceiptContent | null {
  const buffer = Buffer.from(bytes);
  if (buffer.length <= NAME_AT || buffer.readUInt8(0) !== FORMAT) return null;
  const rest = buffer.subarray(PLACE_AT);
  if (!ownerTag(owner, rest).equals(buffer.subarray(1, PLACE_AT))) return null;
  const offset = rest.readBigUInt64BE(16);
  const name = buffer.toString('latin1', NAME_AT);
  if (offset > BigInt(Number.MAX_SAFE_INTEGER) || !isUsername(name)) return null;
  return { name, incarnation: uuidText(rest.subarray(0, 16)), offset: Number(offset) };
}

function ownerTag(owner: string, rest: Buffer): Buffer {
  return createHash('sha256').update(owner).update(rest).digest().subarray(0, OWNER_BYTES);
}

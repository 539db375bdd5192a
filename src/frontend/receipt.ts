/*
 * receipt     := format:u8  owner:6 bytes  inbox:16 bytes  offset:u64-big-endian  name:1 to 32 bytes
 *
 * Opaque to clients. It says where an accepted message lies: in the inbox that this life of this name has. The owner is
 * the beginning of a hash over all the rest and the sender's incarnation, so that nobody asks with another's receipt
 * (who goes to the trouble of forging one learns whether a message of that number was read, and nothing else).
 */
import { hash } from 'node:crypto';
import { isUsername } from '../protocol/names.ts';
import { putUuid, uuidText } from './uuid.ts';

const FORMAT = 1;
const OWNER_BYTES = 6;
const LIFE_AT = 1 + OWNER_BYTES;
const OFFSET_AT = LIFE_AT + 16;
const NAME_AT = OFFSET_AT + 8;
/** The offset's upper half, where the whole is below 2^53. */
const MAX_UPPER = 2 ** 21;

/** Where an accepted message lies. */
export interface ReceiptContent {
  readonly name: string;
  /** Which life of the inbox (`inboxLifeOf`). */
  readonly inbox: string;
  readonly offset: number;
}

/**
 * @param owner incarnation of the sender
 * @throws Error, RangeError for an inbox's id that is no UUID and an offset that is none, which would be faults of ours
 */
export function encodeReceipt(owner: string, { name, inbox, offset }: ReceiptContent): Buffer {
  if (!Number.isSafeInteger(offset)) throw new RangeError(`${offset} is no offset`);
  const receipt = Buffer.allocUnsafe(NAME_AT + Buffer.byteLength(name));
  receipt[0] = FORMAT;
  if (!putUuid(receipt, LIFE_AT, inbox)) throw new Error(`the id ${inbox} of an inbox is no UUID`);
  receipt.writeUInt32BE(Math.floor(offset / 2 ** 32), OFFSET_AT);
  receipt.writeUInt32BE(offset % 2 ** 32, OFFSET_AT + 4);
  receipt.write(name, NAME_AT);
  receipt.write(ownerTag(owner, receipt), 1, OWNER_BYTES, 'latin1');
  return receipt;
}

/** What a client gave back; null for anything that no frontend has made for this owner. */
export function decodeReceipt(owner: string, bytes: Uint8Array): ReceiptContent | null {
  if (bytes.length <= NAME_AT || bytes[0] !== FORMAT) return null;
  const receipt = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (receipt.toString('latin1', 1, LIFE_AT) !== ownerTag(owner, receipt)) return null;
  const upper = receipt.readUInt32BE(OFFSET_AT);
  const name = receipt.toString('latin1', NAME_AT);
  if (upper >= MAX_UPPER || !isUsername(name)) return null;
  return {
    name,
    inbox: uuidText(receipt.subarray(LIFE_AT, OFFSET_AT)),
    offset: upper * 2 ** 32 + receipt.readUInt32BE(OFFSET_AT + 4),
  };
}

/** One character a byte: a string is much cheaper to get out of a hash than a buffer. */
function ownerTag(owner: string, receipt: Buffer): string {
  const ownerBytes = Buffer.byteLength(owner);
  const hashed = Buffer.allocUnsafe(ownerBytes + receipt.length - LIFE_AT);
  hashed.write(owner);
  receipt.copy(hashed, ownerBytes, LIFE_AT);
  return hash('sha256', hashed, 'binary').slice(0, OWNER_BYTES);
}

/*
 * receipt     := 2:u8  owner:6 bytes  life:12 bytes  offset:u56  epoch:u24  time:u24  name:1 to 32 bytes
 * of before   := 1:u8  owner:6 bytes  incarnation:16 bytes  offset:u64  name:1 to 32 bytes
 *
 * Numbers are big-endian. Opaque to clients. It says where an accepted message lies: in the inbox that this life of this name
 * has (life: the first twelve bytes of its `inboxLifeOf`), and which of those that may have had that offset: by the leader
 * epoch when it was sent, all bits set where nobody knows, and by its append time in milliseconds, modulo 2^24. The owner is
 * the beginning of a hash over the sender's incarnation, as text, and all the rest, so that nobody asks with another's receipt
 * (who goes to the trouble of forging one learns whether a message of that number was read, and nothing else).
 */
import { hash } from 'node:crypto';
import { type Account, inboxLifeOf } from '../../core/accounts.ts';
import { UNKNOWN_EPOCH } from '../../core/epochs.ts';
import { type Accepted, RECEIPT_TIME } from '../../core/inboxes.ts';
import { isUsername } from '../../protocol/names.ts';
import { uuidText } from '../../util/uuid.ts';

const FORMAT = 2;
const FORMAT_BEFORE = 1;
const OWNER_BYTES = 6;
const LIFE_AT = 1 + OWNER_BYTES;
const LIFE_BYTES = 12;
const OFFSET_AT = LIFE_AT + LIFE_BYTES;
const EPOCH_AT = OFFSET_AT + 7;
const TIME_AT = EPOCH_AT + 3;
const NAME_AT = TIME_AT + 3;
const NO_EPOCH = 2 ** 24 - 1;

const OFFSET_BEFORE_AT = LIFE_AT + 16;
const NAME_BEFORE_AT = OFFSET_BEFORE_AT + 8;

/** The offset's upper part, where the whole is below 2^53. */
const MAX_UPPER = 2 ** 21;

/** Where an accepted message lies. */
export interface ReceiptContent {
  readonly name: string;
  /** How the id of its inbox's life (`inboxLifeOf`) begins: 12 bytes, or all 16. */
  readonly life: Uint8Array;
  readonly offset: number;
  /** As in `Receipt` of the engine. */
  readonly epoch: number;
  readonly acceptedAt: number | null;
}

/**
 * @param owner incarnation of the sender
 * @throws RangeError for an offset that is none, which would be a fault of ours
 */
export function encodeReceipt(
  owner: Uint8Array,
  to: Pick<Account, 'name' | 'incarnation' | 'inboxLife'>,
  { offset, epoch, acceptedAt }: Accepted,
): Buffer {
  if (!Number.isSafeInteger(offset)) throw new RangeError(`${offset} is no offset`);
  const { name } = to;
  const receipt = Buffer.allocUnsafe(NAME_AT + Buffer.byteLength(name));
  receipt[0] = FORMAT;
  // Its last bytes are written over.
  receipt.set(inboxLifeOf(to), LIFE_AT);
  receipt.writeUIntBE(Math.floor(offset / 2 ** 32), OFFSET_AT, 3);
  receipt.writeUInt32BE(offset % 2 ** 32, OFFSET_AT + 3);
  receipt.writeUIntBE(epoch === UNKNOWN_EPOCH ? NO_EPOCH : Math.min(epoch, NO_EPOCH), EPOCH_AT, 3);
  receipt.writeUIntBE(acceptedAt % RECEIPT_TIME, TIME_AT, 3);
  receipt.write(name, NAME_AT);
  receipt.write(ownerTag(owner, receipt), 1, OWNER_BYTES, 'latin1');
  return receipt;
}

/** What a client gave back; null for anything that no frontend has made for this owner. */
export function decodeReceipt(owner: Uint8Array, bytes: Uint8Array): ReceiptContent | null {
  const receipt = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const isBefore = receipt[0] === FORMAT_BEFORE;
  if (!isBefore && receipt[0] !== FORMAT) return null;
  if (receipt.length <= (isBefore ? NAME_BEFORE_AT : NAME_AT)) return null;
  if (receipt.toString('latin1', 1, LIFE_AT) !== ownerTag(owner, receipt)) return null;
  const content = isBefore ? readBefore(receipt) : read(receipt);
  return content.offset < MAX_UPPER * 2 ** 32 && isUsername(content.name) ? content : null;
}

/** Whether a receipt is about the inbox that an account has now. */
export function isOfLife({ life }: ReceiptContent, account: Account): boolean {
  const now = inboxLifeOf(account);
  return life.every((byte, index) => byte === now[index]);
}

function read(receipt: Buffer): ReceiptContent {
  const epoch = receipt.readUIntBE(EPOCH_AT, 3);
  return {
    name: receipt.toString('latin1', NAME_AT),
    life: receipt.subarray(LIFE_AT, OFFSET_AT),
    offset: receipt.readUIntBE(OFFSET_AT, 3) * 2 ** 32 + receipt.readUInt32BE(OFFSET_AT + 3),
    epoch: epoch === NO_EPOCH ? UNKNOWN_EPOCH : epoch,
    acceptedAt: receipt.readUIntBE(TIME_AT, 3),
  };
}

function readBefore(receipt: Buffer): ReceiptContent {
  return {
    name: receipt.toString('latin1', NAME_BEFORE_AT),
    life: receipt.subarray(LIFE_AT, OFFSET_BEFORE_AT),
    offset: receipt.readUInt32BE(OFFSET_BEFORE_AT) * 2 ** 32 + receipt.readUInt32BE(OFFSET_BEFORE_AT + 4),
    epoch: UNKNOWN_EPOCH,
    acceptedAt: null,
  };
}

/** One character a byte: a string is much cheaper to get out of a hash than a buffer. */
function ownerTag(owner: Uint8Array, receipt: Buffer): string {
  const text = uuidText(owner);
  const hashed = Buffer.allocUnsafe(text.length + receipt.length - LIFE_AT);
  hashed.write(text, 'latin1');
  receipt.copy(hashed, text.length, LIFE_AT);
  return hash('sha256', hashed, 'binary').slice(0, OWNER_BYTES);
}

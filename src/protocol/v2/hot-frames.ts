/*
 * The server frames that are made for every message, written item by item: byte for byte what encodeServerFrame
 * (replies.ts) makes, without its schema and without an object for the payload. A map's keys stand in the order of
 * their encoding, shorter ones first:
 *
 * 0x71 sent       id  receipt  acceptedAt  recipientLoggedIn
 * 0x72 message    id  seq  body  from  sentAt  verified  contentType?  fromIncarnation
 *                 id?  seq  body  sentAt  external  verified  contentType?
 * 0x92 delivered  ids  undeliverable?
 */
import { allocateFrame, HEADER_BYTES, MAX_REPLY_PAYLOAD } from '../frame.ts';
import { textBytes } from '../text.ts';
import { ARRAY, BYTES, FALSE, MAP, TRUE, UNSIGNED } from './cbor-heads.ts';
import {
  beginWriting,
  endWriting,
  writeBytes,
  writeCbor,
  writeHead,
  writeRaw,
  writeText,
  writeUtf8,
  writtenBytes,
} from './cbor-writer.ts';
import { ID_BYTES, isBytes, isCount, MAX_RECEIPT_BYTES } from './fields.ts';
import { MAX_DELIVERED_IDS, SERVER_OPCODES } from './replies.ts';
import { VERSION } from './requests.ts';

/** What every message has, as the store calls it. */
export interface StoredContent {
  readonly offset: number;
  readonly body: Uint8Array;
  readonly acceptedAt: number;
  readonly contentType: string | null;
}

/** What stands in front of the bytes of an id. */
const ID_HEAD = (BYTES << 5) | ID_BYTES;

/** Keys as they are written, with the head of their value, or the value, where that is always the same. */
const KEY = {
  id: Buffer.of(...keyBytes('id'), ID_HEAD),
  ids: keyBytes('ids'),
  seq: keyBytes('seq'),
  body: keyBytes('body'),
  from: keyBytes('from'),
  sentAt: keyBytes('sentAt'),
  receipt: keyBytes('receipt'),
  external: keyBytes('external'),
  verified: Buffer.of(...keyBytes('verified'), TRUE),
  unverified: Buffer.of(...keyBytes('verified'), FALSE),
  acceptedAt: keyBytes('acceptedAt'),
  contentType: keyBytes('contentType'),
  undeliverable: keyBytes('undeliverable'),
  fromIncarnation: Buffer.of(...keyBytes('fromIncarnation'), ID_HEAD),
  recipientThere: Buffer.of(...keyBytes('recipientLoggedIn'), TRUE),
  recipientAway: Buffer.of(...keyBytes('recipientLoggedIn'), FALSE),
} as const;

/**
 * @param id 16 bytes
 * @throws TypeError for what the protocol has no room for
 */
export function sentFrame(
  id: Uint8Array,
  receipt: Uint8Array,
  acceptedAt: number,
  recipientLoggedIn: boolean,
): Buffer {
  if (!isBytes(receipt, 1, MAX_RECEIPT_BYTES)) throw new TypeError('a frame has no place for that receipt');
  beginWriting();
  writeHead(MAP, 4);
  writeRaw(KEY.id);
  writeId(id);
  writeRaw(KEY.receipt);
  writeBytes(receipt);
  writeRaw(KEY.acceptedAt);
  writeCount(acceptedAt);
  writeRaw(recipientLoggedIn ? KEY.recipientThere : KEY.recipientAway);
  return frameOf('sent');
}

/**
 * A message that a frontend vouched for.
 * @param id 16 bytes
 * @param from a username as it is stored
 * @param fromIncarnation 16 bytes
 * @throws TypeError, RangeError for what the protocol has no room for
 */
export function userMessageFrame(
  content: StoredContent,
  id: Uint8Array,
  from: string,
  fromIncarnation: Uint8Array,
): Buffer {
  const { offset, body, acceptedAt, contentType } = content;
  beginWriting();
  writeHead(MAP, contentType === null ? 7 : 8);
  writeRaw(KEY.id);
  writeId(id);
  writeRaw(KEY.seq);
  writeCount(offset);
  writeRaw(KEY.body);
  writeUtf8(textBytes(body));
  writeRaw(KEY.from);
  writeText(from);
  writeRaw(KEY.sentAt);
  writeCount(acceptedAt);
  writeRaw(KEY.verified);
  if (contentType !== null) {
    writeRaw(KEY.contentType);
    writeText(contentType);
  }
  writeRaw(KEY.fromIncarnation);
  writeId(fromIncarnation);
  return frameOf('message');
}

/**
 * A message of anybody else.
 * @param id 16 bytes
 * @throws TypeError, RangeError for what the protocol has no room for
 */
export function externalMessageFrame(
  content: StoredContent,
  id: Uint8Array | null,
  external: string,
): Buffer {
  const { offset, body, acceptedAt, contentType } = content;
  beginWriting();
  writeHead(MAP, 5 + Number(id !== null) + Number(contentType !== null));
  if (id !== null) {
    writeRaw(KEY.id);
    writeId(id);
  }
  writeRaw(KEY.seq);
  writeCount(offset);
  writeRaw(KEY.body);
  writeUtf8(textBytes(body));
  writeRaw(KEY.sentAt);
  writeCount(acceptedAt);
  writeRaw(KEY.external);
  writeText(external);
  writeRaw(KEY.unverified);
  if (contentType !== null) {
    writeRaw(KEY.contentType);
    writeText(contentType);
  }
  return frameOf('message');
}

/**
 * Each list is ids of 16 bytes; an empty one of `undeliverable` is left out.
 * @throws TypeError for what the protocol has no room for
 */
export function deliveredFrame(ids: readonly Uint8Array[], undeliverable: readonly Uint8Array[]): Buffer {
  beginWriting();
  writeHead(MAP, undeliverable.length > 0 ? 2 : 1);
  writeRaw(KEY.ids);
  writeIds(ids);
  if (undeliverable.length > 0) {
    writeRaw(KEY.undeliverable);
    writeIds(undeliverable);
  }
  return frameOf('delivered');
}

/** Behind its head. */
function writeId(id: Uint8Array): void {
  if (id.length !== ID_BYTES) throw new TypeError(`a frame has no place for an id of ${id.length} bytes`);
  writeRaw(id);
}

function writeIds(ids: readonly Uint8Array[]): void {
  if (ids.length > MAX_DELIVERED_IDS) throw new TypeError(`a frame has no place for ${ids.length} ids`);
  writeHead(ARRAY, ids.length);
  for (const id of ids) {
    writeHead(BYTES, ID_BYTES);
    writeId(id);
  }
}

function writeCount(value: number): void {
  if (!isCount(value)) throw new TypeError(`a frame has no place for ${value}`);
  writeHead(UNSIGNED, value);
}

/** What was written, in a frame. */
function frameOf(type: 'sent' | 'message' | 'delivered'): Buffer {
  const size = writtenBytes();
  if (size > MAX_REPLY_PAYLOAD) throw new RangeError(`a ${type} frame of ${size} bytes is too large`);
  const frame = allocateFrame(VERSION, SERVER_OPCODES[type], size);
  endWriting(frame, HEADER_BYTES);
  return frame;
}

function keyBytes(key: string): Buffer {
  // Between the head of a map of one key and its value.
  return writeCbor({ [key]: null }).subarray(1, -1);
}

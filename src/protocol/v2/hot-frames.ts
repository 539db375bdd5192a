/*
 * The server frames that are made for every message, by a row of fields each: byte for byte what encodeServerFrame (replies.ts)
 * makes, without its schema and without an object for the payload. Fields stand in the order of their encoding: shorter
 * keys first.
 */
import { encodeFrame, MAX_REPLY_PAYLOAD } from '../frame.ts';
import { textBytes } from '../text.ts';
import { type RowField, type RowOf, rowField, writeRow } from './cbor-writer.ts';
import { isBytes, MAX_RECEIPT_BYTES } from './fields.ts';
import { MAX_DELIVERED_IDS, SERVER_OPCODES } from './replies.ts';
import { VERSION } from './requests.ts';

/** What every message has, as the store calls it. */
export interface StoredContent {
  readonly offset: number;
  readonly body: Uint8Array;
  readonly acceptedAt: number;
  readonly contentType: string | null;
  /** Where it is not an inbox's: the room's name, with its `#`. */
  readonly room?: string | null;
  /** Exactly with `room`: which life of it, 16 bytes. */
  readonly roomIncarnation?: Uint8Array | null;
  /** Where it is a record that a window shows. */
  readonly record?:
    | { readonly partition: number; readonly offset: number; readonly note: string | null }
    | undefined;
}

const SENT = [
  rowField('id', 'id'),
  rowField('receipt', 'bytes'),
  rowField('acceptedAt', 'count'),
  rowField('recipientLoggedIn', 'boolean'),
] as const;

const USER_MESSAGE = [
  rowField('id', 'id'),
  rowField('seq', 'count'),
  rowField('body', 'utf8'),
  rowField('from', 'text'),
  rowField('room', 'text'),
  rowField('sentAt', 'count'),
  rowField('verified', 'boolean'),
  rowField('contentType', 'text'),
  rowField('fromIncarnation', 'id'),
  rowField('roomIncarnation', 'id'),
] as const;

const EXTERNAL_MESSAGE = [
  rowField('id', 'id'),
  rowField('seq', 'count'),
  rowField('body', 'utf8'),
  rowField('note', 'text'),
  rowField('room', 'text'),
  rowField('offset', 'count'),
  rowField('sentAt', 'count'),
  rowField('external', 'text'),
  rowField('verified', 'boolean'),
  rowField('partition', 'count'),
  rowField('contentType', 'text'),
  rowField('roomIncarnation', 'id'),
] as const;

const DELIVERED = [rowField('ids', 'ids'), rowField('undeliverable', 'ids')] as const;

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
  return frameOf('sent', SENT, [id, receipt, acceptedAt, recipientLoggedIn]);
}

/**
 * A message that a frontend vouched for.
 * @param id 16 bytes
 * @param from a username as it is stored
 * @param fromIncarnation 16 bytes
 * @throws TypeError, RangeError for what the protocol has no room for
 */
export function userMessageFrame(
  { offset, body, acceptedAt, contentType, room = null, roomIncarnation = null }: StoredContent,
  id: Uint8Array,
  from: string,
  fromIncarnation: Uint8Array,
): Buffer {
  const text = textBytes(body);
  const place = [room, acceptedAt, true, contentType, fromIncarnation, roomIncarnation] as const;
  return frameOf('message', USER_MESSAGE, [id, offset, text, from, ...place]);
}

/**
 * A message of anybody else.
 * @param id 16 bytes
 * @throws TypeError, RangeError for what the protocol has no room for
 */
export function externalMessageFrame(
  { offset: seq, body, acceptedAt, contentType, room = null, roomIncarnation = null, record }: StoredContent,
  id: Uint8Array | null,
  external: string,
): Buffer {
  const { partition = null, offset = null, note = null } = record ?? {};
  const text = textBytes(body);
  const place = [note, room, offset, acceptedAt, external, false, partition] as const;
  return frameOf('message', EXTERNAL_MESSAGE, [id, seq, text, ...place, contentType, roomIncarnation]);
}

/**
 * Each list is ids of 16 bytes; an empty one of `undeliverable` is left out.
 * @throws TypeError for what the protocol has no room for
 */
export function deliveredFrame(ids: readonly Uint8Array[], undeliverable: readonly Uint8Array[]): Buffer {
  const most = Math.max(ids.length, undeliverable.length);
  if (most > MAX_DELIVERED_IDS) throw new TypeError(`a frame has no place for ${most} ids`);
  return frameOf('delivered', DELIVERED, [ids, undeliverable.length > 0 ? undeliverable : null]);
}

function frameOf<const Fields extends readonly RowField[]>(
  type: 'sent' | 'message' | 'delivered',
  fields: Fields,
  values: RowOf<Fields>,
): Buffer {
  const payload = writeRow(fields, values);
  const size = payload.length;
  if (size > MAX_REPLY_PAYLOAD) throw new RangeError(`a ${type} frame of ${size} bytes is too large`);
  return encodeFrame(VERSION, SERVER_OPCODES[type], payload);
}

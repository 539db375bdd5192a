import type { Account } from '../../../core/accounts.ts';
import type { Accepted, InboxMessage, OutgoingMessage, Sender } from '../../../core/inboxes.ts';
import type { InboxNote } from '../../../core/notes.ts';
import { uuidBytes, uuidText } from '../../../util/uuid.ts';
import { eachHeader, type RawRecord } from '../wire/log-batch.ts';
import { decodeNote, noteAddress } from './note-record.ts';
import type { Signer } from './signature.ts';
import type { Trust } from './trust.ts';

/*
  A message is a Kafka record that any Kafka tool can read:
    key     the sender's name
    value   the body, plain UTF-8 text unless its content type says otherwise
    headers CloudEvents in Kafka's binary mode, and Milena's own:
      ce_specversion  1.0
      ce_id           id made by the sender's client or frontend
      ce_source       urn:milena:user:<sender's name>
      ce_type         milena.message
      ce_time         RFC 3339, by the sender's frontend, in the brokers' time
      content-type    text/plain; charset=utf-8, unless the sender says otherwise
      milena-from     incarnation of the sender
      milena-to       incarnation of the recipient, or of the room
      milena-sig      the frontend's signature over all of that (signature.ts)
*/

const SOURCE_PREFIX = 'urn:milena:user:';
const TYPE = Buffer.from('milena.message');
const SPEC_VERSION = Buffer.from('1.0');

/** Names of headers, encoded once. */
const HEADER = {
  specVersion: Buffer.from('ce_specversion'),
  id: Buffer.from('ce_id'),
  source: Buffer.from('ce_source'),
  type: Buffer.from('ce_type'),
  time: Buffer.from('ce_time'),
  contentType: Buffer.from('content-type'),
  from: Buffer.from('milena-from'),
  to: Buffer.from('milena-to'),
  signature: Buffer.from('milena-sig'),
} as const;

/** What goes into one record; texts become UTF-8. */
export interface RecordContent {
  readonly key: Buffer | string | null;
  /** Null is a tombstone, for compacted topics. */
  readonly value: Uint8Array | null;
  /** Name, value, name, value, and so on. */
  readonly headers: readonly (Buffer | string)[];
}

/** Longest key of an external record that is used as a name, in bytes. */
const MAX_EXTERNAL_NAME_BYTES = 64;

/**
 * The record of a message to one recipient, or to a room.
 * @param now in the brokers' time
 */
export function encodeRecord(
  signer: Signer,
  to: Pick<Account, 'incarnation'>,
  message: OutgoingMessage,
  now: Date,
): RecordContent & { readonly value: Uint8Array; readonly signature: string } {
  const { from, body, contentType } = message;
  const id = uuidText(message.id);
  const fromIncarnation = uuidText(from.incarnation);
  const toIncarnation = uuidText(to.incarnation);
  const time = now.toISOString();
  const signature = signer.sign({
    from: from.name,
    fromIncarnation,
    toIncarnation,
    id,
    time,
    contentType,
    body,
  });
  return {
    key: from.name,
    value: body,
    signature,
    // biome-ignore format: a header a line
    headers: [
      HEADER.specVersion, SPEC_VERSION,
      HEADER.id, id,
      HEADER.source, SOURCE_PREFIX + from.name,
      HEADER.type, TYPE,
      HEADER.time, time,
      HEADER.contentType, contentType,
      HEADER.from, fromIncarnation,
      HEADER.to, toIncarnation,
      HEADER.signature, signature,
    ],
  };
}

/** What `decodeRecord` makes of the record of a message that this process wrote itself, without reading it back. */
export function messageAsStored(message: OutgoingMessage, accepted: Accepted): InboxMessage {
  const { id, from, body, contentType } = message;
  return {
    offset: accepted.offset,
    id,
    from: { kind: 'user', name: from.name, incarnation: from.incarnation },
    body,
    // UTF-8 knows no lone surrogates, so none came back.
    contentType: contentType.toWellFormed(),
    acceptedAt: accepted.acceptedAt,
  };
}

/** What a record in an inbox is to its owner: a message, or something to step over and why. */
export type DecodedRecord =
  | { readonly kind: 'message'; readonly message: InboxMessage }
  | { readonly kind: 'note'; readonly note: InboxNote }
  | { readonly kind: 'skip'; readonly reason: 'other incarnation' | 'no value' | 'copy' | 'forged' };

/**
 * Reads a record that anybody may have written. Whatever is wrong with it makes it external or skipped,
 * never an error: delivery must get past it.
 */
export function decodeRecord(
  trust: Trust,
  owner: Pick<Account, 'name' | 'incarnation'>,
  raw: RawRecord,
): DecodedRecord {
  const headers = readHeaders(raw.headers);
  const life = uuidText(owner.incarnation);
  if (headers.to !== undefined && headers.to !== life) {
    if (headers.to !== noteAddress(life)) return { kind: 'skip', reason: 'other incarnation' };
    const note = decodeNote(trust, owner, raw, headers);
    return note === null ? { kind: 'skip', reason: 'forged' } : { kind: 'note', note };
  }
  if (raw.value === null) return { kind: 'skip', reason: 'no value' };
  const from = readSender(trust, life, raw, raw.value, headers);
  if (from.kind === 'user' && trust.recent.isCopy(headers.signature ?? '', raw.offset))
    return { kind: 'skip', reason: 'copy' };
  return {
    kind: 'message',
    message: {
      offset: raw.offset,
      id: headers.id === undefined ? null : uuidBytes(headers.id),
      from,
      body: raw.value,
      contentType: headers.contentType ?? null,
      acceptedAt: timeOf(raw),
    },
  };
}

/** The broker's own time, unless somebody has set the topic otherwise: then a producer's, which may be anything. */
function timeOf({ timestamp }: RawRecord): number {
  return Number.isSafeInteger(timestamp) && timestamp >= 0 ? timestamp : 0;
}

/**
 * A user only where a frontend's signature says so, and Kafka that it was appended when it was signed; whatever else the
 * headers claim, it is external.
 * @param life incarnation of the inbox's owner
 */
function readSender(
  trust: Trust,
  life: string,
  raw: RawRecord,
  body: Buffer,
  { id = '', time = '', contentType = '', from = '', to = '', signature = '' }: Headers,
): Sender {
  const name = nameIn(raw.key);
  const genuine = trust.signer.verify(signature, {
    from: name,
    fromIncarnation: from,
    toIncarnation: to === life ? life : '',
    ...{ id, time, contentType, body },
  });
  const isUsers = genuine && (trust.acceptsUnsigned || trust.isFresh(raw, Date.parse(time)));
  const incarnation = isUsers ? uuidBytes(from) : null;
  return incarnation === null ? { kind: 'external', name } : { kind: 'user', name, incarnation };
}

/** As much of a key as a name may have, cut between characters. */
function nameIn(key: Buffer | null): string {
  if (key === null || key.length <= MAX_EXTERNAL_NAME_BYTES) return key?.toString('utf8') ?? '';
  let end = MAX_EXTERNAL_NAME_BYTES;
  // 10xxxxxx goes on with a character that began before.
  while (end > MAX_EXTERNAL_NAME_BYTES - 4 && ((key[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return key.subarray(0, end).toString('utf8');
}

/** The headers that mean something here, by what they are called in `HEADER`. */
type Headers = Partial<Record<(typeof READ)[number], string>>;

const READ = ['to', 'id', 'contentType', 'from', 'time', 'signature'] as const;

/** Of a repeated name the first counts. */
function readHeaders(encoded: Buffer): Headers {
  const headers: Headers = {};
  eachHeader(encoded, (nameAt, nameEnd, valueAt, valueEnd) => {
    for (const key of READ) {
      if (isAt(encoded, nameAt, nameEnd, HEADER[key])) {
        headers[key] ??= encoded.toString('utf8', valueAt, valueEnd);
        return;
      }
    }
  });
  return headers;
}

/** Whether exactly these bytes lie there. They are few: a loop is quicker than a call to compare them. */
function isAt(bytes: Buffer, at: number, end: number, wanted: Buffer): boolean {
  if (end - at !== wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

import type { KafkaRecord } from '@platformatic/kafka';
import type { Account } from './accounts.ts';
import type { Accepted, InboxMessage, OutgoingMessage, Sender } from './inboxes.ts';
import type { Signer } from './signature.ts';

/*
  A message is a Kafka record that any Kafka tool can read:
    key     the sender's name
    value   the body, plain UTF-8 text
    headers CloudEvents in Kafka's binary mode, and Milena's own:
      ce_specversion  1.0
      ce_id           id made by the sender's client or frontend
      ce_source       urn:milena:user:<sender's name>
      ce_type         milena.message
      ce_time         RFC 3339, by the sender's frontend
      content-type    text/plain; charset=utf-8, unless the sender says otherwise
      milena-from     incarnation of the sender
      milena-to       incarnation of the recipient
      milena-sig      the frontend's signature over all of that (signature.ts)
*/

const SOURCE_PREFIX = 'urn:milena:user:';
const TYPE = Buffer.from('milena.message');
const SPEC_VERSION = Buffer.from('1.0');
const PLAIN_TEXT = 'text/plain; charset=utf-8';

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
  readonly key: Buffer | string;
  /** Null is a tombstone, for compacted topics. */
  readonly value: Buffer | null;
  /** Name, value, name, value, and so on. */
  readonly headers: readonly (Buffer | string)[];
}

/** Longest key of an external record that is used as a name, in bytes. */
const MAX_EXTERNAL_NAME_BYTES = 64;

/** The record of a message to one recipient. */
export function encodeRecord(
  signer: Signer,
  to: Account,
  message: OutgoingMessage,
  now: Date,
): RecordContent & { readonly value: Buffer } {
  const { id, from } = message;
  const contentType = message.contentType ?? PLAIN_TEXT;
  const time = now.toISOString();
  const body = Buffer.from(message.body);
  const signature = signer.sign({
    from: from.name,
    fromIncarnation: from.incarnation,
    toIncarnation: to.incarnation,
    id,
    time,
    contentType,
    body,
  });
  return {
    key: from.name,
    value: body,
    // biome-ignore format: a header a line
    headers: [
      HEADER.specVersion, SPEC_VERSION,
      HEADER.id, id,
      HEADER.source, SOURCE_PREFIX + from.name,
      HEADER.type, TYPE,
      HEADER.time, time,
      HEADER.contentType, contentType,
      HEADER.from, from.incarnation,
      HEADER.to, to.incarnation,
      HEADER.signature, signature,
    ],
  };
}

/** What `decodeRecord` makes of the record of a message that this process wrote itself, without reading it back. */
export function messageAsStored(message: OutgoingMessage, accepted: Accepted): InboxMessage {
  const { id, from, body, contentType = PLAIN_TEXT } = message;
  return {
    offset: accepted.offset,
    id: id.toWellFormed(),
    from: { kind: 'user', name: from.name, incarnation: from.incarnation },
    // UTF-8 knows no lone surrogates, so none came back.
    body: body.toWellFormed(),
    contentType: contentType.toWellFormed(),
    acceptedAt: accepted.acceptedAt,
  };
}

/** What a record in an inbox is to its owner: a message, or something to step over and why. */
export type DecodedRecord =
  | { readonly kind: 'message'; readonly message: InboxMessage }
  | { readonly kind: 'skip'; readonly reason: 'other incarnation' | 'no value' };

/**
 * Reads a record that anybody may have written. Whatever is wrong with it makes it external or skipped,
 * never an error: the watermark must get past it.
 * @param offset of the record in the inbox
 * @param acceptedAt milliseconds since the epoch, Kafka's append time
 */
export function decodeRecord(
  signer: Signer,
  owner: Account,
  record: KafkaRecord,
  offset: number,
  acceptedAt: number,
): DecodedRecord {
  const headers = readHeaders(record);
  const to = headers.get('milena-to');
  if (to !== undefined && to !== owner.incarnation) return { kind: 'skip', reason: 'other incarnation' };
  if (record.value === null) return { kind: 'skip', reason: 'no value' };
  return {
    kind: 'message',
    message: {
      offset,
      id: headers.get('ce_id') ?? null,
      from: readSender(signer, owner, record.key, record.value, headers),
      body: record.value.toString('utf8'),
      contentType: headers.get('content-type') ?? null,
      acceptedAt,
    },
  };
}

/** A user only where a frontend's signature says so; whatever else the headers claim, it is external. */
function readSender(
  signer: Signer,
  owner: Account,
  key: Buffer | null,
  body: Buffer,
  headers: Map<string, string>,
): Sender {
  const name = nameIn(key);
  const incarnation = headers.get('milena-from') ?? '';
  const genuine = signer.verify(headers.get('milena-sig') ?? '', {
    from: name,
    fromIncarnation: incarnation,
    toIncarnation: headers.get('milena-to') === owner.incarnation ? owner.incarnation : '',
    id: headers.get('ce_id') ?? '',
    time: headers.get('ce_time') ?? '',
    contentType: headers.get('content-type') ?? '',
    body,
  });
  return genuine ? { kind: 'user', name, incarnation } : { kind: 'external', name };
}

/** As much of a key as a name may have, cut between characters. */
function nameIn(key: Buffer | null): string {
  if (key === null || key.length <= MAX_EXTERNAL_NAME_BYTES) return key?.toString('utf8') ?? '';
  let end = MAX_EXTERNAL_NAME_BYTES;
  // 10xxxxxx goes on with a character that began before.
  while (end > MAX_EXTERNAL_NAME_BYTES - 4 && ((key[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return key.subarray(0, end).toString('utf8');
}

/** Headers by name; of a repeated name the first counts. At most 64 are looked at, the rest is ignored. */
function readHeaders(record: KafkaRecord): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of record.headers.slice(0, 64)) {
    const key = name?.toString('utf8');
    if (key !== undefined && value !== null && !headers.has(key)) headers.set(key, value.toString('utf8'));
  }
  return headers;
}

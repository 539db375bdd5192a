import type { KafkaRecord } from '@platformatic/kafka';
import type { Account } from './accounts.ts';
import type { InboxMessage, OutgoingMessage, Sender } from './inboxes.ts';

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
      content-type    text/plain; charset=utf-8
      milena-from     incarnation of the sender
      milena-to       incarnation of the recipient
*/

const SOURCE_PREFIX = 'urn:milena:user:';
const TYPE = 'milena.message';
const SPEC_VERSION = Buffer.from('1.0');
const CONTENT_TYPE = Buffer.from('text/plain; charset=utf-8');

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
} as const;

/** What goes into one record; all bytes. */
export interface RecordContent {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Map<Buffer, Buffer>;
}

/** Longest key of an external record that is used as a name, in bytes. */
const MAX_EXTERNAL_NAME_BYTES = 64;

/** The record of a message to one recipient. */
export function encodeRecord(to: Account, message: OutgoingMessage, time: Date): RecordContent {
  return {
    key: Buffer.from(message.from.name),
    value: Buffer.from(message.body),
    headers: new Map([
      [HEADER.specVersion, SPEC_VERSION],
      [HEADER.id, Buffer.from(message.id)],
      [HEADER.source, Buffer.from(SOURCE_PREFIX + message.from.name)],
      [HEADER.type, Buffer.from(TYPE)],
      [HEADER.time, Buffer.from(time.toISOString())],
      [HEADER.contentType, CONTENT_TYPE],
      [HEADER.from, Buffer.from(message.from.incarnation)],
      [HEADER.to, Buffer.from(to.incarnation)],
    ]),
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
      from: readSender(record, headers),
      body: record.value.toString('utf8'),
      acceptedAt,
    },
  };
}

/** A user only if the headers are those of a frontend and agree with the key; anything else is external. */
function readSender(record: KafkaRecord, headers: Map<string, string>): Sender {
  const key = record.key?.subarray(0, MAX_EXTERNAL_NAME_BYTES).toString('utf8') ?? '';
  const incarnation = headers.get('milena-from');
  const addressed = headers.has('milena-to');
  const fromFrontend = headers.get('ce_type') === TYPE && headers.get('ce_source') === SOURCE_PREFIX + key;
  if (incarnation !== undefined && addressed && fromFrontend && key !== '') {
    return { kind: 'user', name: key, incarnation };
  }
  return { kind: 'external', name: key };
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

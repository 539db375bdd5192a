import type { Account } from '../../../core/accounts.ts';
import type { InboxNote, Note } from '../../../core/notes.ts';
import { newUuid, uuidBytes, uuidText } from '../../../util/uuid.ts';
import { eachHeader, type RawRecord } from '../wire/log-batch.ts';
import type { RecordContent } from './record.ts';
import type { Signer } from './signature.ts';
import type { Trust } from './trust.ts';

/*
  A note is a record in the owner's own inbox:
    key    the owner's name
    value  of what was sent, its body; of what was read, nothing
    headers
      ce_id         of what was sent, its id; else a random one
      ce_time       RFC 3339, by the frontend, in the brokers' time
      content-type  of what was sent
      milena-to     "own:" and the owner's incarnation: to frontends of before it is of another life, and stepped over
      milena-note   JSON, a list:
                      ["sent", device, recipient's name, recipient's incarnation]
                      ["read", device, conversation, offset]
                    where the main device is ""
      milena-sig    the frontend's signature, in which the content type is that of the note, a line feed, and content-type
*/

const OWN = 'own:';
const HEADER = 'milena-note';
/** Nobody makes longer ones. */
const MAX_NOTE_BYTES = 1_024;

/** Of notes to this life of an account. */
export function noteAddress(life: string): string {
  return OWN + life;
}

/** @param now in the brokers' time */
export function encodeNote(
  signer: Signer,
  owner: Account,
  device: string | undefined,
  note: Note,
  now: Date,
): RecordContent & { readonly signature: string } {
  const life = uuidText(owner.incarnation);
  const [id, body, contentType] =
    note.kind === 'sent' ? [note.id, note.body, note.contentType] : [newUuid(), Buffer.alloc(0), ''];
  const text = textOf(note, device ?? '');
  const [time, to] = [now.toISOString(), noteAddress(life)];
  const fields = { from: owner.name, fromIncarnation: life, toIncarnation: to, id: uuidText(id), time, body };
  const signature = signer.sign({ ...fields, contentType: signedType(text, contentType) });
  return {
    key: owner.name,
    value: body,
    signature,
    // biome-ignore format: a header a line
    headers: [
      'ce_id', fields.id,
      'ce_time', time,
      'content-type', contentType,
      'milena-to', to,
      HEADER, text,
      'milena-sig', signature,
    ],
  };
}

/** The headers that a note has as a message has them, as far as they are there. */
export interface NoteHeaders {
  readonly id?: string;
  readonly time?: string;
  readonly contentType?: string;
  readonly signature?: string;
}

/** Reads what `encodeNote` made; null for what no frontend has signed for this life just then. */
export function decodeNote(
  trust: Trust,
  owner: Pick<Account, 'name' | 'incarnation'>,
  raw: RawRecord,
  { id = '', time = '', contentType = '', signature = '' }: NoteHeaders,
): InboxNote | null {
  const text = noteIn(raw.headers);
  const life = uuidText(owner.incarnation);
  const body = raw.value ?? Buffer.alloc(0);
  const isOurs = trust.signer.verify(signature, {
    ...{ from: owner.name, fromIncarnation: life, toIncarnation: noteAddress(life), id, time, body },
    contentType: signedType(text, contentType),
  });
  if (!isOurs || !(trust.acceptsUnsigned || trust.isFresh(raw, Date.parse(time)))) return null;
  if (trust.recent.isCopy(signature, raw.offset)) return null;
  // A frontend has made it, so it is as it should be.
  const [kind, device, what, more]: [Note['kind'], string, string, string & number] = JSON.parse(text);
  const where = { offset: raw.offset, acceptedAt: raw.timestamp, device: device === '' ? undefined : device };
  if (kind === 'read') return { ...where, note: { kind, conversation: what, upTo: more } };
  const [messageId, toIncarnation] = [uuidBytes(id), uuidBytes(more)];
  if (messageId === null || toIncarnation === null) return null;
  return { ...where, note: { kind, id: messageId, to: what, toIncarnation, body, contentType } };
}

/** Whether a record's headers say that it is a note, which may not be true. */
export function isNote(headers: Buffer): boolean {
  return noteIn(headers) !== '';
}

function noteIn(headers: Buffer): string {
  let text = '';
  eachHeader(headers, (nameAt, nameEnd, valueAt, valueEnd) => {
    if (valueEnd - valueAt > MAX_NOTE_BYTES || headers.toString('utf8', nameAt, nameEnd) !== HEADER) return;
    text = headers.toString('utf8', valueAt, valueEnd);
  });
  return text;
}

function textOf(note: Note, device: string): string {
  return JSON.stringify(
    note.kind === 'sent'
      ? [note.kind, device, note.to, uuidText(note.toIncarnation)]
      : [note.kind, device, note.conversation, note.upTo],
  );
}

function signedType(note: string, contentType: string): string {
  return `${note}\n${contentType}`;
}

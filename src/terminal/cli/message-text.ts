import { hex, type Message } from '../../client/index.ts';
import { isoTime, jsonLine, sanitiseLine, sanitiseName, sanitiseText } from '../sanitise.ts';

/** A message as lines for people, or as one of JSON; each with its end. */
export function messageText(message: Message, account: string, inbox: string, json: boolean): string {
  return `${json ? messageJson(message, account, inbox) : messageLines(message)}\n`;
}

/** `2026-01-31T12:00:00.000Z #ops maria: first line`, without the room where there is none, further lines indented: none of them can pass for another message. */
function messageLines(message: Message): string {
  const external = message.verified ? '' : message.external;
  const name = external === '' ? '(no name)' : sanitiseName(external);
  const who = message.verified ? message.from : `ext ${name}`;
  const where = message.room === undefined ? '' : `${message.room} `;
  const head = `${isoTime(message.sentAt) ?? '-'} ${where}${who}${placeIn(message)}: `;
  return textLines(head, message.body) + noteOf(message);
}

/** `/3/1042`: partition and offset, behind the topic that a room shows. */
function placeIn(message: Message): string {
  if (message.verified || message.partition === undefined) return '';
  return `/${message.partition}/${message.offset}`;
}

/** Why a record is shown as it is. */
function noteOf(message: Message): string {
  return message.verified || message.note === undefined ? '' : `  (${sanitiseLine(message.note)})`;
}

/** A text behind its head. */
export function textLines(head: string, body: string): string {
  return `${head}${sanitiseText(body).replaceAll('\n', '\n    ')}`;
}

function messageJson(message: Message, account: string, inbox: string): string {
  const { verified, seq, sentAt, body, contentType } = message;
  return jsonLine({
    type: 'message',
    to: account,
    room: message.room ?? null,
    from: verified ? message.from : null,
    external: verified ? null : message.external,
    id: message.id === undefined ? null : hex(message.id),
    inbox,
    seq,
    at: isoTime(sentAt),
    contentType: contentType ?? null,
    body,
    ...recordIn(message),
  });
}

/** Of a room that shows a topic: where the record lies there. */
function recordIn(message: Message): { readonly [name: string]: string | number | null } {
  if (message.verified || message.partition === undefined) return {};
  const { partition, offset = null, note = null } = message;
  return { partition, offset, note };
}

import { type InboxMessage, PLAIN_TEXT } from '../../core/inboxes.ts';
import type { InboxNote } from '../../core/notes.ts';
import type { Life } from '../../core/rooms.ts';
import { isRoom, isUsername } from '../../protocol/names.ts';
import { bodyText } from '../../protocol/text.ts';
import { v2 } from '../../protocol/v2/codec.ts';
import {
  deliveredFrame,
  externalMessageFrame,
  sentFrame,
  userMessageFrame,
} from '../../protocol/v2/hot-frames.ts';
import { fitMessages } from '../../protocol/v2/pages.ts';
import { failureFrame, goodbyeFrame, type Message, type ServerFrame } from '../../protocol/v2/replies.ts';
import { MAX_BODY_BYTES } from '../../protocol/v2/requests.ts';
import { PACKAGE_VERSION } from '../../util/package-version.ts';
import type { Result } from '../commands/command.ts';
import type { Held, LoginResult } from '../commands/entry.ts';
import type { SendResult } from '../commands/send.ts';
import { encodeReceipt } from '../receipts/receipt.ts';
import type { Version } from './version.ts';

/** Versions of the protocol, and what a server of this one can do beyond the plain requests. */
const SPOKEN = [1, 2];
const FEATURES = ['block', 'deliver-none', 'receipts', 'resume', 'resume-asks', 'takeover'];

/** Version 2: passwords, messages with ids, and a message counts as delivered when the client has said so. */
export const version2: Version = {
  number: v2.version,
  decodeRequest(frame) {
    const request = v2.decodeRequest(frame);
    if (request.type !== 'send') return request;
    const { id, to, body, contentType = PLAIN_TEXT } = request;
    return { type: 'send', id, to, body: Buffer.from(body), contentType };
  },
  encodeResult: (result) =>
    result.type === 'sent' ? encodeSent(result) : v2.encodeServerFrame(resultFrame(result)),
  encodeFailure: failureFrame,
  encodeFarewell: goodbyeFrame,
  encodeMessage: (message) => shown(message, userMessageFrame, externalMessageFrame),
  encodeNote: (note) => v2.encodeServerFrame(noteFrame(note)),
  encodeRoomMessage: roomMessage,
  encodeGap: (room, messages) => v2.encodeServerFrame({ type: 'gap', room, messages }),
  encodeNotice: (room, { from, ...notice }) =>
    v2.encodeServerFrame({ type: 'notice', room, ...notice, ...from }),
  encodeDelivered: deliveredFrame,
  fitRetrieved: (messages) => fitMessages(messages.map(messageOf)),
  ping: v2.encodeServerFrame({ type: 'ping' }),
  deliveredBy: 'client',
  resumes: true,
};

/** Of messages in rooms: who is given the same message is given the same bytes. */
const roomFrames = new WeakMap<InboxMessage, Buffer>();

function roomMessage(message: InboxMessage, { name, incarnation }: Life): Buffer {
  const known = roomFrames.get(message);
  if (known !== undefined) return known;
  const said = { ...message, room: name, roomIncarnation: incarnation };
  const frame = shown(said, userMessageFrame, externalMessageFrame);
  roomFrames.set(message, frame);
  return frame;
}

function encodeSent({ id, from, to, accepted, recipientLoggedIn }: SendResult): Buffer {
  const receipt = isRoom(to.name) ? NO_RECEIPT : encodeReceipt(from.incarnation, to, accepted);
  return sentFrame(id, receipt, accepted.acceptedAt, recipientLoggedIn);
}

/** Nobody alone receives what is said in a room. */
const NO_RECEIPT = Buffer.of(0);

function resultFrame(result: Exclude<Result, SendResult>): ServerFrame {
  switch (result.type) {
    case 'welcome': {
      const { features, limits, time } = result;
      return {
        type: 'welcome',
        server: `milena ${PACKAGE_VERSION}`,
        versions: SPOKEN,
        features: [...FEATURES, ...features].sort(),
        limits: { ...limits, bodyBytes: MAX_BODY_BYTES },
        time,
      };
    }
    case 'created':
    case 'logged-in':
      return { type: result.type, ...sessionOf(result) };
    case 'retrieved':
      return { type: 'retrieved', messages: result.messages.map(messageOf), more: result.more };
    default:
      return result;
  }
}

function sessionOf(entered: LoginResult) {
  const { account, held, limits } = entered;
  return {
    username: account.name,
    incarnation: account.incarnation,
    ...(held !== null && heldOf(held)),
    limits,
  };
}

function heldOf({ inbox, token, tokenExpiresAt, undelivered }: Held) {
  const { again, gone } = inbox.surprise;
  return {
    inbox: inbox.id,
    ...(inbox.device !== undefined && { device: inbox.device }),
    token,
    tokenExpiresAt,
    undelivered,
    ...(again > 0 && { again }),
    ...(gone > 0 && { gone }),
  };
}

function noteFrame({ offset: seq, acceptedAt: sentAt, device, note }: InboxNote): ServerFrame {
  const from = device !== undefined && { device };
  if (note.kind === 'read') {
    const { conversation, upTo } = note;
    return { type: 'read-elsewhere', seq, conversation, upTo, ...from };
  }
  const { id, to, toIncarnation, body, contentType } = note;
  const content = { seq, id, to, toIncarnation, body: bodyText(body), sentAt, contentType };
  return { type: 'sent-elsewhere', ...content, ...from };
}

/** A message of a page of `retrieved`. */
function messageOf(message: InboxMessage): Message {
  return shown<Message, InboxMessage>(message, userMessage, externalMessage);
}

function userMessage(
  message: InboxMessage,
  id: Uint8Array,
  from: string,
  fromIncarnation: Uint8Array,
): Message {
  return { ...contentOf(message), verified: true, id, from, fromIncarnation };
}

function externalMessage(message: InboxMessage, id: Uint8Array | null, external: string): Message {
  return { ...contentOf(message), verified: false, external, ...(id !== null && { id }) };
}

function contentOf({ offset, body, acceptedAt, contentType }: InboxMessage) {
  const content = { seq: offset, body: bodyText(body), sentAt: acceptedAt };
  return contentType === null ? content : { ...content, contentType };
}

/** Only who could be a user, with an id as we make them, is shown as one. */
function shown<Form, Shown extends InboxMessage>(
  message: Shown,
  asUser: (message: Shown, id: Uint8Array, from: string, fromIncarnation: Uint8Array) => Form,
  asExternal: (message: Shown, id: Uint8Array | null, external: string) => Form,
): Form {
  const { id, from } = message;
  if (from.kind === 'user' && id !== null && isUsername(from.name))
    return asUser(message, id, from.name, from.incarnation);
  return asExternal(message, id, from.name);
}

import type { InboxMessage } from '../kafka/inboxes.ts';
import { isUsername } from '../protocol/names.ts';
import { v2 } from '../protocol/v2/codec.ts';
import { fitMessages } from '../protocol/v2/pages.ts';
import { failureFrame, goodbyeFrame, type Message, type ServerFrame } from '../protocol/v2/replies.ts';
import { MAX_BODY_BYTES, MAX_PAGE } from '../protocol/v2/requests.ts';
import type { OffsetRange } from './delivery.ts';
import { encodeReceipt } from './receipt.ts';
import type { AckRequest, Entered, LoginRequest, Proof, Request, Result } from './requests.ts';
import { uuidBytes, uuidText } from './uuid.ts';
import type { Version } from './versions.ts';

/** Versions of the protocol, and what a server of this one can do beyond the plain requests. */
const SPOKEN = [1, 2];
const FEATURES = ['block', 'receipts', 'resume', 'takeover'];

/** Version 2: passwords, messages with ids, and a message counts as delivered when the client has said so. */
export const version2: Version = {
  number: v2.version,
  decodeRequest: (frame) => neutral(v2.decodeRequest(frame)),
  encodeResult: (result) => v2.encodeServerFrame(resultFrame(result)),
  encodeFailure: (error, answered = {}) =>
    failureFrame(error, {
      request: answered.opcode,
      id: answered.id === undefined ? undefined : (uuidBytes(answered.id) ?? undefined),
    }),
  encodeFarewell: goodbyeFrame,
  encodeMessage: (message) => v2.encodeServerFrame({ type: 'message', ...messageOf(message) }),
  encodeFates: (delivered, undeliverable) =>
    v2.encodeServerFrame({
      type: 'delivered',
      ids: delivered.map(demandBytes),
      ...(undeliverable.length > 0 && { undeliverable: undeliverable.map(demandBytes) }),
    }),
  fitRetrieved: (messages) => fitMessages(messages.map(messageOf)),
  ping: v2.encodeServerFrame({ type: 'ping' }),
  deliveredBy: 'client',
  resumes: true,
  newcomers: 'all',
};

function neutral(request: ReturnType<typeof v2.decodeRequest>): Request {
  switch (request.type) {
    case 'hello':
      return { type: 'hello', client: request.client };
    case 'create': {
      const { username, password = null, displayName = null } = request;
      return { type: 'create', name: username, password, displayName };
    }
    case 'login':
      return loginOf(request);
    case 'delete':
      return { type: 'delete', password: request.password ?? null, force: request.force ?? false };
    case 'list': {
      const { pattern = '', after = null, limit = MAX_PAGE } = request;
      return { type: 'list', pattern, after, limit };
    }
    case 'retrieve':
      return { type: 'retrieve', limit: request.limit ?? MAX_PAGE };
    case 'send': {
      const { id, to, body, contentType = null } = request;
      return { type: 'send', id: uuidText(id), to, body, contentType };
    }
    case 'ack':
      return ackOf(request);
    case 'status':
      return { type: 'status', names: request.names };
    case 'password':
      return { type: 'password', old: request.old ?? null, new: request.new };
    case 'receipts':
      return { type: 'receipts', receipts: request.receipts };
    case 'block': {
      const { name, blocked } = request;
      const change = name === undefined || blocked === undefined ? null : { name, blocked };
      return { type: 'block', change };
    }
    case 'logout':
    case 'ping':
      return { type: request.type };
  }
}

function loginOf(
  request: Extract<ReturnType<typeof v2.decodeRequest>, { readonly type: 'login' }>,
): LoginRequest {
  const { username, password, token, takeover = false, deliver = 'all' } = request;
  let proof: Proof = { kind: 'none' };
  if (password !== undefined) proof = { kind: 'password', password };
  if (token !== undefined) proof = { kind: 'token', token };
  return { type: 'login', name: username, proof, takeover, deliver };
}

function ackOf(request: Extract<ReturnType<typeof v2.decodeRequest>, { readonly type: 'ack' }>): AckRequest {
  const ranges: OffsetRange[] = (request.ranges ?? []).map(([first, last]) => ({ first, last }));
  if (request.upTo !== undefined) ranges.push({ first: 0, last: request.upTo });
  return { type: 'ack', ranges };
}

function resultFrame(result: Result): ServerFrame {
  switch (result.type) {
    case 'welcome': {
      const { limits, time } = result;
      return {
        type: 'welcome',
        server: 'milena',
        versions: SPOKEN,
        features: FEATURES,
        limits: { ...limits, bodyBytes: MAX_BODY_BYTES },
        time,
      };
    }
    case 'created':
    case 'logged-in':
      return { type: result.type, ...sessionOf(result) };
    case 'retrieved':
      return { type: 'retrieved', messages: result.messages.map(messageOf), more: result.more };
    case 'sent': {
      const { id, from, to, accepted, recipientLoggedIn } = result;
      const receipt = encodeReceipt(from.incarnation, { ...to, offset: accepted.offset });
      return {
        type: 'sent',
        id: demandBytes(id),
        acceptedAt: accepted.acceptedAt,
        receipt,
        recipientLoggedIn,
      };
    }
    default:
      return result;
  }
}

function sessionOf(entered: Entered) {
  const { account, token, tokenExpiresAt, undelivered, limits } = entered;
  return {
    username: account.name,
    incarnation: demandBytes(account.incarnation),
    inbox: demandBytes(account.topicId),
    token,
    tokenExpiresAt,
    undelivered,
    limits,
  };
}

/** Only who could be a user, with ids as we make them, is shown as one. */
function messageOf(message: InboxMessage): Message {
  const { offset, from, body, acceptedAt } = message;
  const id = message.id === null ? null : uuidBytes(message.id);
  const content = {
    seq: offset,
    body,
    sentAt: acceptedAt,
    ...(message.contentType !== null && { contentType: message.contentType }),
  };
  if (from.kind === 'user' && id !== null && isUsername(from.name)) {
    const fromIncarnation = uuidBytes(from.incarnation);
    if (fromIncarnation !== null) {
      return { ...content, verified: true, id, from: from.name, fromIncarnation };
    }
  }
  return { ...content, verified: false, external: from.name, ...(id !== null && { id }) };
}

/** @throws Error for an id that none of our frontends has made */
function demandBytes(uuid: string): Buffer {
  const bytes = uuidBytes(uuid);
  if (bytes === null) throw new Error(`${uuid} is no UUID`);
  return bytes;
}

import { randomUUID } from 'node:crypto';
import type { InboxMessage, Sender } from '../kafka/inboxes.ts';
import { externalSender, isUsername } from '../protocol/names.ts';
import { v1 } from '../protocol/v1/codec.ts';
import { type Entry, fitEntries } from '../protocol/v1/entries.ts';
import { failureFrame, type ServerFrame } from '../protocol/v1/replies.ts';
import type { Request, Result } from './requests.ts';
import type { Version } from './versions.ts';

/**
 * Version 1: what waits in the inbox is for `retrieve`, what arrives while logged in is pushed. There are no
 * acknowledgements, so *delivered* is the best there is: the network took the bytes.
 */
export const version1: Version = {
  number: v1.version,
  decodeRequest: (frame) => neutral(v1.decodeRequest(frame)),
  encodeFailure: (error) => failureFrame(error),
  encodeFarewell: (error) => failureFrame(error),
  encodeResult(result) {
    const frame = resultFrame(result);
    return frame === null ? null : v1.encodeServerFrame(frame);
  },
  encodeMessage: (message) =>
    v1.encodeServerFrame({ type: 'message', sender: senderText(message.from), body: message.body }),
  encodeFates: () => null,
  fitRetrieved: (messages) => fitEntries(messages.map(entry)),
  ping: null,
  deliveredBy: 'network',
  resumes: false,
  newcomers: 'live',
};

function neutral(request: ReturnType<typeof v1.decodeRequest>): Request {
  switch (request.type) {
    case 'create':
      return { ...request, password: null, displayName: null, invite: null };
    case 'login':
      return { ...request, proof: { kind: 'none' }, takeover: false, deliver: 'live' };
    case 'delete':
      return { ...request, password: null, force: false };
    case 'list':
      return { ...request, after: null, limit: null };
    case 'retrieve':
      return { ...request, limit: null };
    case 'send':
      return { ...request, id: randomUUID(), contentType: null };
    case 'logout':
      return request;
  }
}

function resultFrame(result: Result): ServerFrame | null {
  switch (result.type) {
    case 'created':
    case 'logged-in':
      return { type: result.type, token: Buffer.from(result.token).toString('base64url') };
    case 'listed':
      return { type: 'listed', names: result.names };
    case 'retrieved':
      return { type: 'retrieved', entries: result.messages.map(entry) };
    case 'sent':
      return {
        type: 'sent',
        text: result.recipientLoggedIn ? `delivered to ${result.to.name}` : `queued for ${result.to.name}`,
      };
    case 'logged-out':
    case 'deleted':
      return null;
    default:
      throw new Error(`version 1 has no ${result.type}`);
  }
}

function entry(message: InboxMessage): Entry {
  return { sender: senderText(message.from), body: message.body };
}

/** Only a name that could be an account's is shown bare; any other producer's stands in brackets. */
function senderText(from: Sender): string {
  return from.kind === 'user' && isUsername(from.name) ? from.name : externalSender(from.name);
}

import { type InboxMessage, PLAIN_TEXT, type Sender } from '../../core/inboxes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { externalSender, isUsername } from '../../protocol/names.ts';
import { bodyText } from '../../protocol/text.ts';
import { v1 } from '../../protocol/v1/codec.ts';
import { fitEntries, type RetrievedEntry } from '../../protocol/v1/entries.ts';
import { failureFrame, type ServerFrame } from '../../protocol/v1/replies.ts';
import { newUuid } from '../../util/uuid.ts';
import type { AnyRequest, Result } from '../commands/command.ts';
import type { LoginResult } from '../commands/entry.ts';
import type { Version } from './version.ts';

/**
 * Version 1: what waits in the inbox is for `retrieve`, what arrives while logged in is pushed. There are no
 * acknowledgements, so *delivered* is the best there is: the network took the bytes.
 */
export const version1: Version = {
  number: v1.version,
  decodeRequest: (frame) => modern(v1.decodeRequest(frame)),
  encodeFailure: (error) => failureFrame(inOldWords(error)),
  encodeFarewell: (error) => failureFrame(inOldWords(error, LOGIN_ENDED)),
  encodeResult(result) {
    const frame = resultFrame(result);
    return frame === null ? null : v1.encodeServerFrame(frame);
  },
  encodeMessage: (message) => v1.encodeServerFrame({ type: 'message', ...entry(message) }),
  encodeRoomMessage: () => null,
  encodeGap: () => null,
  encodeNotice: () => null,
  encodeDelivered: () => null,
  fitRetrieved: (messages) => fitEntries(messages.map(entry)),
  ping: null,
  encodeNote: () => {
    throw new Error('clients of version 1 know no devices');
  },
  deliveredBy: 'network',
  resumes: false,
};

const LOGIN_ENDED =
  'Your login has ended: the account was logged in to elsewhere, or the server lost touch with its inbox.';

/** Version 1 has one sentence for a login that lost its inbox, however that came. */
function inOldWords(error: ProtocolError, text?: string): ProtocolError {
  const isLost = error.code === 'INBOX_LOST' || (error.code === 'REPLACED' && text !== undefined);
  return isLost ? new ProtocolError('REPLACED', text) : error;
}

/** What a request of version 1 is in the newest one. */
function modern(request: ReturnType<typeof v1.decodeRequest>): AnyRequest {
  switch (request.type) {
    case 'create':
      return { type: 'create', username: request.name, deliver: 'live' };
    case 'login':
      return { type: 'login', username: request.name, takeover: false, deliver: 'live' };
    case 'list':
    case 'retrieve':
      // As many as fit into one reply.
      return { ...request, limit: Number.POSITIVE_INFINITY };
    case 'send':
      return { ...request, id: newUuid(), body: Buffer.from(request.body), contentType: PLAIN_TEXT };
    default:
      return request;
  }
}

function resultFrame(result: Result): ServerFrame | null {
  switch (result.type) {
    case 'created':
    case 'logged-in':
      return { type: result.type, token: tokenText(result) };
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

/** Version 1 has no logins that only send. */
function tokenText({ held }: LoginResult): string {
  if (held === null) throw new Error('a login of version 1 without an inbox');
  return Buffer.from(held.token).toString('base64url');
}

function entry(message: InboxMessage): RetrievedEntry {
  return { sender: senderText(message.from), body: bodyText(message.body) };
}

/** Only a name that could be an account's is shown bare; any other producer's stands in brackets. */
function senderText(from: Sender): string {
  return from.kind === 'user' && isUsername(from.name) ? from.name : externalSender(from.name);
}

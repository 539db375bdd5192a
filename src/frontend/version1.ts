import type { InboxMessage, Sender } from '../kafka/inboxes.ts';
import { externalSender, isUsername } from '../protocol/names.ts';
import { v1 } from '../protocol/v1/codec.ts';
import { type Entry, fitEntries } from '../protocol/v1/entries.ts';
import { failureFrame, type ServerFrame } from '../protocol/v1/replies.ts';
import type { Result } from './requests.ts';
import type { Version } from './versions.ts';

/**
 * Version 1: what waits in the inbox is for `retrieve`, what arrives while logged in is pushed. There are no
 * acknowledgements, so *delivered* is the best there is: the network took the bytes.
 */
export const version1: Version = {
  number: v1.version,
  decodeRequest: v1.decodeRequest,
  encodeFailure: failureFrame,
  encodeResult(result) {
    const frame = resultFrame(result);
    return frame === null ? null : v1.encodeServerFrame(frame);
  },
  encodeMessage: (message) =>
    v1.encodeServerFrame({ type: 'message', sender: senderText(message.from), body: message.body }),
  fitRetrieved: (messages) => fitEntries(messages.map(entry)),
  deliver: 'live',
};

function resultFrame(result: Result): ServerFrame | null {
  switch (result.type) {
    case 'created':
    case 'logged-in':
      return { type: result.type, token: result.token };
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
  }
}

function entry(message: InboxMessage): Entry {
  return { sender: senderText(message.from), body: message.body };
}

/** Only a name that could be an account's is shown bare; any other producer's stands in brackets. */
function senderText(from: Sender): string {
  return from.kind === 'user' && isUsername(from.name) ? from.name : externalSender(from.name);
}

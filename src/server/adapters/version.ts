import type { InboxMessage } from '../../core/inboxes.ts';
import type { InboxNote } from '../../core/notes.ts';
import type { Life } from '../../core/rooms.ts';
import type { WindowNotice } from '../../core/windows.ts';
import type { ProtocolError } from '../../protocol/errors.ts';
import type { Frame } from '../../protocol/frame.ts';
import type { FailedRequest } from '../../protocol/v2/replies.ts';
import type { AnyRequest, Result } from '../commands/command.ts';

/** A version of the protocol as the frontend needs it: a codec and a policy. The handlers know neither. */
export interface Version {
  readonly number: number;

  /** @throws ProtocolError */
  decodeRequest(frame: Frame): AnyRequest;
  /** Null where a success has no reply in this version. */
  encodeResult(result: Result): Buffer | null;
  encodeFailure(error: ProtocolError, request?: FailedRequest): Buffer;
  /** The last words before the server closes. */
  encodeFarewell(error: ProtocolError): Buffer;
  /** The push of a message. */
  encodeMessage(message: InboxMessage): Buffer;
  /** The push of what another device has left. @throws Error where clients of this version get none */
  encodeNote(note: InboxNote): Buffer;
  /** The same of a message in a room, as the same bytes for all who get it; null where a version has no rooms. */
  encodeRoomMessage(message: InboxMessage, room: Life): Buffer | null;
  /** The push of how many messages of a room expired before they were received; null likewise. */
  encodeGap(room: string, messages: number): Buffer | null;
  /** The push of what is to be said of a window; null likewise. */
  encodeNotice(room: string, notice: WindowNotice): Buffer | null;
  /** The push of what became of sent messages, by their ids; null where a version doesn't tell. */
  encodeDelivered(delivered: readonly Uint8Array[], undeliverable: readonly Uint8Array[]): Buffer | null;
  /** How many messages from the front fit into one retrieve reply; at least one if there is any. */
  fitRetrieved(messages: readonly InboxMessage[]): number;

  /** Asks the client for a sign of life; null where a client would not answer. */
  readonly ping: Buffer | null;
  /** What makes a message delivered: the client's word, or, for want of one, that the network took it. */
  readonly deliveredBy: 'client' | 'network';
  /** Whether a login gets a token to come back with, and hears how many messages wait. */
  readonly resumes: boolean;
}

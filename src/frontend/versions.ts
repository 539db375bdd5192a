import type { InboxMessage, OpenOptions } from '../kafka/inboxes.ts';
import type { ProtocolError } from '../protocol/errors.ts';
import type { Frame } from '../protocol/frame.ts';
import type { Request, Result } from './requests.ts';
import { version1 } from './version1.ts';

/** A version of the protocol as the frontend needs it: a codec and a policy. The handlers know neither. */
export interface Version {
  readonly number: number;

  /** @throws ProtocolError */
  decodeRequest(frame: Frame): Request;
  /** Null where a success has no reply in this version. */
  encodeResult(result: Result): Buffer | null;
  encodeFailure(error: ProtocolError): Buffer;
  /** The push of a live message. */
  encodeMessage(message: InboxMessage): Buffer;
  /** How many messages from the front fit into one retrieve reply; at least one if there is any. */
  fitRetrieved(messages: readonly InboxMessage[]): number;

  /** Which messages are pushed after a login. */
  readonly deliver: OpenOptions['deliver'];
}

/** By the first byte of a frame. */
export const VERSIONS: ReadonlyMap<number, Version> = new Map([[version1.number, version1]]);

/** What somebody gets an answer in whose version is not known (yet). */
export const FALLBACK_VERSION: Version = version1;

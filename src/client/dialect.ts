import type { Codec } from '../protocol/codec.ts';
import type { Refusal } from './errors.ts';

/** Requests and frames are told apart by their `type`. */
export interface Typed {
  readonly type: string;
}

/** What a connection has to know of a version besides its codec. */
export interface Dialect<Request extends Typed, ServerFrame extends Typed> {
  readonly codec: Codec<Request, ServerFrame>;
  /** The success reply of each request; null where there is none. */
  readonly replies: Readonly<Record<Request['type'], ServerFrame['type'] | null>>;
  /** A request that anybody may make at any time, to find out whether the other end speaks this version. */
  readonly greeting: Request;
  /** Replies after which the server takes larger requests. */
  readonly beginsSession: (reply: ServerFrame) => boolean;
  /** Whether a frame takes the turn of the oldest unanswered request (undefined: there is none). */
  readonly answers: (frame: ServerFrame, oldest: Request | undefined) => boolean;
  /** Whether the server may let the request wait for minutes, so that no answer is no sign that it is dead. */
  readonly mayWait: (request: Request) => boolean;
  /** What is wrong with a reply of the right type: it answers another request than this one; undefined if nothing is. */
  readonly contradiction: (request: Request, reply: ServerFrame) => string | undefined;
  /** The server's sentence, if the frame is a failure. */
  readonly failure: (frame: ServerFrame) => { readonly text: string; readonly refusal?: Refusal } | undefined;
}

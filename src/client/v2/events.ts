import type { ProtocolErrorCode } from '../../protocol/errors.ts';
import type { Message, ServerFrame } from '../../protocol/v2/replies.ts';
import type { Request } from '../../protocol/v2/requests.ts';
import type { BackoffLimits } from '../../util/backoff.ts';
import { type ClientOptions, type ClientState, DEFAULT_OPTIONS } from '../state.ts';
import type { LoginStore } from './identity.ts';
import type { Memory } from './memory.ts';
import type { Entry } from './outbox.ts';

/** What the client has to tell. Texts and names are as they came: not safe for a terminal. */
export type ClientEvent =
  | { readonly type: 'state'; readonly state: ClientState }
  /** A message, once. Whoever has shown it says so with `Client.shown`. */
  | { readonly type: 'message'; readonly message: Message; readonly inbox: string }
  /**
   * The person's message was taken. Whoever keeps messages keeps it before this returns: it goes out next, once
   * `Memory.commit` has returned.
   */
  | { readonly type: 'entered'; readonly entry: Entry }
  /**
   * A sent message is in another state, or its receipt is of no use any more; `acceptedAt`: it was stored then, by the
   * server's clock.
   */
  | { readonly type: 'outgoing'; readonly entry: Entry; readonly acceptedAt?: number }
  /** What the server's clock shows just now. */
  | { readonly type: 'server-time'; readonly time: number }
  /** The server has no room for messages just now; they are tried again by themselves. */
  | { readonly type: 'held'; readonly reason: string; readonly retryInMs: number }
  /** A message had no answer in time; it stays in the outbox. */
  | { readonly type: 'unheard'; readonly entry: Entry; readonly reason: string }
  /** A connection stands; `again` after an earlier one was lost. */
  | { readonly type: 'connected'; readonly again: boolean }
  /** The connection ended, or none could be made; the next attempt follows, at once (0) if there is another server. */
  | { readonly type: 'disconnected'; readonly reason: string; readonly retryInMs: number }
  /** Somebody else is logged in to the account now; the client does not fight for it. */
  | { readonly type: 'replaced'; readonly name: string; readonly reason: string }
  /** The person is logged in, before the first message comes; `isNew`: the account was made. */
  | {
      readonly type: 'logged-in';
      readonly name: string;
      readonly undelivered: number;
      readonly isNew: boolean;
    }
  /** Logged in again by the token after a reconnect. */
  | { readonly type: 'login-restored'; readonly name: string }
  | {
      readonly type: 'login-not-restored';
      readonly name: string;
      readonly reason: string;
      /** What the server refused it with; null: there was no answer, or it was not tried. */
      readonly code: ProtocolErrorCode | null;
      /** False where the server is too old for it. */
      readonly isTried: boolean;
      readonly retryInMs: number | null;
    }
  /** The answer to a person's request that its caller was told had timed out. */
  | { readonly type: 'late-reply'; readonly request: Request; readonly reply: ServerFrame }
  | { readonly type: 'server-text'; readonly text: string };

export interface Client2Options extends ClientOptions {
  /** How long acknowledgements are gathered. */
  readonly ackDelayMs: number;
  /** How often is asked what became of messages that an earlier connection has sent. */
  readonly fates: BackoffLimits;
  /** Between tries of messages that the server has no room for, where it does not say. */
  readonly held: BackoffLimits;
  /** The server's silence is never taken for its death sooner than this. */
  readonly minHeartbeatMs: number;
  /** What outlives the process; without it everything ends with the client. */
  readonly memory?: Memory | undefined;
  /** Where logins are kept for later processes. */
  readonly logins?: LoginStore | undefined;
}

export const DEFAULT_OPTIONS_2: Omit<Client2Options, 'servers'> = {
  ...DEFAULT_OPTIONS,
  ackDelayMs: 50,
  fates: { firstMs: 2_000, maxMs: 60_000 },
  held: { firstMs: 1_000, maxMs: 15_000 },
  minHeartbeatMs: 5_000,
};

import type { ProtocolErrorCode } from '../protocol/errors.ts';
import type { Message, ServerFrame } from '../protocol/v2/replies.ts';
import type { Request } from '../protocol/v2/requests.ts';
import type { BackoffLimits } from '../util/backoff.ts';
import type { Refusal } from './errors.ts';
import type { LoginStore } from './identity.ts';
import type { Entry } from './outbox.ts';
import type { Link, ReconnectorOptions, Welcome } from './reconnector.ts';
import type { MessageStore } from './store.ts';

export interface ClientState {
  readonly link: Link;
  /** The account that the server confirmed on this connection. */
  readonly account: string | null;
  /** The account that the client means to be logged in to, and tries to be again after a reconnect. */
  readonly wanted: string | null;
}

/** What the client has to tell. Texts and names are as they came: not safe for a terminal. */
export type ClientEvent =
  | { readonly type: 'state'; readonly state: ClientState }
  /** A message, once, of the inbox or of its `room`. Whoever has shown it says so with `Client.shown`. */
  | {
      readonly type: 'message';
      readonly message: Message;
      readonly inbox: string;
      /** False: it was asked for by `Client.retrieve`. */
      readonly isPushed: boolean;
    }
  /** So many messages of a room were not kept until they were received. */
  | { readonly type: 'gap'; readonly room: string; readonly messages: number }
  /** What is to be said of a room that shows a topic; of records that are not shown how many, and where the first one lies. */
  | {
      readonly type: 'notice';
      readonly room: string;
      readonly text: string;
      readonly records: number | null;
      readonly partition: number | null;
      readonly offset: number | null;
    }
  /**
   * The person's message was taken. Whoever keeps messages keeps it before this returns: it goes out next, once
   * `MessageStore.commit` has returned.
   */
  | { readonly type: 'entered'; readonly entry: Entry }
  /**
   * A sent message is in another state, or its receipt is of no use any more. With the answer that it is stored: when, by
   * the server's clock, and whether somebody was logged in to the recipient's account.
   */
  | {
      readonly type: 'outgoing';
      readonly entry: Entry;
      readonly acceptedAt?: number;
      readonly recipientLoggedIn?: boolean;
    }
  /** What the server's clock shows just now. */
  | { readonly type: 'server-time'; readonly time: number }
  /**
   * The server has no room for a message just now, and none goes out until it is tried again, by itself; `again`: it was
   * told before, and nothing was accepted since.
   */
  | {
      readonly type: 'held';
      readonly id: string;
      readonly reason: string;
      readonly refusal: Refusal;
      readonly retryInMs: number;
      readonly again: boolean;
    }
  /** A message had no answer in time; it stays in the outbox. */
  | { readonly type: 'unheard'; readonly entry: Entry; readonly reason: string }
  /** A connection stands; `again` after an earlier one was lost. */
  | { readonly type: 'connected'; readonly again: boolean; readonly welcome: Welcome }
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
  | { readonly type: 'server-text'; readonly text: string }
  /** Another device of the account has sent a message; it may be told twice, under the same id. */
  | {
      readonly type: 'sent-elsewhere';
      /** In hex, as are ids of one's own messages. */
      readonly id: string;
      readonly to: string;
      readonly toIncarnation: string;
      readonly body: string;
      /** Milliseconds since the epoch. */
      readonly sentAt: number;
      readonly contentType: string | undefined;
      /** Null: the main one. */
      readonly device: string | null;
    }
  /** On another device of the account a conversation was read up to that message of the inbox. */
  | {
      readonly type: 'read-elsewhere';
      readonly conversation: string;
      readonly upTo: number;
      /** Null: the main one. */
      readonly device: string | null;
    };

export interface ClientOptions extends ReconnectorOptions {
  /** Of a device that logs in for the first time: so many of the newest messages, 1,000 at most, whatever others have. */
  readonly last?: number | undefined;
  /** Between tries to log in again: a killed server's hold on the account ends only after some seconds. */
  readonly relogin: BackoffLimits & { readonly tries: number };
  /** How long acknowledgements are gathered. */
  readonly ackDelayMs: number;
  /** How often is asked what became of messages that an earlier connection has sent. */
  readonly fates: BackoffLimits;
  /** Between tries of messages that the server has no room for, where it does not say. */
  readonly held: BackoffLimits;
  /** The server's silence is never taken for its death sooner than this. */
  readonly minHeartbeatMs: number;
  /** What outlives the process; without it everything ends with the client. */
  readonly store?: MessageStore | undefined;
  /** Where logins are kept for later processes. */
  readonly logins?: LoginStore | undefined;
}

export const DEFAULT_OPTIONS = {
  program: 'milena',
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  deadAfterMs: 30_000,
  // The server ends a connection without a login after five minutes: until then its place in the line is worth keeping.
  deadInLineAfterMs: 310_000,
  reconnect: { firstMs: 500, maxMs: 15_000 },
  relogin: { firstMs: 1_000, maxMs: 8_000, tries: 6 },
  stableAfterMs: 5_000,
  ackDelayMs: 50,
  fates: { firstMs: 2_000, maxMs: 60_000 },
  held: { firstMs: 1_000, maxMs: 15_000 },
  minHeartbeatMs: 5_000,
} satisfies Omit<ClientOptions, 'servers'>;

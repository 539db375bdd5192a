import type { Account } from '../../core/accounts.ts';
import type { Accepted, Inbox, InboxMessage, Fate as MessageFate, OpenOptions } from '../../core/inboxes.ts';
import type { OffsetRange } from '../../core/ranges.ts';

/** What a client may ask for, whatever the version of the protocol it asks in. Names are valid and lower-cased. */
export type Request =
  | { readonly type: 'hello'; readonly client: string }
  | CreateRequest
  | LoginRequest
  | { readonly type: 'logout' }
  | DeleteRequest
  | ListRequest
  | RetrieveRequest
  | SendRequest
  | AckRequest
  | StatusRequest
  | PingRequest
  | PasswordRequest
  | ReceiptsRequest
  | BlockRequest;

export interface PingRequest {
  readonly type: 'ping';
}

export interface CreateRequest {
  readonly type: 'create';
  readonly name: string;
  /** Null: an open account. */
  readonly password: string | null;
  readonly displayName: string | null;
  /** As the client gave it. */
  readonly invite: string | null;
  readonly deliver: Deliver;
}

/** What is pushed to a login; `none`: it takes no inbox and only sends. */
export type Deliver = OpenOptions['deliver'] | 'none';

/** How somebody shows that an account is theirs; nothing at all for an open one. */
export type Proof =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly password: string }
  | { readonly kind: 'token'; readonly token: Uint8Array };

export interface LoginRequest {
  readonly type: 'login';
  readonly name: string;
  readonly proof: Proof;
  /** End the login that holds the account now. Null: nobody said; a token does then, since the same client comes back. */
  readonly takeover: boolean | null;
  readonly deliver: Deliver;
}

export interface DeleteRequest {
  readonly type: 'delete';
  readonly password: string | null;
  /** Although there are undelivered messages. */
  readonly force: boolean;
}

export interface ListRequest {
  readonly type: 'list';
  /** `*` and `?` are wildcards; empty = everybody. */
  readonly pattern: string;
  /** Only names greater than this one; null = from the first. */
  readonly after: string | null;
  /** Null: as many as fit into one reply. */
  readonly limit: number | null;
}

export interface RetrieveRequest {
  readonly type: 'retrieve';
  /** Null: as many as fit into one reply. */
  readonly limit: number | null;
}

export interface SendRequest {
  readonly type: 'send';
  /** A UUID; the same for each attempt at the same message. */
  readonly id: string;
  readonly to: string;
  /** Not empty. */
  readonly body: string;
  /** Null: plain text. */
  readonly contentType: string | null;
}

export interface AckRequest {
  readonly type: 'ack';
  /** Offsets, in any order; only what was handed out counts. */
  readonly ranges: readonly OffsetRange[];
}

export interface StatusRequest {
  readonly type: 'status';
  readonly names: readonly string[];
}

export interface PasswordRequest {
  readonly type: 'password';
  /** Null: the account was open. */
  readonly old: string | null;
  readonly new: string;
}

export interface ReceiptsRequest {
  readonly type: 'receipts';
  /** As a client gave them: nothing about them is sure. */
  readonly receipts: readonly Uint8Array[];
}

export interface BlockRequest {
  readonly type: 'block';
  /** Null: only tell who is blocked. */
  readonly change: { readonly name: string; readonly blocked: boolean } | null;
}

/** What came of a request, for a version's codec to put into bytes. An ack has no result. */
export type Result =
  | Welcome
  | Entered
  | { readonly type: 'logged-out' }
  /** `undelivered`: messages that nobody will read any more. */
  | { readonly type: 'deleted'; readonly undelivered: number }
  | { readonly type: 'listed'; readonly names: readonly string[]; readonly more: boolean }
  | { readonly type: 'retrieved'; readonly messages: readonly InboxMessage[]; readonly more: boolean }
  | Sent
  | { readonly type: 'status'; readonly loggedIn: readonly string[] }
  | { readonly type: 'pong'; readonly time: number }
  | ({ readonly type: 'password-changed' } & ResumeToken)
  | { readonly type: 'fates'; readonly fates: readonly Fate[] }
  | { readonly type: 'blocked'; readonly blocked: readonly string[] };

/** What became of a message: `waiting` = accepted and not acknowledged, `unknown` = no receipt of ours. */
export type Fate = MessageFate | 'unknown';

/** For a later login without the password. */
export interface ResumeToken {
  /** 32 random bytes. */
  readonly token: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly tokenExpiresAt: number;
}

export interface Welcome {
  readonly type: 'welcome';
  readonly limits: {
    readonly payloadBytes: number;
    readonly payloadBytesBeforeLogin: number;
    readonly window: number;
    readonly pingAfterMs: number;
    readonly closeAfterMs: number;
  };
  readonly time: number;
}

/** What a login has that holds the inbox. */
export interface Held extends ResumeToken {
  readonly inbox: Inbox;
  readonly undelivered: number;
}

/** The caller is logged in from now on. */
export interface Entered {
  readonly type: 'created' | 'logged-in';
  readonly account: Account;
  /** Null of a login that only sends. */
  readonly held: Held | null;
  readonly limits: {
    readonly window: number;
    readonly messagesPerSecond: number;
    readonly mailboxMessages?: number;
    readonly mailboxBytes?: number;
  };
}

export interface Sent {
  readonly type: 'sent';
  readonly id: string;
  readonly from: Account;
  readonly to: Account;
  readonly accepted: Accepted;
  /** Whether the recipient was logged in anywhere, as far as could be learned in time. */
  readonly recipientLoggedIn: boolean;
}

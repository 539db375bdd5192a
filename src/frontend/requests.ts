import type { Account } from '../kafka/accounts.ts';
import type { Accepted, Inbox, InboxMessage } from '../kafka/inboxes.ts';

/** What a client may ask for, whatever the version of the protocol it asks in. */
export type Request =
  | CreateRequest
  | LoginRequest
  | { readonly type: 'logout' }
  | { readonly type: 'delete' }
  | ListRequest
  | { readonly type: 'retrieve' }
  | SendRequest;

/** Names are valid and lower-cased. */
export interface CreateRequest {
  readonly type: 'create';
  readonly name: string;
}

export interface LoginRequest {
  readonly type: 'login';
  readonly name: string;
}

export interface ListRequest {
  readonly type: 'list';
  /** `*` and `?` are wildcards; empty = everybody. */
  readonly pattern: string;
}

export interface SendRequest {
  readonly type: 'send';
  readonly to: string;
  /** Not empty. */
  readonly body: string;
}

/** What came of a request, for a version's codec to put into bytes. */
export type Result =
  | Entered
  | { readonly type: 'logged-out' }
  | { readonly type: 'deleted' }
  | { readonly type: 'listed'; readonly names: readonly string[] }
  | { readonly type: 'retrieved'; readonly messages: readonly InboxMessage[] }
  | Sent;

/** The caller is logged in from now on and holds the inbox. */
export interface Entered {
  readonly type: 'created' | 'logged-in';
  readonly account: Account;
  readonly inbox: Inbox;
  readonly token: string;
}

export interface Sent {
  readonly type: 'sent';
  readonly to: Account;
  readonly accepted: Accepted;
  /** Whether the recipient was logged in anywhere, as far as could be learned in time. */
  readonly recipientLoggedIn: boolean;
}

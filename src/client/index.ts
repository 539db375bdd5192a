/** The client library: `connect` for programs that are one account, `Client` for those with a person in front. */

export { type Address, parseServers, serverText } from './address.ts';
export { Client, type Proof, type Welcome } from './client.ts';
export { type ConnectOptions, connect } from './connect.ts';
export { ClientError, type ClientErrorCode, type Refusal } from './errors.ts';
export {
  type ClientEvent,
  type ClientOptions,
  type ClientState,
  DEFAULT_OPTIONS,
  type Deliver,
} from './events.ts';
export type { Identity, LoginStore } from './identity.ts';
export { MemoryStore } from './memory-store.ts';
export type { Credentials, Milena } from './milena.ts';
export type { Entry, EntryState } from './outbox.ts';
export type { Presence } from './presence.ts';
export type { ReceivedMessage } from './received.ts';
export type { NamePage } from './requests.ts';
export type { Delivery, SentMessage } from './sent.ts';
export type { TlsSettings } from './socket.ts';
export type { MessageStore, Unsettled } from './store.ts';
export type { Link } from './transport.ts';

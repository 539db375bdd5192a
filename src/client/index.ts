/**
 * The client library. `connect` is for programs that are one account; `Client`, which it is built on, for programs with a
 * person in front, where accounts come and go and each change is an event.
 */
export { type Address, isPort, parseAddress, parseServers, serverText } from './address.ts';
export type { Credentials } from './authenticator.ts';
export { Client, type Proof } from './client.ts';
export { type ConnectOptions, connect } from './connect.ts';
export {
  brief,
  ClientError,
  type ClientErrorCode,
  inSeconds,
  isLost,
  OPEN_OUTCOME,
  type Refusal,
  retryHint,
} from './errors.ts';
export {
  type ClientEvent,
  type ClientOptions,
  type ClientState,
  DEFAULT_OPTIONS,
  type Deliver,
} from './events.ts';
export type { Identity, LoginStore } from './identity.ts';
export { type Inspection, inspectServer } from './inspect.ts';
export { MAX_BODY_BYTES, MAX_PAGE, MAX_RETRIEVED, MAX_STATUS_NAMES } from './limits.ts';
export { MemoryMessageStore } from './memory-message-store.ts';
export type { Milena } from './milena.ts';
export { isUsername, parsePattern, parseUsername } from './names.ts';
export type { Entry, EntryState } from './outbox.ts';
export type { Presence } from './presence.ts';
export type { ReceivedMessage } from './received.ts';
export type { Message, RefusalCode } from './replies.ts';
export type { NamePage } from './requests.ts';
export { type LastServer, noConnection } from './route.ts';
export { hex, messageKey } from './seen.ts';
export type { Delivery, SentMessage } from './sent.ts';
export { isTime, ServerClock } from './server-clock.ts';
export type { TlsSettings } from './socket.ts';
export type { MessageStore, Unsettled } from './store.ts';
export type { Link, Welcome } from './transport.ts';
export { type Abortable, withSignal } from './with-signal.ts';

/**
 * The client library. `connect` is for programs that are one account; `Client`, which it is built on, for programs with a
 * person in front, where accounts come and go and each change is an event.
 */
export {
  type Deliver,
  /** Messages to retrieve at once, of up to `MAX_PAGE`: as many as one acknowledgement can name. */
  MAX_ACK_RANGES as MAX_RETRIEVED,
  /** Of a message's text, in bytes; a server may have a lower limit, which it says when it is connected to. */
  MAX_BODY_BYTES,
  /** Names of a page of a list. */
  MAX_PAGE,
  /** Names whose presence is asked for at once. */
  MAX_STATUS_NAMES,
} from '../protocol/v2/requests.ts';
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
} from './events.ts';
export type { Identity, LoginStore } from './identity.ts';
export { type Inspection, inspectServer } from './inspect.ts';
export type { Milena } from './milena.ts';
export { isRoom, isUsername, parsePattern, parseRecipient, parseRoom, parseUsername } from './names.ts';
export type { Entry, EntryState } from './outbox.ts';
export type { ReceivedMessage } from './received.ts';
export type { Link, Welcome } from './reconnector.ts';
export type { Message, RefusalCode } from './replies.ts';
export type { AccountDevice, NamePage, Presence } from './requests.ts';
export type {
  AccountRoom,
  NewRoomSettings,
  RoomHolders,
  RoomPreview,
  RoomRecord,
  RoomRequests,
  RoomSettings,
} from './rooms.ts';
export { type LastServer, noConnection } from './route.ts';
export { hex, messageKey } from './seen.ts';
export type { Delivery, SentMessage } from './sent.ts';
export { isTime, ServerClock } from './server-clock.ts';
export type { TlsSettings } from './socket.ts';
export type { MessageStore, Unsettled } from './store.ts';
export { MemoryMessageStore } from './store.ts';
export { type Abortable, withSignal } from './with-signal.ts';

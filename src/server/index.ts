/** The server: what is public of it, and what somebody needs who writes a storage. */
export { type Config, readConfig } from '../config/config.ts';
export { ConfigError } from '../config/setting-table.ts';
export {
  type Account,
  type AccountChange,
  type Accounts,
  type InSteps,
  inboxLifeOf,
  isSameLife,
  type ListOptions,
  type NewAccount,
} from '../core/accounts.ts';
export { UNKNOWN_EPOCH } from '../core/epochs.ts';
export { EngineError, type EngineErrorCode } from '../core/errors.ts';
export {
  type Accepted,
  type Fate,
  type Inbox,
  type Inboxes,
  type InboxMessage,
  type LossReason,
  type OpenOptions,
  type OutgoingMessage,
  PLAIN_TEXT,
  RECEIPT_TIME,
  type Receipt,
  type Sender,
  type Surprise,
} from '../core/inboxes.ts';
export type { Invite } from '../core/invite.ts';
export type { ResumeTokens, Storage, StoredToken } from '../core/storage.ts';
export type { Remote } from './identity/address.ts';
export type { Limits } from './limits.ts';
export type { Transport, TransportListener } from './net/transport.ts';
export { type Server, type ServerConfig, type ServerOptions, startServer } from './server.ts';

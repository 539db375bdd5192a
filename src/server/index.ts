/** The server: what is public of it, and what somebody needs who writes a storage. */
export { type Config, ConfigError, readConfig } from '../config/config.ts';
export type { Account, AccountChange, Accounts, InSteps, ListOptions, NewAccount } from '../core/accounts.ts';
export { EngineError, type EngineErrorCode } from '../core/errors.ts';
export type {
  Accepted,
  Fate,
  Inbox,
  Inboxes,
  InboxMessage,
  LossReason,
  OpenOptions,
  OutgoingMessage,
  Receipt,
  Sender,
  Surprise,
} from '../core/inboxes.ts';
export type { ResumeTokens, StoredToken } from '../core/resume-tokens.ts';
export type { Storage } from '../core/storage.ts';
export type { Limits } from './limits.ts';
export type { Transport, TransportListener } from './net/transport.ts';
export { type Server, type ServerConfig, type ServerOptions, startServer } from './server.ts';

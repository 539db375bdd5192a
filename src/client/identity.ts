import type { ProtocolErrorCode } from '../protocol/errors.ts';
import type { ServerFrameOf } from '../protocol/v2/replies.ts';
import type { Request } from '../protocol/v2/requests.ts';
import { hex } from './seen.ts';

/** Who the client is. It ends with the process, unless somebody keeps it: see `LoginStore`. */
export interface Identity {
  readonly name: string;
  /** Of this life of the account, in hex: a name that was deleted and made again is somebody else. */
  readonly incarnation: string;
  /** The inbox's id, in hex; empty for a login that only sends. */
  readonly inbox: string;
  /** For a login without the password; null once it is of no use. */
  readonly token: Uint8Array | null;
  /** Whether the account has no password. */
  readonly isOpen: boolean;
}

/** Where logins are kept for later processes. */
export interface LoginStore {
  /** There is another token. @param expiresAt milliseconds since the epoch */
  keep(identity: Identity, expiresAt: number): void;
  /** @param token only if it is the one that is kept: another program may have kept a newer one */
  forget(name: string, token?: Uint8Array | null): void;
}

/** The identity that a successful create or login gives. */
export function identityFrom(
  request: Request,
  reply: ServerFrameOf<'created' | 'logged-in'>,
  before: Identity | null,
): Identity {
  const incarnation = hex(reply.incarnation);
  const byToken = request.type === 'login' && request.token !== undefined;
  const byPassword =
    (request.type === 'login' || request.type === 'create') && request.password !== undefined;
  const wasOpen = before?.incarnation === incarnation && before.isOpen;
  return {
    name: reply.username,
    incarnation,
    inbox: reply.inbox === undefined ? '' : hex(reply.inbox),
    token: reply.token ?? null,
    isOpen: byToken ? wasOpen : !byPassword,
  };
}

/** Refusals of a login by token after which another try may succeed, since they say nothing about the token. */
const PASSING: ReadonlySet<ProtocolErrorCode> = new Set([
  'ALREADY_LOGGED_IN',
  'BUSY',
  'INBOX_LOST',
  'INTERNAL',
  'RATE_LIMITED',
  'SHUTTING_DOWN',
  'UNAVAILABLE',
]);

export function isTransient(code: ProtocolErrorCode | undefined): boolean {
  return code !== undefined && PASSING.has(code);
}

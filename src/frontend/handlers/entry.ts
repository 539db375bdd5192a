/* What create and login have in common. */
import { randomBytes } from 'node:crypto';
import type { Account } from '../../kafka/accounts.ts';
import type { Inbox } from '../../kafka/inboxes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Caller, Services } from './context.ts';

/** Takes the account's inbox for the caller. @throws EngineError */
export function openInbox(services: Services, caller: Caller, account: Account): Promise<Inbox> {
  return services.inboxes.open(account, { deliver: caller.version.deliver, ...caller.delivery });
}

/** @throws ProtocolError where the operator allows no accounts without a password */
export function demandOpenAccounts(services: Services): void {
  if (services.openAccounts) return;
  throw new ProtocolError('BAD_CREDENTIALS', 'Accounts without a password are not allowed on this server.');
}

/** 256 random bits, base64url: 43 characters. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

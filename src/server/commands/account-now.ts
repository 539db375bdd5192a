import { type Account, isSameLife } from '../../core/accounts.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Principal, Services } from './context.ts';

/** The account one is logged in to, as it is now. @throws ProtocolError `NO_SUCH_USER` when its life is over */
export function accountNow({ accounts }: Pick<Services, 'accounts'>, principal: Principal): Account {
  const account = accounts.get(principal.account.name);
  if (isSameLife(account, principal.account)) return account;
  throw new ProtocolError('NO_SUCH_USER', 'Your account was removed.');
}

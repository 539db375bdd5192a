/*
 * password {old, new} → password-changed {token}: another password, or the first one of an open account. All other logins end, and
 * their tokens are worth nothing afterwards.
 * Failures: REPLACED, INBOX_LOST, BAD_CREDENTIALS, WEAK_PASSWORD, RATE_LIMITED, NO_SUCH_USER, BUSY, UNAVAILABLE.
 */
import type { Account } from '../../core/accounts.ts';
import { devicesOf } from '../../core/devices.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import { passwordIdOf } from '../identity/passwords.ts';
import type { RequestFor } from './command.ts';
import { accountNow, type Caller, type Holder, holderClaim, type Services } from './context.ts';

/** @throws ProtocolError, EngineError */
export async function changePassword(
  services: Services,
  caller: Caller<Holder>,
  request: RequestFor<'password'>,
): Promise<ServerFrameOf<'password-changed'>> {
  const { principal } = caller;
  const { identity, accounts } = services;
  const account = accountNow(services, principal);
  const claim = holderClaim(caller, account.name);
  if (account.credential !== null) {
    await identity.demandPassword(claim, () => account, request.old ?? '');
  }
  const credential = await identity.newCredential(claim, request.new, false);
  // Whoever has taken over meanwhile would lose the token.
  await principal.inbox.confirm();
  principal.setsPassword(credential);
  // The old one was shown for the password of then: of several that are set at once the first one stays.
  const isStill = (current: Account) => passwordIdOf(current.credential) === passwordIdOf(account.credential);
  const changed = await accounts.update(account, (current) => (isStill(current) ? { credential } : null));
  if (changed.credential !== credential) throw new ProtocolError('BAD_CREDENTIALS');
  const { device } = principal.inbox;
  const others = devicesOf(changed).filter((name) => name !== device);
  const forgetting = others.map((other) => identity.forgetToken(changed, other));
  // It is the new password that counts by now: no code but this one leaves that open.
  const issuing = Promise.all([identity.issueToken(changed, device), ...forgetting]);
  const [token] = await issuing.catch((cause: unknown) => {
    const text =
      'Your password was changed, but this login got no token to come back with: change it once more.';
    throw new ProtocolError('UNAVAILABLE', text, { cause });
  });
  return { type: 'password-changed', ...token };
}

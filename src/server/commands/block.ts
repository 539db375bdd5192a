/*
 * block {name, blocked} → blocked {names}: takes no more messages from somebody, or takes them again; without a change
 * it only tells who is blocked.
 * Failures: RATE_LIMITED, BAD_REQUEST (oneself, or the list is full), NO_SUCH_USER (nobody of that name to block), BUSY, UNAVAILABLE.
 */
import { ProtocolError } from '../../protocol/errors.ts';
import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import type { RequestFor } from './command.ts';
import { accountNow, type Caller, type Principal, type Services } from './context.ts';

/** @throws ProtocolError, EngineError */
export async function block(
  services: Services,
  { principal }: Caller<Principal>,
  { name, blocked: isBlocked }: RequestFor<'block'>,
): Promise<ServerFrameOf<'blocked'>> {
  const account = accountNow(services, principal);
  if (name === undefined || account.blocked.includes(name) === isBlocked) {
    return { type: 'blocked', blocked: account.blocked };
  }
  const retryAfterMs = services.changes.take(account.name);
  if (retryAfterMs > 0) throw new ProtocolError('RATE_LIMITED', undefined, { retryAfterMs });
  const blocked = account.blocked.filter((other) => other !== name);
  if (isBlocked) {
    if (name === account.name) throw new ProtocolError('BAD_REQUEST', 'You cannot block yourself.');
    const { blockedNames } = services.limits;
    if (blocked.length >= blockedNames) {
      throw new ProtocolError('BAD_REQUEST', `A block list has at most ${blockedNames} names.`);
    }
    if ((services.accounts.get(name) ?? (await services.accounts.find(name))) === undefined) {
      throw new ProtocolError('NO_SUCH_USER', `There is no user called ${name}.`);
    }
    blocked.push(name);
    blocked.sort();
  }
  const changed = await services.accounts.update(account, { blocked });
  return { type: 'blocked', blocked: changed.blocked };
}

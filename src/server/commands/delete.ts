/*
 * delete {password, force} → deleted {undelivered}: removes the account one is logged in to, its token, its inbox and
 * the inbox's consumer group. It leaves its rooms.
 * Failures: BAD_CREDENTIALS, RATE_LIMITED, HAS_UNDELIVERED with their number unless forced, NO_SUCH_USER (somebody
 * else removed it), BUSY, UNAVAILABLE.
 *
 * The check and the removal cannot be one step: a message accepted between them is undeliverable, and its sender is
 * told as much as those of the messages that were there before.
 */
import { type Account, isSameLife } from '../../core/accounts.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import type { RequestFor } from './command.ts';
import { accountNow, type Caller, type Holder, holderClaim, type Services } from './context.ts';
import { goOut } from './rooms/leave.ts';

/** @throws ProtocolError, EngineError: the account is still there, or its removal will show elsewhere */
export async function deleteAccount(
  services: Services,
  caller: Caller<Holder>,
  request: RequestFor<'delete'>,
): Promise<ServerFrameOf<'deleted'>> {
  const { principal } = caller;
  const account = accountNow(services, principal);
  if (account.credential !== null) {
    const claim = holderClaim(caller, account.name);
    await services.identity.demandPassword(claim, () => account, request.password ?? '');
  }
  const undelivered = await principal.inbox.undelivered();
  if (undelivered > 0 && !request.force) throw hasUndelivered(undelivered);
  // Somebody may have taken the inbox over in a moment in which this process stood still.
  await principal.inbox.confirm();
  await services.accounts.remove(account);
  const { device } = principal.inbox;
  await services.identity.forgetToken(account, device).catch((error: unknown) => {
    // It belongs to a life that is over: nobody can use it.
    services.log.warn({ err: error, user: account.name }, 'a token outlives its account');
  });
  // At once, before the name has another life.
  await Promise.all([principal.inbox.discard(), services.devices.removed(account, device)]);
  await leaveRooms(services, account).catch((error: unknown) => {
    // A membership of a life that is over counts for none.
    services.log.warn({ err: error, user: account.name }, 'memberships outlive their account');
  });
  return { type: 'deleted', undelivered };
}

async function leaveRooms(services: Services, account: Account): Promise<void> {
  const { rooms } = services;
  const { members } = rooms;
  const left = [...members.ofPerson(account, 'member'), ...members.ofPerson(account, 'invited')];
  await Promise.all(
    left.map(async (membership) => {
      const room = rooms.get(membership.room.name);
      if (!isSameLife(room, membership.room)) return;
      const isOwner = isSameLife(room.owner, account);
      await goOut(services, room, membership, isOwner);
    }),
  );
}

function hasUndelivered(undelivered: number): ProtocolError {
  const messages = undelivered === 1 ? '1 undelivered message' : `${undelivered} undelivered messages`;
  const text = `The account holds ${messages}: retrieve first.`;
  return new ProtocolError('HAS_UNDELIVERED', text, { undelivered });
}

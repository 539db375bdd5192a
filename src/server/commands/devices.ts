/*
 * devices → devices {devices}: which devices the account has, when each has logged in last, and what it has not received.
 * Failures: NO_SUCH_USER, UNAVAILABLE.
 *
 * forget-device {device} → device-forgotten {device}: one of them is none any more. Its login ends, its token is worth nothing.
 * Failures: NO_SUCH_DEVICE, RATE_LIMITED, NO_SUCH_USER, BUSY, UNAVAILABLE.
 */
import { ProtocolError } from '../../protocol/errors.ts';
import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import type { RequestFor } from './command.ts';
import { accountNow, type Caller, type Holder, type Principal, type Services } from './context.ts';

/** @throws ProtocolError, EngineError */
export async function devices(
  services: Services,
  { principal }: Caller<Principal>,
): Promise<ServerFrameOf<'devices-listed'>> {
  const account = accountNow(services, principal);
  const ask = (some: readonly (typeof account)[]) =>
    Promise.all(some.map((one) => services.inboxes.devices(one)));
  const [states = []] = await services.questions.ask(account.name, [account], ask);
  const logins = new Map(account.devices?.map(({ name, lastLogin }) => [name, lastLogin]));
  const listed = states.map(({ name, isHeld, waiting }) => {
    const lastLogin = name === undefined ? undefined : logins.get(name);
    return {
      ...(name !== undefined && { device: name }),
      ...(lastLogin !== undefined && { lastLogin }),
      loggedIn: isHeld,
      waiting,
    };
  });
  return { type: 'devices-listed', devices: listed };
}

/** @throws ProtocolError, EngineError */
export async function forgetDevice(
  services: Services,
  { principal }: Caller<Holder>,
  { device }: RequestFor<'forget-device'>,
): Promise<ServerFrameOf<'device-forgotten'>> {
  const account = accountNow(services, principal);
  const retryAfterMs = services.changes.take(account.name);
  if (retryAfterMs > 0) throw new ProtocolError('RATE_LIMITED', undefined, { retryAfterMs });
  // Somebody may have taken the inbox over in a moment in which this process stood still.
  await principal.inbox.confirm();
  await services.devices.forget(account, device);
  return { type: 'device-forgotten', device };
}

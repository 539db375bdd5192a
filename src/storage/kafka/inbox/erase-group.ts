import { type Account, type Accounts, isAnothers } from '../../../core/accounts.ts';
import type { FrontendLease } from '../groups/frontend-lease.ts';
import type { AcquireRequest, Leases } from '../groups/lease.ts';
import { now } from '../wire/retry.ts';
import type { DeviceGroups } from './device-groups.ts';

const ERASE_TIMEOUT_MS = 10_000;

interface ErasingOptions extends Pick<AcquireRequest, 'takeover'> {
  readonly accounts: Pick<Accounts, 'findEvenly'>;
  readonly groups: Pick<DeviceGroups, 'group' | 'topic' | 'isUsed'>;
  readonly frontend: Pick<FrontendLease, 'ready' | 'id'>;
  readonly leases: Pick<Leases, 'erase'>;
}

/**
 * Deletes the group of a device, of an account that may be gone, and puts out who is in it; never that of a later life of the name.
 * @returns its name; null where there was none of theirs
 * @throws EngineError `BUSY`, `UNAVAILABLE`, without a takeover `ALREADY_LOGGED_IN`; KafkaError
 */
export async function eraseGroup(
  { accounts, groups, frontend, leases, takeover }: ErasingOptions,
  account: Account,
  device: string | undefined,
): Promise<string | null> {
  const deadline = now() + ERASE_TIMEOUT_MS;
  const isTheirs = async () => !isAnothers(await accounts.findEvenly(account.name), account);
  const group = groups.group(account, device);
  if (!(await isTheirs()) || !(await groups.isUsed(account, group, deadline))) return null;
  await frontend.ready(deadline);
  const topic = groups.topic(account);
  await leases.erase({ group, topic, frontendId: frontend.id, takeover, deadline }, isTheirs);
  return group;
}

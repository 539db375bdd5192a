import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, type Accounts, isSameLife } from '../../../core/accounts.ts';
import { devicesOf } from '../../../core/devices.ts';
import { EngineError } from '../../../core/errors.ts';
import type { Inbox, LossReason } from '../../../core/inboxes.ts';

/**
 * Whoever takes an inbox over evicts its holder first and joins a moment later, or, where several do so or the machine has
 * other work, within the ten seconds that a login has for it: for so long, and after such a pause each time, is looked
 * whether somebody is there.
 */
const HOLDER_POLLS = 21;
const HOLDER_POLL_MS = 500;

/** This life of an account, as it is now. @throws EngineError `NO_SUCH_USER`, `UNAVAILABLE` */
export async function demandThere(
  accounts: Pick<Accounts, 'findEvenly'>,
  account: Account,
): Promise<Account> {
  const current = await accounts.findEvenly(account.name);
  if (isSameLife(current, account)) return current;
  throw new EngineError('NO_SUCH_USER', `the account ${account.name} is gone, and its inbox`);
}

/** Why an inbox's topic is not there any more. Never fails. */
export async function whyGone(
  accounts: Pick<Accounts, 'findEvenly'>,
  owner: Account,
): Promise<'deleted' | 'no inbox'> {
  try {
    await demandThere(accounts, owner);
  } catch (error) {
    if (error instanceof EngineError && error.code === 'NO_SUCH_USER') return 'deleted';
  }
  return 'no inbox';
}

/** Why Kafka does not know an inbox's member any more. Never fails. @param isHeld whether somebody else holds it by now */
export async function whyUnknown(
  accounts: Pick<Accounts, 'findEvenly'>,
  { owner, device }: Pick<Inbox, 'owner' | 'device'>,
  isHeld: () => Promise<boolean>,
): Promise<LossReason> {
  const current = await accounts.findEvenly(owner.name).catch(() => owner);
  if (!isSameLife(current, owner)) return 'deleted';
  if (!devicesOf(current).includes(device)) return 'fenced';
  for (let poll = 1; ; poll++) {
    // Kafka cannot say: whoever comes back by a token finds out.
    if (await isHeld().catch(() => false)) return 'fenced';
    if (poll === HOLDER_POLLS) return 'lost';
    await sleep(HOLDER_POLL_MS);
  }
}

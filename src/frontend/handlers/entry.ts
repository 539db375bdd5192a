/* What create and login have in common. */
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Account } from '../../kafka/accounts.ts';
import { EngineError } from '../../kafka/errors.ts';
import type { Inbox, OpenOptions } from '../../kafka/inboxes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Entered, ResumeToken } from '../requests.ts';
import type { Caller, Services } from './context.ts';
import { giveBack } from './logout.ts';

/**
 * Takes the account's inbox for the caller, and gives it back if the rest of the login fails.
 * @param getToken makes the token to come back with; called once the caller is the one that holds the inbox
 * @throws EngineError
 */
export function enter(
  services: Services,
  caller: Caller,
  account: Account,
  how: Pick<OpenOptions, 'deliver' | 'takeover'>,
  getToken: () => Promise<ResumeToken>,
): Promise<Omit<Entered, 'type'>> {
  return services.entrance.pass(caller.address, async () => {
    // Whoever gave up waiting in line comes again: nobody else is to wait for that.
    if (caller.isGone()) throw new ProtocolError('UNAVAILABLE');
    const takeover = how.takeover === true && !(await isGivenUp(caller));
    return take(services, caller, account, { ...how, takeover }, getToken);
  });
}

/**
 * Whether the client sends nothing more: it may have given this login up and be logged in by another, which must not
 * end by the first. A process that stood still finds the request and the end of its connection at the same moment.
 */
async function isGivenUp(caller: Caller): Promise<boolean> {
  for (let turn = 0; turn < 2; turn++) await nextTurn();
  return caller.hasEnded();
}

async function take(
  services: Services,
  caller: Caller,
  known: Account,
  how: Pick<OpenOptions, 'deliver' | 'takeover'>,
  getToken: () => Promise<ResumeToken>,
): Promise<Omit<Entered, 'type'>> {
  const { account, inbox } = await open(services, known, { ...how, ...caller.delivery });
  const entered = { account, inbox, limits: sessionLimits(services) };
  if (!caller.version.resumes) {
    return { ...entered, token: randomBytes(32), tokenExpiresAt: 0, undelivered: 0 };
  }
  // Until the client has its answer: a long backlog would come before it.
  inbox.pause();
  try {
    // Whoever lost it meanwhile must not write over the new holder's token.
    await inbox.confirm();
    const [token, undelivered] = await Promise.all([getToken(), inbox.undelivered()]);
    return { ...entered, ...token, undelivered };
  } catch (error) {
    await giveBack(services, { account, inbox });
    throw error;
  }
}

/** Opens the account's inbox; where its topic is gone, or another one, it gets a topic first. */
async function open(
  { accounts, inboxes }: Services,
  account: Account,
  options: OpenOptions,
): Promise<{ readonly account: Account; readonly inbox: Inbox }> {
  try {
    return { account, inbox: await inboxes.open(account, options) };
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'NO_INBOX') throw error;
    const mended = await accounts.mend(account);
    return { account: mended, inbox: await inboxes.open(mended, options) };
  }
}

/** What somebody is told who is logged in. */
export function sessionLimits({ limits, mailbox }: Pick<Services, 'limits' | 'mailbox'>): Entered['limits'] {
  const { window } = limits;
  const messagesPerSecond = Math.max(1, Math.floor(limits.sendsPerSecond));
  if (mailbox === null) return { window, messagesPerSecond };
  const { maxMessages: mailboxMessages, maxBytes: mailboxBytes } = mailbox;
  return { window, messagesPerSecond, mailboxMessages, mailboxBytes };
}

/** @throws ProtocolError `code` where the operator allows no accounts without a password */
export function demandOpenAccounts(services: Services, code: 'BAD_CREDENTIALS' | 'WEAK_PASSWORD'): void {
  if (services.openAccounts) return;
  throw new ProtocolError(code, 'Accounts without a password are not allowed on this server.');
}

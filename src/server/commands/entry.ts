/* What create and login have in common. */
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Account } from '../../core/accounts.ts';
import { EngineError } from '../../core/errors.ts';
import type { Inbox, OpenOptions } from '../../core/inboxes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Feature } from '../../protocol/v2/features.ts';
import type { SessionLimits } from '../../protocol/v2/replies.ts';
import type { Deliver } from '../../protocol/v2/requests.ts';
import type { Caller, Services } from './context.ts';
import { giveBack } from './logout.ts';

/** For a later login without the password. */
export interface ResumeToken {
  /** 32 random bytes. */
  readonly token: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly tokenExpiresAt: number;
}

/** How a login gets its token, called once the caller is the one that holds the inbox. */
export interface TokenSource {
  /** It will be written, over that of whoever held the inbox before. */
  readonly isWritten: boolean;
  readonly get: () => Promise<ResumeToken>;
}

/** What a login has that holds the inbox. */
export interface Held extends ResumeToken {
  readonly inbox: Inbox;
  readonly undelivered: number;
}

/** The caller is logged in from now on. */
export interface LoginResult {
  readonly type: 'created' | 'logged-in';
  readonly account: Account;
  /** Of the password that the account had when somebody showed that it is theirs. */
  readonly passwordId: string;
  /** Null of a login that only sends. */
  readonly held: Held | null;
  /** What its client has said until now that it can. */
  readonly features: ReadonlySet<Feature>;
  readonly limits: SessionLimits;
}

interface HowToEnter {
  readonly deliver: Deliver;
  /** End the login that holds the inbox now. */
  readonly takeover?: boolean;
  /** Absent: the main one. */
  readonly device?: string | undefined;
  /** Of a device that comes for the first time: so many of the newest messages. */
  readonly last?: number | undefined;
}

/**
 * Takes the account's inbox for the caller, and gives it back if the rest of the login fails; of a login that only sends
 * there is nothing to take.
 * @throws ProtocolError `BUSY` for a caller that has ended, or an inbox that was lost meanwhile; EngineError
 */
export async function enter(
  services: Services,
  caller: Caller,
  account: Account,
  { deliver, takeover = false, device, last }: HowToEnter,
  token: TokenSource,
): Promise<Omit<LoginResult, 'type' | 'passwordId'>> {
  const { features } = caller;
  const limits = sessionLimits(services);
  if (deliver === 'none') return { account, held: null, features, limits };
  return services.entrance.pass(caller.address, async () => {
    await demandThere(caller);
    const taking = take(services, caller, account, { deliver, takeover, device, last }, token);
    return { ...(await taking.catch(lostMeanwhile)), features, limits };
  });
}

/**
 * Nobody is let in who sends nothing more: they may have given this login up and be in by another one, which must neither
 * end nor lose its token by the first. A process that stood still finds the request and the end of its connection at the
 * same moment. In version 1, where nobody takes anything over or has a token, some say all they have to say and end.
 */
async function demandThere(caller: Caller): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await nextTurn();
  if (caller.isGone() || (caller.version.resumes && caller.hasEnded())) {
    throw new ProtocolError('BUSY', 'The connection has ended: nobody is logged in by it.');
  }
}

async function take(
  services: Services,
  caller: Caller,
  known: Account,
  how: Pick<OpenOptions, 'deliver' | 'takeover' | 'device' | 'last'>,
  token: TokenSource,
): Promise<{ readonly account: Account; readonly held: Held }> {
  const { resumes } = caller.version;
  // Until the client has its answer: a long backlog would come before it.
  const options = { ...how, ...caller.delivery, isPaused: resumes };
  const { account, inbox } = await open(services, known, options);
  if (!resumes) {
    return { account, held: { inbox, token: randomBytes(32), tokenExpiresAt: 0, undelivered: 0 } };
  }
  try {
    // Whoever lost it meanwhile must not write over the new holder's token.
    if (token.isWritten) await inbox.confirm();
    await demandThere(caller);
    const [resume, undelivered] = await Promise.all([token.get(), inbox.undelivered()]);
    return { account, held: { inbox, ...resume, undelivered } };
  } catch (error) {
    await giveBack(services, { account, inbox });
    throw error;
  }
}

/** Nobody is known to hold the inbox instead, and there is no login that could be gone on with. */
function lostMeanwhile(error: unknown): never {
  if (!(error instanceof EngineError) || error.loss !== 'lost') throw error;
  throw new ProtocolError('BUSY', 'The inbox was lost while it was taken. Try again.', { cause: error });
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
export function sessionLimits({ limits, mailbox }: Pick<Services, 'limits' | 'mailbox'>): SessionLimits {
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

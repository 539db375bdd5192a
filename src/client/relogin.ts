import { type BackoffLimits, retryMs } from '../util/backoff.ts';
import type { Connection } from './connection.ts';
import { ClientError } from './errors.ts';
import type { ClientEvent, Deliver } from './events.ts';
import { type Identity, isPassing } from './identity.ts';

/** Why a login did not come back, and when it is tried again. */
export type NotRestored = Omit<Extract<ClientEvent, { type: 'login-not-restored' }>, 'type' | 'name'>;

export interface Relogin {
  /** Another program may hold the account by the same login, and is not put out. */
  readonly asks: boolean;
  /** Whether the server knows such a question. */
  readonly canAsk: boolean;
  readonly deliver: Deliver;
  readonly limits: BackoffLimits & { readonly tries: number };
  /** Whether nobody wants that login any more, or not on this connection. */
  readonly isObsolete: () => boolean;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly failed: (why: NotRestored) => void;
}

const NO_TOKEN = 'There is nothing to log in by again.';
export const TOO_OLD =
  'This server is too old to say whether another program goes on with the login that is kept on this machine.';

/**
 * Logs in again by the token after a reconnect, and tells each failure. One that says nothing about the token is tried again a
 * few times; an unanswered login is not, since it may still succeed.
 */
export async function relogin(
  connection: Connection,
  { name, token }: Identity,
  { asks, canAsk, deliver, limits, isObsolete, sleep, failed }: Relogin,
): Promise<void> {
  // It would put out whoever holds the account by the same login.
  if (asks && !canAsk) return failed(untried(TOO_OLD));
  if (token === null) return failed(untried(NO_TOKEN));
  for (let attempt = 0; !isObsolete(); attempt++) {
    try {
      const how = asks ? { takeover: false } : {};
      await connection.ask({ type: 'login', username: name, token, ...how, deliver });
      return;
    } catch (error) {
      if (isObsolete() || !(error instanceof ClientError)) return;
      const code = error.refusal?.code ?? null;
      const passes = isPassing(error.refusal?.code) && !(asks && code === 'ALREADY_LOGGED_IN');
      const more = passes && attempt + 1 < limits.tries;
      const retryInMs = more ? retryMs(attempt, limits, error.refusal?.retryAfterMs) : null;
      failed({ code, isTried: true, reason: error.message, retryInMs });
      if (retryInMs === null) return;
      await sleep(retryInMs);
    }
  }
}

function untried(reason: string): NotRestored {
  return { code: null, isTried: false, reason, retryInMs: null };
}

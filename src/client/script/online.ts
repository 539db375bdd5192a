import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import { type Flags, readSettings, type Settings } from '../settings.ts';
import { timeoutOf } from './arguments.ts';
import type { Context } from './context.ts';
import { Link } from './link.ts';
import { userOf } from './names.ts';
import { passwordFor } from './password.ts';

/** How long a command tries, unless `--timeout` says otherwise. */
export const DEFAULT_TIMEOUT_MS = 30_000;

export interface OnlineArguments {
  readonly flags: Flags;
  readonly values: { readonly timeout?: string | undefined; readonly takeover?: boolean | undefined };
}

/** Does something over a connection that nobody is logged in on. @throws what the work throws; Failure */
export async function online<Value>(
  context: Context,
  { flags, values }: OnlineArguments,
  work: (link: Link, settings: Settings) => Promise<Value>,
): Promise<Value> {
  const settings = readSettings(flags, context.environment);
  const timeoutMs = timeoutOf(values.timeout, DEFAULT_TIMEOUT_MS);
  const link = await Link.open(settings, { timeoutMs, signal: context.interrupted });
  try {
    return await work(link, settings);
  } finally {
    await link.close();
  }
}

/** Does something as the account of the settings. @throws what the work throws; ClientError, Failure, Interrupted */
export function loggedIn<Value>(
  context: Context,
  args: OnlineArguments,
  work: (link: Link, account: Account) => Promise<Value>,
): Promise<Value> {
  return online(context, args, async (link, settings) => {
    const name = userOf(settings);
    const password = await passwordFor(name, settings, context);
    const session = await link.logIn(name, { password, takeover: args.values.takeover ?? false });
    return work(link, { name, password, session, settings });
  });
}

export interface Account {
  readonly name: string;
  readonly password: string;
  readonly session: ServerFrameOf<'logged-in'>;
  readonly settings: Settings;
}

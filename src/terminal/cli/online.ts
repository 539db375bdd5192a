import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import { type Flags, readSettings, type Settings } from '../settings.ts';
import { timeoutOf } from './arguments.ts';
import type { Context } from './context.ts';
import { Deadline } from './deadline.ts';
import { Entrance } from './entrance.ts';
import { isLost, Link, routeOf } from './link.ts';
import { userOf } from './names.ts';

/** How long a command tries, unless `--timeout` says otherwise. */
export const DEFAULT_TIMEOUT_MS = 30_000;

export interface OnlineArguments {
  readonly flags: Flags;
  readonly values: { readonly timeout?: string | undefined; readonly takeover?: boolean | undefined };
}

/** How far the work has come. */
export interface Stage {
  /** Whether it may be done again on another server when this one is lost: nothing would be done twice. */
  mayRepeat: boolean;
}

/**
 * Does something over a connection that nobody is logged in on; on the next server of the list where one is lost.
 * @throws what the work throws; Failure
 */
export async function online<Value>(
  context: Context,
  { flags, values }: OnlineArguments,
  work: (link: Link, settings: Settings, stage: Stage, deadline: Deadline) => Promise<Value>,
): Promise<Value> {
  const settings = readSettings(flags, context.environment);
  const deadline = new Deadline(timeoutOf(values.timeout, DEFAULT_TIMEOUT_MS));
  context.output.deadline = deadline;
  const route = routeOf(settings);
  const stage: Stage = { mayRepeat: true };
  try {
    for (;;) {
      const link = await Link.open(settings, { deadline, route, signal: context.interrupted });
      let comesBack = false;
      try {
        return await work(link, settings, stage, deadline);
      } catch (error) {
        context.interrupted.throwIfAborted();
        if (deadline.isOver) throw deadline.failure(error);
        if (!stage.mayRepeat || !route.hasMore || !isLost(error)) throw error;
        route.failed(link.stop, 'the connection was lost');
        comesBack = true;
      } finally {
        await link.close(comesBack);
      }
    }
  } finally {
    deadline.close();
  }
}

export interface HowToLogIn {
  /** Whether the work may be done again from its beginning. */
  readonly isRepeatable?: boolean;
  /** Whether it needs no inbox, so that it may go beside another login where the server can. */
  readonly needsNoInbox?: boolean;
  /** Whether the server asks for the password once more. */
  readonly needsPassword?: boolean;
}

/**
 * Does something as the account of the settings.
 * @throws what the work throws; ClientError, Failure, Interrupted
 */
export function loggedIn<Value>(
  context: Context,
  args: OnlineArguments,
  work: (link: Link, account: Account) => Promise<Value>,
  { isRepeatable = false, needsNoInbox = false, needsPassword = false }: HowToLogIn = {},
): Promise<Value> {
  let entrance: Entrance | undefined;
  return online(context, args, async (link, settings, stage, deadline) => {
    const name = userOf(settings);
    entrance ??= new Entrance(name, settings, context, deadline);
    if (needsPassword) await entrance.password();
    const deliver = needsNoInbox && link.takesSenders ? 'none' : 'live';
    const session = await entrance.logIn(link, { deliver, takeover: args.values.takeover ?? false });
    stage.mayRepeat = isRepeatable;
    return work(link, { name, session, settings, deadline, entrance });
  });
}

export interface Account {
  readonly name: string;
  readonly session: ServerFrameOf<'logged-in'>;
  readonly settings: Settings;
  readonly deadline: Deadline;
  readonly entrance: Entrance;
}

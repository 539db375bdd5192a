import { Client, DEFAULT_OPTIONS, isLost, type MessageStore, type Milena } from '../../client/index.ts';
import type { Flags } from '../setting-sources.ts';
import { connectionOptions, readSettings, type Settings } from '../settings.ts';
import { timeoutOf, userOf } from './arguments.ts';
import type { Context } from './context.ts';
import { Deadline } from './deadline.ts';
import { EXIT, Failure } from './exit.ts';
import { noAnswer, SignIn } from './sign-in.ts';

/** How long a command tries, unless `--timeout` says otherwise. */
export const DEFAULT_TIMEOUT_MS = 30_000;

export interface OnlineArguments {
  readonly flags: Flags;
  readonly values: { readonly timeout?: string | undefined; readonly takeover?: boolean | undefined };
}

/** What ends a command that has a time: a signal, or that it is over. */
export interface Timed {
  readonly settings: Settings;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Does something in the time that a command has. @throws what the work throws; Failure when the time is over; Interrupted */
export async function timed<Value>(
  context: Context,
  { flags, values }: OnlineArguments,
  work: (timed: Timed) => Promise<Value>,
): Promise<Value> {
  const settings = readSettings(flags, context.environment);
  const timeoutMs = timeoutOf(values.timeout, DEFAULT_TIMEOUT_MS);
  const deadline = new Deadline(timeoutMs);
  context.output.deadline = deadline;
  const signal = AbortSignal.any([context.interrupted, deadline.signal]);
  try {
    return await work({ settings, deadline, signal, timeoutMs });
  } catch (error) {
    context.interrupted.throwIfAborted();
    const isUnreached = error instanceof Failure && error.code === EXIT.UNAVAILABLE;
    throw deadline.isOver && !isUnreached ? deadline.failure(error) : error;
  } finally {
    deadline.close();
  }
}

/**
 * Does something over a connection that nobody is logged in on; on the next server of the list where one is lost.
 * @throws what the work throws; ClientError, Failure
 */
export function online(
  context: Context,
  args: OnlineArguments,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  return timed(context, args, async ({ settings, deadline, signal, timeoutMs }) => {
    const { servers, tls } = settings;
    const { program = '', lastServer, times } = connectionOptions(settings, timeoutMs);
    const client = new Client(
      { ...DEFAULT_OPTIONS, ...times, program, servers, tls, lastServer },
      () => undefined,
    );
    const end = () => void client.close();
    signal.addEventListener('abort', end, { once: true });
    try {
      client.start();
      let isFirst = true;
      await repeated(
        servers.length > 1,
        () => work(client),
        async () => {
          if (!isFirst && client.hasMoreServers) client.tryNext('it does not answer');
          isFirst = false;
          await client.connected({ signal }).catch((error: unknown) => {
            throw client.welcome === null && deadline.isOver ? noAnswer(settings) : error;
          });
        },
      );
    } finally {
      signal.removeEventListener('abort', end);
      await client.close();
    }
  });
}

/** Does it once there is a connection, and again after one was lost. @param ready whatever it throws when there is none any more */
async function repeated<Value>(
  isRepeatable: boolean,
  work: () => Promise<Value>,
  ready: () => Promise<void>,
): Promise<Value> {
  let lost: unknown;
  for (;;) {
    await ready().catch((error: unknown) => {
      throw isLost(error) ? (lost ?? error) : error;
    });
    try {
      return await work();
    } catch (error) {
      if (!isRepeatable || !isLost(error)) throw error;
      lost = error;
    }
  }
}

export interface HowToLogIn {
  /** Whether the work may be done again from its beginning. */
  readonly isRepeatable?: boolean;
  /** Whether it needs no inbox, so that it may go beside another login where the server can. */
  readonly needsNoInbox?: boolean;
  /** Whether the server asks for the password once more. */
  readonly needsPassword?: boolean;
  /** What keeps its messages; it is closed at the end. */
  readonly openStore?: (settings: Settings) => Promise<MessageStore & { close(): void }>;
}

/** What a command has while it is logged in. */
export interface LoggedIn {
  readonly name: string;
  readonly settings: Settings;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
  readonly password: () => Promise<string>;
}

/**
 * Does something as the account of the settings; once more on another server of the list where that may be and one is lost.
 * @throws what the work throws; ClientError, Failure, Interrupted
 */
export function loggedIn<Value>(
  context: Context,
  args: OnlineArguments,
  work: (me: Milena, account: LoggedIn) => Promise<Value>,
  { isRepeatable = false, needsNoInbox = false, needsPassword = false, openStore }: HowToLogIn = {},
): Promise<Value> {
  return timed(context, args, async ({ settings, deadline, signal, timeoutMs }) => {
    const name = userOf(settings);
    const signIn = new SignIn({ name, settings, needsPassword, deadline }, context);
    const store = await openStore?.(settings);
    const me = await signIn.enter({
      deliver: needsNoInbox ? 'none' : 'live',
      takeover: args.values.takeover ?? false,
      timeoutMs,
      signal,
      ...(store && { store }),
    });
    const end = () => void me.close();
    signal.addEventListener('abort', end, { once: true });
    try {
      const account = { name, settings, deadline, signal, password: () => signIn.password() };
      let isFirst = true;
      return await repeated(
        isRepeatable && settings.servers.length > 1,
        () => work(me, account),
        async () => {
          if (!isFirst) await me.ready({ signal, elsewhere: true });
          isFirst = false;
        },
      );
    } finally {
      signal.removeEventListener('abort', end);
      await signIn.leave(me, !signal.aborted);
      store?.close();
    }
  });
}

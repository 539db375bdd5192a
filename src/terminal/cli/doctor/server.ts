/* What the server tells: reachable, encrypted, in time; and whether the account works. */
import {
  type Address,
  Client,
  ClientError,
  DEFAULT_OPTIONS,
  type Inspection,
  inspectServer,
  serverText,
} from '../../../client/index.ts';
import { isLoopback } from '../../../util/networks.ts';
import type { Environment } from '../../environment.ts';
import { sanitiseLine } from '../../sanitise.ts';
import { connectionOptions, type Settings } from '../../settings.ts';
import { frontendsHere } from '../../started.ts';
import type { Context } from '../context.ts';
import { Deadline } from '../deadline.ts';
import { EXIT, exitOf, Failure, failureOf } from '../exit.ts';
import { knownPassword } from '../password.ts';
import { SignIn } from '../sign-in.ts';
import { type Check, failed, failedBy, hint, ok } from './check.ts';

const TIMEOUT_MS = 10_000;
const MAX_CLOCK_DIFFERENCE_MS = 2_000;
const EXPIRES_SOON_DAYS = 14;
const PASSWORD_WAYS = '--password-file, --password-command or MILENA_PASSWORD gives one.';
const DAY_MS = 86_400_000;

/** What is looked at. */
interface Subject {
  readonly settings: Settings;
  readonly context: Context;
  /** For each check, in milliseconds. */
  readonly timeoutMs: number;
}

/** Each server of the list by itself; the account's login only on the first one that answers. */
export async function* checkServers(
  settings: Settings,
  context: Context,
  timeoutMs = TIMEOUT_MS,
): AsyncGenerator<Check, void> {
  let logsIn = true;
  for (const server of settings.servers) {
    if (yield* checkServer({ settings, context, timeoutMs }, server, logsIn)) logsIn = false;
  }
}

/** Returns whether it answered. */
async function* checkServer(
  subject: Subject,
  server: Address,
  logsIn: boolean,
): AsyncGenerator<Check, boolean> {
  const { settings, context, timeoutMs } = subject;
  const { tls } = settings;
  const { interrupted: signal } = context;
  let inspection: Inspection;
  try {
    inspection = await inspectServer(server, { tls, timeoutMs: timeoutMs / 2, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ClientError)) throw error;
    const failure = failureOf(error);
    yield failedBy('server', failure, whatNext(server, context.environment, failure.message));
    return false;
  }
  const { label, welcome, connectMs, greetMs, encryption, clockAheadMs } = inspection;
  const [connect, greet] = [connectMs, greetMs].map((ms) => ms.toFixed(1));
  const what = `${sanitiseLine(welcome.server)}, protocol ${welcome.versions.join(' and ')}`;
  yield ok('server', `${label} answers (${what}): ${connect} ms to connect, ${greet} ms to greet`);
  yield checkEncryption(encryption, server);
  yield checkClock(clockAheadMs);
  const alone = { ...subject, settings: { ...settings, servers: [server] } };
  yield await checkList(alone);
  if (logsIn) yield await checkLogin(alone);
  return true;
}

/** What to do about a server that does not answer: what mends this connection first, then which others there are. */
function whatNext(server: Address, environment: Environment, reason: string): string {
  const mends = forTls(reason);
  if (!isLoopback(server.host)) {
    return mends ?? 'Is the name right, and the network there? --server HOST:PORT names another.';
  }
  // They may be of different Kafkas: none is a stand-in for another.
  const others = frontendsHere(environment).filter((one) => one.server !== serverText(server));
  const lines = others.map(({ server: address, brokers }) => {
    const kafka = brokers === '' ? '' : brokers === 'memory' ? ', in memory' : `, on the Kafka at ${brokers}`;
    return `--server ${address} is a frontend of this folder${kafka}.`;
  });
  if (mends !== null) lines.unshift(mends);
  if (lines.length > 0) return lines.join('\n');
  return './start_frontend.sh starts one here; --server HOST:PORT names another.';
}

/** Null where the failure is not about TLS. */
function forTls(reason: string): string | null {
  if (reason.includes('use --tls')) return 'Use --tls, and --ca FILE where its authority is your own.';
  if (reason.includes('leave --tls away')) return 'Leave --tls (MILENA_TLS, MILENA_TLS_CA) away.';
  return reason.includes('--ca FILE') ? 'Use --ca FILE with the certificate of its authority.' : null;
}

function checkEncryption(encryption: Inspection['encryption'], { host }: Address): Check {
  const name = 'encryption';
  if (encryption === null) {
    if (isLoopback(host)) return ok(name, 'none, and none needed: the server is on this machine');
    const text = `None: everybody between here and ${host} can read passwords and messages.`;
    return hint(name, text, 'Ask for the TLS port and use --tls.');
  }
  const { protocol, subject, validTo } = encryption;
  const days = Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS);
  const text = `${protocol}, certificate of ${subject} valid until ${validTo}`;
  if (days >= EXPIRES_SOON_DAYS) return ok(name, text);
  return hint(name, `${text}: ${days} days.`, 'Its operator has to renew it.');
}

/** @param difference how far the server's clock is ahead, in milliseconds */
function checkClock(difference: number): Check {
  const seconds = (Math.abs(difference) / 1_000).toFixed(1);
  if (Math.abs(difference) <= MAX_CLOCK_DIFFERENCE_MS) return ok('clock', `${seconds} s from the server's`);
  const text = `The server's clock is ${seconds} s ${difference > 0 ? 'ahead' : 'behind'}: times look wrong.`;
  return hint('clock', text, 'Set this clock, or the server’s, by a time server (NTP).');
}

async function checkList({ settings, context, timeoutMs }: Subject): Promise<Check> {
  const name = 'accounts';
  const { servers, tls } = settings;
  const { interrupted } = context;
  const { program = '', times } = connectionOptions(settings, timeoutMs);
  const client = new Client({ ...DEFAULT_OPTIONS, ...times, program, servers, tls }, () => undefined);
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(timeoutMs)]);
  const end = () => void client.close();
  signal.addEventListener('abort', end, { once: true });
  try {
    client.start();
    await client.connected({ signal });
    const { names, more } = await client.list('', { limit: 1 });
    return ok(name, names.length === 0 && !more ? 'the server has none yet' : 'the server lists them');
  } catch (error) {
    interrupted.throwIfAborted();
    if (!(error instanceof ClientError)) throw error;
    return failedBy(name, failureOf(error), 'Is Kafka running? The frontend’s log says more.');
  } finally {
    signal.removeEventListener('abort', end);
    await client.close();
  }
}

async function checkLogin({ settings, context, timeoutMs }: Subject): Promise<Check> {
  const name = 'login';
  const { user } = settings;
  if (user === null) return hint(name, 'Not tried.', 'milena doctor --user NAME tries one, too.');
  const deadline = new Deadline(timeoutMs);
  const signal = AbortSignal.any([context.interrupted, deadline.signal]);
  try {
    if ((await knownPassword(user, settings, context)) === null) {
      return hint(name, 'Not tried: no password is known.', PASSWORD_WAYS);
    }
    const signIn = new SignIn({ name: user, settings, deadline, needsPassword: true }, context);
    const me = await signIn.enter({ deliver: 'live', timeoutMs, signal });
    const { undelivered } = me;
    await signIn.leave(me);
    const waits = undelivered === 1 ? '1 message waits' : `${undelivered} messages wait`;
    return ok(name, `as ${user}, through to Kafka; ${waits}`);
  } catch (error) {
    context.interrupted.throwIfAborted();
    if (error instanceof ClientError) return refusedLogin(name, error);
    if (error instanceof Failure && error.code === EXIT.TRY_LATER && !deadline.isOver) {
      return hint(
        name,
        `The password is right; ${user} is logged in elsewhere.`,
        'Commands for that account need --takeover, which ends that login; scripts better have their own account.',
      );
    }
    return failedBy(name, error);
  } finally {
    deadline.close();
  }
}

function refusedLogin(name: string, error: ClientError): Check {
  const next =
    error.refusal?.code === 'UNAVAILABLE' ? 'Is Kafka running? The frontend’s log says more.' : null;
  return failed(name, sanitiseLine(error.message), next, exitOf(error));
}

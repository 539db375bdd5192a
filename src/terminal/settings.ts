import { join } from 'node:path';
import { type ClientOptions, type ConnectOptions, DEFAULT_OPTIONS, serverText } from '../client/index.ts';
import { isLoopback } from '../util/networks.ts';
import type { Environment } from './environment.ts';
import { LastServerFile } from './last-server.ts';
import { baseFolder, type Flags, type Layer, SettingSources } from './setting-sources.ts';
import { frontendHere } from './started.ts';

/** Settings that cannot be used. The message has a line for each: which one, from where, what was wrong, an example. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const DEFAULT_SERVER = '127.0.0.1:8080';

/**
 * Settings from the file, the environment and the command line; the later ones count. An empty variable counts as not
 * set. Paths are relative to the file that has them, else to the current folder; `~/` is the home folder. Without any
 * server it is the frontend that runs here.
 * @throws SettingsError
 */
export function readSettings(flags: Flags, environment: Environment) {
  const reading = new SettingSources(environment);
  const fromFile = reading.file();
  const fromEnvironment = reading.environment();
  const fromFlags = reading.flags(flags);
  const given: Layer = { ...fromFile, ...fromEnvironment, ...fromFlags };
  const servers = given.server ?? [frontendHere(environment) ?? { host: '127.0.0.1', port: 8080 }];
  const [server = '', ...others] = servers.map(serverText);
  const tls = given.tls ? reading.tls(given.ca) : undefined;
  const elsewhere = servers.map(({ host }) => host).filter((host) => !isLoopback(host));
  if (!given.tls && !given.insecure && elsewhere.length > 0) {
    const what = elsewhere.length === 1 ? 'is another machine' : 'are other machines';
    reading.problems.push(
      `${[...new Set(elsewhere)].join(', ')} ${what}, and without encryption anybody between here and there can read ` +
        'your password and messages: use --tls, or --insecure if you trust the whole network.',
    );
  }
  if (reading.problems.length > 0) throw new SettingsError(reading.problems.join('\n'));
  const dataDir = given.dataDir ?? join(baseFolder(environment, 'XDG_DATA_HOME', '.local/share'), 'milena');
  return {
    /** At least one: of the same Milena, any of them will do. */
    servers,
    /** The first of them as people write it, HOST:PORT, and the others: by these names histories are found. */
    server,
    others,
    /** The flags by which another start of the client finds them, as a shell takes them; empty for the default. */
    serverFlags: serverFlagsOf(given, [server, ...others]),
    /** Undefined: plain text. */
    tls,
    /** The account to log in to; null: nobody said. */
    user: given.user ?? null,
    /** What this machine is called among the account's devices; null: it is the main one. */
    device: given.device ?? null,
    /** So many of the newest messages a device gets that is new; null: only what waits. */
    last: given.last ?? null,
    ...passwordSource(given, fromFlags, environment),
    theme: given.theme ?? 'auto',
    signs: given.signs ?? 'auto',
    /** Make links of addresses; null: where the terminal is known to have them. */
    links: given.links ?? null,
    /** Ring the terminal's bell. */
    bell: given.bell ?? true,
    /** Take the wheel and clicks from the terminal. */
    mouse: given.mouse ?? true,
    /** Words of the person's own that highlight a message. */
    highlight: given.highlight ?? [],
    /** How the terminal is asked to show notifications on the desktop. */
    desktop: given.desktop ?? 'auto',
    /** Run for each message that rings; null: none. */
    notify: given.notify ?? null,
    /** Opens an address; null: what the desktop has. */
    open: given.open ?? null,
    /** Whether texts are copied by the terminal. */
    clipboard: given.clipboard ?? 'ask',
    /** Lines instead of a screen. */
    plain: given.plain ?? false,
    /** Whether the login of the chat outlives it. */
    staysLoggedIn: given.stayLoggedIn ?? true,
    /** Where histories lie; null: nothing is kept on disk. */
    directory: given.history === false ? null : dataDir,
    /** The settings file, whether it exists or not. */
    file: reading.path,
  };
}

/** What a person may choose, as the chat and the commands get it. */
export type Settings = Readonly<ReturnType<typeof readSettings>>;

interface PasswordSource {
  /** Null also when MILENA_PASSWORD has the password itself, which counts before a file that no flag names. */
  readonly passwordFile: string | null;
  /** A program, with its arguments, that prints the password; null likewise. */
  readonly passwordCommand: readonly string[] | null;
}

/** A flag counts before MILENA_PASSWORD, which counts before the file and the other variables. */
function passwordSource(given: Layer, fromFlags: Layer, { MILENA_PASSWORD }: Environment): PasswordSource {
  const hasFlag = fromFlags.passwordFile !== undefined || fromFlags.passwordCommand !== undefined;
  const { passwordFile = null, passwordCommand = null } = hasFlag ? fromFlags : MILENA_PASSWORD ? {} : given;
  return { passwordFile, passwordCommand };
}

function serverFlagsOf({ tls, ca, insecure }: Layer, servers: readonly string[]): string {
  const list = servers.join(',');
  const flags = [
    list === DEFAULT_SERVER ? '' : `--server ${inShell(list)}`,
    tls ? (ca === undefined ? '--tls' : `--ca ${inShell(ca)}`) : '',
    insecure ? '--insecure' : '',
  ];
  return flags.filter(Boolean).join(' ');
}

function inShell(text: string): string {
  return /^[\w./:,@~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A server of several may take so long for an answer: longer than a frontend waits for Kafka. */
const PATIENCE_MS = 15_000;
/** What has its own end does not end just before it. */
const SPARE_MS = 1_000;

/**
 * How the servers of the settings are reached. What they may be spoken to like, the settings have seen to.
 * @param timeoutMs for everything together, where there is an end
 */
export function connectionOptions(
  { directory, servers, tls }: Settings,
  timeoutMs?: number,
): Pick<ConnectOptions, 'server' | 'tls' | 'insecure' | 'lastServer' | 'program'> & {
  readonly times?: ReturnType<typeof timesFor>;
} {
  return {
    server: servers.map(serverText),
    tls: tls ?? false,
    insecure: true,
    lastServer: LastServerFile.in(directory, servers),
    program: 'milena-terminal',
    ...(timeoutMs !== undefined && { times: timesFor(timeoutMs, servers.length > 1) }),
  };
}

function timesFor(
  timeoutMs: number,
  hasOthers: boolean,
): Pick<ClientOptions, 'connectTimeoutMs' | 'requestTimeoutMs' | 'deadAfterMs'> {
  const connectTimeoutMs = Math.min(timeoutMs, DEFAULT_OPTIONS.connectTimeoutMs);
  const requestTimeoutMs = hasOthers ? Math.min(PATIENCE_MS, timeoutMs / 2) : timeoutMs + SPARE_MS;
  return { connectTimeoutMs, requestTimeoutMs, deadAfterMs: requestTimeoutMs + DEFAULT_OPTIONS.deadAfterMs };
}

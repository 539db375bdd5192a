import { ProtocolError } from '../protocol/errors.ts';
import { v2 } from '../protocol/v2/codec.ts';
import type { Deliver, Request } from '../protocol/v2/requests.ts';
import { isLoopback } from '../util/networks.ts';
import { type Address, parseServers } from './address.ts';
import type { Credentials } from './authenticator.ts';
import { ClientError } from './errors.ts';
import { type ClientEvent, type ClientOptions, DEFAULT_OPTIONS } from './events.ts';
import type { LoginStore } from './identity.ts';
import { Milena } from './milena.ts';
import { parseUsername } from './names.ts';
import type { LastServer } from './route.ts';
import type { TlsSettings } from './socket.ts';
import type { MessageStore } from './store.ts';

export interface ConnectOptions extends Credentials {
  /** `HOST:PORT`, an IPv6 address in brackets; several of the same Milena as a list, or with commas between them. */
  readonly server: string | readonly string[];
  /** TLS 1.3; with an authority's certificate (PEM) to trust instead of those of this machine. */
  readonly tls?: boolean | TlsSettings | undefined;
  /** Plain text to another machine, where everybody on the way reads passwords and messages: refused without it. */
  readonly insecure?: boolean | undefined;
  /** `all` unless it is given: everything undelivered comes. `none`: only to send, beside any other login. */
  readonly deliver?: Deliver | undefined;
  /** With which of the account's devices, each of which gets everything; absent: the main one. The first login makes it. */
  readonly device?: string | undefined;
  /** Whether `onEvent` hears what the account's other devices send and read; with a `device` it does anyway. */
  readonly elsewhere?: boolean | undefined;
  /** Whether what is said in the account's rooms comes, too, and messages can go there; with `deliver: 'none'` they can anyway. */
  readonly rooms?: boolean | undefined;
  /** Of a device that logs in for the first time: so many of the newest messages, 1,000 at most, whatever others have. */
  readonly last?: number | undefined;
  /** What outlives this connection, such as a `MemoryMessageStore`; without one only the connection itself remembers. */
  readonly store?: MessageStore | undefined;
  /** Where the login is kept for later processes. */
  readonly logins?: LoginStore | undefined;
  /** Whether to wait for a server that is not there yet, instead of ending when each was tried. */
  readonly waitForServer?: boolean | undefined;
  /** What the server is told to have before it; `milena` unless it is given. */
  readonly program?: string | undefined;
  /** Which server of several answered last, kept for later processes. */
  readonly lastServer?: LastServer | undefined;
  /** For the login at first, where the server is busy, in milliseconds; 30,000 unless it is given. */
  readonly loginTimeoutMs?: number | undefined;
  /** Gives up connecting; it has no meaning once that is done. */
  readonly signal?: AbortSignal | undefined;
  /** Gets all that happens to the connection, the login and messages, in order; must not throw. */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
  /** Times in milliseconds, and how often is tried; see `DEFAULT_OPTIONS` for what holds otherwise. */
  readonly times?: Times | undefined;
}

/** A login that does not come back for a reason that may pass is tried for ever: nobody is there to ask. */
const RELOGIN = { firstMs: 1_000, maxMs: 15_000, tries: Number.POSITIVE_INFINITY };

/**
 * Connects and logs in to an account; from then on connections that are lost are made again, and the login with them.
 * @throws ClientError `OFFLINE` when no server answers, `REFUSED` when the account is not let in, `INVALID` for options that
 *   cannot be used, `ABORTED`, `TIMEOUT`, `DISCONNECTED`
 */
export async function connect(options: ConnectOptions): Promise<Milena> {
  const { server, tls = false, insecure = false, signal, times, ...others } = options;
  const program = options.program ?? DEFAULT_OPTIONS.program;
  checkOptions({ ...options, program });
  const user = parseUsername(options.user);
  const servers = serversOf(server);
  const elsewhere = servers.find(({ host }) => !isLoopback(host));
  if (tls === false && !insecure && elsewhere !== undefined) {
    throw new ClientError(
      'INVALID',
      `${elsewhere.host} is another machine: use tls, or insecure to speak plain text.`,
    );
  }
  const settings = tls === true ? {} : tls === false ? undefined : tls;
  return Milena.open(
    {
      ...DEFAULT_OPTIONS,
      relogin: RELOGIN,
      ...timesOf(times),
      ...others,
      user,
      program,
      servers,
      tls: settings,
    },
    signal,
  );
}

/** @throws ClientError `INVALID` */
function serversOf(server: string | readonly string[]): readonly Address[] {
  const text = Array.isArray(server) ? server.join(',') : String(server);
  const servers = parseServers(text);
  if (servers === undefined) {
    throw new ClientError(
      'INVALID',
      `"${text}" names no servers: HOST:PORT, or several with commas between them.`,
    );
  }
  return servers;
}

type TimeName = Exclude<keyof typeof DEFAULT_OPTIONS, 'program'>;

/** Times in milliseconds, and how often is tried; what is absent or undefined is as in `DEFAULT_OPTIONS`. */
export type Times = { readonly [Name in TimeName]?: ClientOptions[Name] | undefined };

/** No timer of Node waits longer: it would end at once. */
const MAX_TIME_MS = 2 ** 31 - 1;
const DELIVERIES: readonly unknown[] = ['all', 'live', 'none', undefined];

/** What may be wrong with options that the compiler has not seen, or that it cannot see. */
interface Unchecked {
  readonly program: unknown;
  readonly deliver?: unknown;
  readonly device?: unknown;
  readonly last?: unknown;
  readonly create?: unknown;
  readonly loginTimeoutMs?: unknown;
  readonly login?: { readonly token: unknown } | null | undefined;
  readonly password?: unknown;
}

/** @throws ClientError `INVALID` for what cannot be used */
function checkOptions({ program, deliver, loginTimeoutMs, login, password, ...others }: Unchecked): void {
  checkEncoded('program', { type: 'hello', client: program as string });
  const { device, last, create } = others;
  if (device !== undefined && create) throw invalid('device', 'absent: an account is made with its main one');
  checkEncoded('device', { type: 'login', username: 'x', device: device as string, last: last as number });
  if (!DELIVERIES.includes(deliver)) throw invalid('deliver', 'all, live or none');
  if (loginTimeoutMs !== undefined && !isTime(loginTimeoutMs)) throw invalid('loginTimeoutMs', TIME);
  const token = login?.token ?? null;
  if (token !== null && !(token instanceof Uint8Array)) throw invalid('login.token', 'bytes or null');
  const isSecret = ['string', 'function', 'undefined'].includes(typeof password) || password === null;
  if (!isSecret) throw invalid('password', 'text, or a function that gives it');
}

/** The times that are given, without those that are undefined. @throws ClientError `INVALID` */
function timesOf(times: Times = {}): Partial<Pick<ClientOptions, TimeName>> {
  const given = Object.entries(times).filter(([, value]) => value !== undefined);
  const defaults = new Map<string, unknown>(Object.entries(DEFAULT_OPTIONS));
  defaults.delete('program');
  for (const [name, value] of given) checkTime(`times.${name}`, value, defaults.get(name));
  return Object.fromEntries(given);
}

const TIME = `milliseconds from 0 to ${MAX_TIME_MS}`;

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_TIME_MS;
}

/** @param model what it is unless it is given */
function checkTime(name: string, value: unknown, model: unknown): void {
  if (model === undefined) throw invalid(name, 'absent: there is no such time');
  if (typeof model === 'number') {
    if (!isTime(value)) throw invalid(name, TIME);
    return;
  }
  const parts = new Map(Object.entries(value ?? {}));
  for (const part of Object.keys(model ?? {})) {
    const found = parts.get(part);
    if (part === 'tries' ? !(typeof found === 'number' && found >= 0) : !isTime(found)) {
      throw invalid(`${name}.${part}`, part === 'tries' ? 'a number from 0 on' : TIME);
    }
  }
}

/** Whether it can be told to a server at all: otherwise every greeting would fail. */
function checkEncoded(name: string, request: Request): void {
  try {
    // The codec is what decides it, of anything.
    v2.encodeRequest(request);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new ClientError('INVALID', `${name}: ${cause.message}`, { cause });
  }
}

function invalid(name: string, what: string): ClientError {
  return new ClientError('INVALID', `${name} has to be ${what}.`);
}

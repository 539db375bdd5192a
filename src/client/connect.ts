import { isLoopback } from '../util/loopback.ts';
import { type Address, parseServers } from './address.ts';
import type { Credentials } from './authenticator.ts';
import { ClientError } from './errors.ts';
import { type ClientEvent, DEFAULT_OPTIONS, type Deliver } from './events.ts';
import type { LoginStore } from './identity.ts';
import { Milena } from './milena.ts';
import { parseUsername } from './names.ts';
import { checkOptions, type Times, timesOf } from './options.ts';
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

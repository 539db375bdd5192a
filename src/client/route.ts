import { isIP, type Socket } from 'node:net';
import { grantedMs } from '../util/backoff.ts';
import { type Address, serverText } from './address.ts';
import { ClientError } from './errors.ts';
import { openSocket, socketReason, type TlsSettings } from './socket.ts';

/** Addresses of one name that are tried; a name server that gives more is not followed. */
const MAX_ADDRESSES = 16;
/** What is left of the time that a server asked for is rounded up to this. */
const HELD_STEP_MS = 10;

/** One address of one server. */
export interface Stop {
  /** As the settings name it: what its certificate must be for. */
  readonly server: Address;
  /** Where the socket goes: an IP address and the server's port. */
  readonly address: Address;
  /** For people: `HOST:PORT`, with the IP address behind it where the name has several. */
  readonly label: string;
}

export interface Opened {
  readonly socket: Socket;
  readonly stop: Stop;
}

/** Which server of the list answered last, so that a later process begins with it; it only spares time. */
export interface LastServer {
  /** `HOST:PORT`; undefined: nobody knows. */
  server(): string | undefined;
  /** Its IP address. */
  address(): string | undefined;
  remember(server: string, address: string): void;
}

/** All addresses of a name, in the order in which they are to be tried. @throws what DNS throws */
export type Lookup = (host: string) => Promise<readonly string[]>;

export interface RouteOptions {
  readonly servers: readonly Address[];
  /** Absent: plain text. */
  readonly tls?: TlsSettings | undefined;
  /** Where the last good server is remembered. */
  readonly lastServer?: LastServer | undefined;
  readonly lookup?: Lookup | undefined;
}

/**
 * The way from server to server of a list: in each *round* every address is tried once, the last good one first. Who
 * makes connections says what became of each; when a round is over, it is time for a pause.
 */
export class Route {
  readonly #options: RouteOptions;
  readonly #lookup: Lookup;
  /** Servers that this round has still to come to, and the addresses of the present one. */
  #servers: Address[] = [];
  #stops: Stop[] = [];
  /** The addresses of the present server, as they were looked up. */
  #ofServer: readonly Stop[] = [];
  /** What became of each address in this round. */
  #tried: { readonly label: string; readonly reason: string }[] = [];
  #good: Stop | undefined;
  /** Those that this round has come to. */
  #seen: Stop[] = [];
  /** Until when a server does not want to be tried, on the monotonic clock; by its address. What is over is taken out. */
  readonly #heldUntil = new Map<string, number>();

  constructor(options: RouteOptions) {
    this.#options = options;
    this.#lookup = options.lookup ?? addressesOf;
    this.begin();
  }

  /** Whether there is another one to be tried at once. */
  get hasMore(): boolean {
    return this.left > 0;
  }

  /** How many are still to be tried in this round, each server counted once until its addresses are known. */
  get left(): number {
    return this.#stops.length + this.#servers.length;
  }

  /** Why the round failed: with the name of each server that was tried, if there are several. */
  get reason(): string {
    const [first, ...others] = this.#tried;
    if (first === undefined) return 'the servers asked for a pause';
    if (others.length === 0 && this.#options.servers.length === 1) return first.reason;
    return this.#tried.map(({ label, reason }) => `${label} (${reason})`).join(', ');
  }

  /** A new round, from the last good server on. */
  begin(): void {
    const { servers, lastServer } = this.#options;
    const last = this.#good === undefined ? lastServer?.server() : serverText(this.#good.server);
    const first = servers.findIndex((server) => serverText(server) === last);
    this.#servers = rotated(servers, Math.max(0, first));
    this.#stops = [];
    this.#ofServer = [];
    this.#tried = [];
    this.#seen = [];
  }

  /**
   * A socket to the next address that takes one; undefined when the round is over.
   * @param patienceMs for each address, in milliseconds; half of it while there are others: one packet may be lost, and
   *   is sent again after a second
   * @throws ClientError `OFFLINE` when it is aborted
   */
  async open(patienceMs: () => number, signal: AbortSignal): Promise<Opened | undefined> {
    for (;;) {
      if (this.#stops.length === 0 && !(await this.#nextServer(patienceMs(), signal))) return undefined;
      const stop = this.#stops.shift();
      if (stop === undefined) continue;
      this.#seen.push(stop);
      if (this.#holdOf(stop) > 0) continue;
      try {
        const left = patienceMs() / (this.hasMore ? 2 : 1);
        const socket = await openSocket(stop, this.#options.tls, left, signal);
        return { socket, stop };
      } catch (error) {
        if (signal.aborted || !(error instanceof ClientError)) throw error;
        this.#tried.push({ label: stop.label, reason: error.message });
      }
    }
  }

  /** A Milena server answers there. */
  good(stop: Stop): void {
    this.#good = stop;
    const hasChoice = this.#options.servers.length > 1 || stop.label !== serverText(stop.server);
    if (hasChoice) this.#options.lastServer?.remember(serverText(stop.server), stop.address.host);
  }

  /** It did not do, or not for long: the round goes on. */
  failed({ label }: Stop, reason: string): void {
    this.#tried.push({ label, reason });
  }

  /** A good connection has ended: a new round, in which this one has had its turn. */
  lost(stop: Stop, reason: string): void {
    const { servers } = this.#options;
    const ofServer = this.#ofServer;
    this.begin();
    this.#servers = rotated(servers, servers.indexOf(stop.server)).slice(1);
    this.#ofServer = ofServer;
    this.#stops = ofServer.filter((other) => other !== stop);
    this.#seen = [stop];
    this.failed(stop, reason);
  }

  /** The same one again, before any other. */
  again(stop: Stop): void {
    this.#stops = [stop, ...this.#stops.filter((other) => other !== stop)];
  }

  /** It asked not to be tried for a while. Others may be. */
  hold({ address }: Stop, milliseconds: number): void {
    const now = performance.now();
    for (const [key, until] of this.#heldUntil) if (until <= now) this.#heldUntil.delete(key);
    this.#heldUntil.set(serverText(address), now + grantedMs(milliseconds));
  }

  /** For how long no server of the round wants to be tried, in milliseconds. */
  get heldMs(): number {
    const left = this.#seen.map((stop) => this.#holdOf(stop));
    return left.length === 0 ? 0 : Math.ceil(Math.min(...left) / HELD_STEP_MS) * HELD_STEP_MS;
  }

  #holdOf({ address }: Stop): number {
    const until = this.#heldUntil.get(serverText(address)) ?? 0;
    return Math.max(0, until - performance.now());
  }

  /** Looks up the next server; false if there is none. Its own addresses begin with the one that was good last. */
  async #nextServer(patienceMs: number, signal: AbortSignal): Promise<boolean> {
    const server = this.#servers.shift();
    if (server === undefined) return false;
    try {
      const hosts = (await inTime(this.#lookup(server.host), patienceMs, signal)).slice(0, MAX_ADDRESSES);
      const last = this.#good?.address.host ?? this.#options.lastServer?.address();
      const first = Math.max(0, hosts.indexOf(last ?? ''));
      const label = serverText(server);
      this.#ofServer = rotated(hosts, first).map((host) => ({
        server,
        address: { host, port: server.port },
        label: hosts.length === 1 ? label : `${label} (${host})`,
      }));
      this.#stops = [...this.#ofServer];
    } catch (error) {
      if (signal.aborted) throw error;
      const reason = error instanceof Error ? socketReason(error) : String(error);
      this.#tried.push({ label: serverText(server), reason });
    }
    return true;
  }
}

/** `No connection to a:1: why`, or of several servers all, each with its reason. @param reason as `Route.reason` */
export function noConnection(servers: readonly Address[], reason: string): string {
  const text = reason.replace(/\.$/, '');
  const [server] = servers;
  return servers.length === 1 && server !== undefined
    ? `No connection to ${serverText(server)}: ${text}`
    : `No connection: ${text}`;
}

async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  // Loaded only here: an address needs nobody who knows names.
  const { lookup } = process.getBuiltinModule('node:dns/promises');
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** What is looked up cannot be called back; nobody has to wait for it. */
function inTime<Value>(promise: Promise<Value>, milliseconds: number, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new ClientError('OFFLINE', 'given up'));
    const seconds = Math.ceil(milliseconds / 1_000);
    const timer = setTimeout(
      () => reject(new ClientError('OFFLINE', `no name server answers within ${seconds} s`)),
      milliseconds,
    );
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const settled = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    promise.then(resolve, reject).finally(settled);
  });
}

function rotated<Item>(items: readonly Item[], first: number): Item[] {
  return [...items.slice(first), ...items.slice(0, first)];
}

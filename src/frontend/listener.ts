import { type BlockList, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { ProtocolError } from '../protocol/errors.ts';
import { Connection } from './connection.ts';
import type { Services } from './handlers/context.ts';
import { callerOf, type Remote } from './identity/address.ts';
import { InputPool } from './input-pool.ts';
import { type NoPlace, type Place, Places } from './places.ts';
import { takeProxyHeader } from './proxy-header.ts';
import { Session } from './session.ts';
import { readTlsFiles, type TlsFiles, TlsReloader } from './tls.ts';
import { FALLBACK_VERSION, VERSIONS } from './versions.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly maxConnections: number;
  /** Null or absent: without TLS. */
  readonly tls?: TlsFiles | null;
  /** Balancers that say by PROXY protocol 2 for whom they speak; from these addresses nothing else is taken. */
  readonly proxies?: BlockList;
}

/**
 * Connections that the kernel completes before they are accepted; it takes no more than net.core.somaxconn, mostly 4,096.
 * What comes beyond is dropped without a word and tried again by the other end's kernel, ever later: of ten thousand
 * clients that came back in two seconds to a frontend with 511, the last one took two minutes.
 */
const LISTEN_BACKLOG = 16_384;

/** What a TLS handshake takes of the event loop, ms: an ECDSA or RSA signature and the key exchange. */
const HANDSHAKE_MS = 1;

/** A TLS connection that is being made: whose it is. */
interface Handshake {
  readonly remote: Remote;
  readonly place: Place;
}

/** Accepts connections and gives each its session, all in one event loop. */
export class Listener {
  readonly #services: Services;
  readonly #server: Server;
  readonly #tls: TlsServer | null;
  readonly #reloader: TlsReloader | null;
  readonly #proxies: BlockList | null;
  /** A session may outlive its socket (sends wait for Kafka), a socket its session (the client reads the last words). */
  readonly #places: Places;
  /** Of those whose TLS handshake is not through. */
  readonly #handshakePlaces: Places;
  /** By address and port of the other end of the socket; as many as there are of the latter places. */
  readonly #handshakes = new Map<string, Handshake>();
  readonly #sessions = new Set<Session>();
  /** Sockets of those who are told why they have to go; at most `refusedConnections`, above that nobody is told. */
  readonly #refused = new Set<Socket>();
  readonly #input: InputPool;

  private constructor(services: Services, { maxConnections, tls = null, proxies }: ListenOptions) {
    const { limits } = services;
    this.#services = services;
    this.#proxies = proxies ?? null;
    this.#places = new Places({ all: maxConnections, perAddress: limits.connectionsPerAddress });
    this.#handshakePlaces = new Places({
      all: limits.handshakesAtOnce,
      perAddress: limits.handshakesPerAddress,
    });
    this.#input = new InputPool(limits.strangersUnreadBytes);
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      this.#accept(socket),
    );
    this.#tls = tls === null ? null : this.#tlsServer(tls);
    this.#reloader =
      tls === null
        ? null
        : new TlsReloader(tls, services.log, (options) => this.#tls?.setSecureContext(options));
  }

  /** Uses the certificate that lies in its files now, for new connections. */
  reloadCertificate(): void {
    this.#reloader?.reload();
  }

  /** @throws ConfigError for TLS files that cannot be used; the error of `net.Server` (EADDRINUSE, EADDRNOTAVAIL, …) when the address cannot be had */
  static async open(services: Services, options: ListenOptions): Promise<Listener> {
    const listener = new Listener(services, options);
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject);
      listener.#server.listen({ host: options.host, port: options.port, backlog: LISTEN_BACKLOG }, () => {
        listener.#server.off('error', reject);
        // An accept that fails (no file descriptors left) is the loss of that connection only.
        listener.#server.on('error', (error) =>
          services.log.warn({ err: error }, 'a connection was not accepted'),
        );
        resolve();
      });
    });
    return listener;
  }

  /** Where it listens really. */
  get address(): { readonly host: string; readonly port: number } {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return { host: address.address, port: address.port };
  }

  /** Number of sessions that are not over. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /**
   * No new connections; every session ends after the requests it has under way, and gives its inbox back.
   * @returns the number of sessions that were not through by the deadline and were cut off
   */
  async drain(deadlineMs: number): Promise<number> {
    this.#reloader?.close();
    const allClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#refused) socket.destroy();
    const all = Promise.all([...this.#sessions].map((session) => session.shutdown()));
    await Promise.race([all, delay(deadlineMs, undefined, { ref: false })]);
    const cutOff = this.#sessions.size;
    for (const session of this.#sessions) session.destroy();
    // Each socket lingers for a bounded time, until its client has read the last words.
    await allClosed;
    return cutOff;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {});
    const { remoteAddress: address, remotePort: port } = socket;
    const remote = { address, port };
    if (address !== undefined && this.#proxies?.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) {
      void this.#acceptProxied(socket, remote);
    } else {
      this.#welcome(socket, remote);
    }
  }

  /** For whom the balancer speaks counts from here on; the balancer itself may have as many connections as it likes. */
  async #acceptProxied(socket: Socket, balancer: Remote): Promise<void> {
    const timer = setTimeout(() => socket.destroy(), this.#services.limits.handshakeMs);
    try {
      const { remote } = await takeProxyHeader(socket);
      this.#welcome(socket, remote ?? balancer);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#services.log.warn(
        { peer: balancer.address, reason },
        'a balancer did not say for whom it speaks',
      );
      socket.destroy();
    } finally {
      clearTimeout(timer);
    }
  }

  #welcome(socket: Socket, remote: Remote): void {
    if (socket.destroyed) return;
    if (this.#tls === null) this.#begin(socket, remote);
    else this.#beginHandshake(this.#tls, socket, remote);
  }

  #begin(socket: Socket, remote: Remote): void {
    const address = callerOf(remote.address);
    let session: Session | null = null;
    const place = this.#places.take(address, {
      get mayBeEvicted() {
        return session?.isStranger ?? true;
      },
      evict: () => {
        if (session === null) return;
        this.#services.log.info({ peer: remote.address }, 'a stranger had to make room');
        this.#linger(socket);
        session.end(new ProtocolError('BUSY', 'Somebody else needed the place: log in sooner.'));
      },
    });
    if (typeof place === 'string') {
      this.#refuse(socket, remote, place);
      return;
    }
    const { limits } = this.#services;
    const connection = new Connection(socket, remote, [...VERSIONS.keys()], limits, this.#input);
    session = new Session(connection, this.#services, place.settle);
    const begun = session;
    this.#sessions.add(begun);
    const socketClosed = new Promise<void>((resolve) => socket.once('close', resolve));
    void begun.closed.then(() => this.#sessions.delete(begun));
    void Promise.all([begun.closed, socketClosed]).then(place.leave);
    socket.resume();
  }

  // TLS

  #tlsServer(files: TlsFiles): TlsServer {
    const { handshakeMs: handshakeTimeout } = this.#services.limits;
    const server = createTlsServer({ ...readTlsFiles(files), allowHalfOpen: true, handshakeTimeout });
    server.on('secureConnection', (socket) => {
      const handshake = this.#handshakes.get(endOf(socket));
      this.#handshakes.delete(endOf(socket));
      handshake?.place.leave();
      if (handshake !== undefined) this.#begin(socket, handshake.remote);
      else socket.destroy();
    });
    server.on('tlsClientError', (error, socket) => {
      this.#services.log.debug(
        { peer: socket.remoteAddress, reason: error.message },
        'no TLS connection came about',
      );
      socket.destroy();
    });
    return server;
  }

  /** Handshakes are what costs a stranger least and us most: few at once, and each has its share of the strangers' time. */
  #beginHandshake(tls: TlsServer, socket: Socket, remote: Remote): void {
    const address = callerOf(remote.address);
    const place = this.#handshakePlaces.take(address, { mayBeEvicted: true, evict: () => socket.destroy() });
    if (typeof place === 'string') throw new Error('handshakes can always be evicted');
    const end = endOf(socket);
    socket.once('close', () => {
      place.leave();
      this.#handshakes.delete(end);
    });
    const lane = this.#services.shares.requests.anonymous;
    const begin = (): void => {
      if (socket.destroyed) return;
      this.#handshakes.set(end, { remote, place });
      lane.charge(HANDSHAKE_MS);
      tls.emit('connection', socket);
    };
    if (lane.isFree) begin();
    else lane.wait(address, begin, 'fresh');
  }

  // Those who have to go

  #refuse(socket: Socket, remote: Remote, reason: NoPlace): void {
    const text =
      reason === 'all'
        ? 'The server has as many connections as it can take: try again later.'
        : 'There are as many connections from your address as one may have.';
    this.#services.log.warn({ peer: remote.address, limit: reason }, 'too many connections');
    if (!this.#linger(socket)) return;
    // Input is dropped until the client closes: closing first would lose the answer.
    socket.on('end', () => socket.destroySoon());
    socket.resume();
    socket.end(FALLBACK_VERSION.encodeFailure(new ProtocolError('BUSY', text)));
  }

  /** A moment for the last words, for a bounded number of sockets. @returns whether there is one */
  #linger(socket: Socket): boolean {
    const { refusedConnections, lingerMs } = this.#services.limits;
    if (this.#refused.size >= refusedConnections) {
      socket.destroy();
      return false;
    }
    this.#refused.add(socket);
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#refused.delete(socket);
    });
    return true;
  }
}

/** What tells one connection from all others that are open. */
function endOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

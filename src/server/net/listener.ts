import { type BlockList, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { Semaphore } from '../../util/semaphore.ts';
import type { Services } from '../commands/context.ts';
import { callerOf, plainAddress, type Remote } from '../identity/address.ts';
import { takeProxyHeader } from './proxy-header.ts';
import { Reception } from './reception.ts';
import { SocketTransport } from './socket-transport.ts';
import { readTlsFiles, type TlsFiles, TlsReloader } from './tls.ts';

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

/** What they take of the event loop, ms: to accept a connection; a TLS handshake, which is a signature and a key exchange. */
const ACCEPT_MS = 0.1;
const HANDSHAKE_MS = 1;
/** A handshake that takes longer has to go where others wait for its turn. */
const HANDSHAKE_TURN_MS = 3_000;

/** A TLS connection that is being made. */
interface Handshake {
  readonly secured: (socket: Socket) => void;
}

/** Accepts connections over TCP and TLS, and hands them to the reception. */
export class Listener {
  readonly #services: Services;
  readonly #server: Server;
  readonly #tls: TlsServer | null;
  readonly #reloader: TlsReloader | null;
  readonly #proxies: BlockList | null;
  readonly #reception: Reception;
  /** For TLS handshakes: whoever waits has a place already, and addresses take turns. */
  readonly #handshaking: Semaphore;
  /** Those under way, by both ends of the connection; as many as the semaphore lets in. */
  readonly #handshakes = new Map<string, Handshake>();
  /** Sockets that are not ready for frames yet: behind a balancer, or before the end of their handshake. */
  readonly #arriving = new Set<Socket>();
  #isDraining = false;

  private constructor(services: Services, { maxConnections, tls = null, proxies }: ListenOptions) {
    const { limits } = services;
    this.#services = services;
    this.#proxies = proxies ?? null;
    this.#reception = new Reception(services, maxConnections);
    this.#handshaking = new Semaphore(limits.handshakesAtOnce);
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

  /** Where every connection goes, also those that come another way. */
  get reception(): Reception {
    return this.#reception;
  }

  /**
   * No new connections; every session ends after the requests it has under way, and gives its inbox back.
   * @returns the number of sessions that were not through by the deadline and were cut off
   */
  async drain(deadlineMs: number): Promise<number> {
    this.#isDraining = true;
    this.#reloader?.close();
    const allClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#arriving) socket.destroy();
    const cutOff = await this.#reception.drain(deadlineMs);
    // Each socket lingers for a bounded time, until its client has read the last words.
    await allClosed;
    return cutOff;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {});
    if (this.#isDraining) {
      socket.destroy();
      return;
    }
    this.#services.quotas.requests.anonymous.charge(ACCEPT_MS);
    this.#arriving.add(socket);
    socket.once('close', () => this.#arriving.delete(socket));
    const { remoteAddress: address, remotePort: port } = socket;
    const remote = { address: plainAddress(address), port };
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
    const tls = this.#tls;
    if (tls === null) {
      this.#reception.welcome(this.#transport(socket, remote));
      this.#arriving.delete(socket);
      return;
    }
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
    });
    const begin = this.#reception.reserve({ remote, closed, destroy: () => socket.destroy() });
    if (begin === null) return;
    const secured = (stream: Socket): void => begin(this.#transport(stream, remote));
    void this.#handshaking.pass(callerOf(remote.address), () =>
      this.#handshake(tls, socket, remote, secured),
    );
  }

  #transport(socket: Socket, remote: Remote): SocketTransport {
    return new SocketTransport(socket, remote, this.#services.limits.keepAliveMs);
  }

  // TLS

  #tlsServer(files: TlsFiles): TlsServer {
    const { handshakeMs: handshakeTimeout } = this.#services.limits;
    const server = createTlsServer({ ...readTlsFiles(files), allowHalfOpen: true, handshakeTimeout });
    server.on('secureConnection', (socket) => {
      const handshake = this.#handshakes.get(endsOf(socket));
      if (handshake === undefined || this.#isDraining) socket.destroy();
      else handshake.secured(socket);
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

  /**
   * Handshakes are what costs a stranger least and us most: few at once, and each is charged to the strangers' time.
   * Resolves when it is through, or the socket closed.
   */
  async #handshake(
    tls: TlsServer,
    socket: Socket,
    remote: Remote,
    begin: (stream: Socket) => void,
  ): Promise<void> {
    const lane = this.#services.quotas.requests.anonymous;
    const address = callerOf(remote.address);
    if (!lane.isFree) {
      await new Promise<void>((resolve) => {
        lane.wait(address, resolve, 'fresh');
        socket.once('close', () => {
          lane.forget(address, resolve);
          resolve();
        });
      });
    }
    if (socket.destroyed || this.#isDraining) return;
    lane.charge(HANDSHAKE_MS);
    const ends = endsOf(socket);
    const slow = setInterval(() => {
      if (this.#handshaking.waiting > 0) socket.destroy();
    }, HANDSHAKE_TURN_MS);
    const { promise, resolve } = Promise.withResolvers<void>();
    const handshake: Handshake = {
      secured: (stream) => {
        this.#arriving.delete(socket);
        begin(stream);
        resolve();
      },
    };
    this.#handshakes.set(ends, handshake);
    socket.once('close', () => resolve());
    tls.emit('connection', socket);
    await promise;
    clearInterval(slow);
    if (this.#handshakes.get(ends) === handshake) this.#handshakes.delete(ends);
  }
}

/** What tells one connection from all others that are open. */
function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}

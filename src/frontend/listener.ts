import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { ProtocolError } from '../protocol/errors.ts';
import { Connection } from './connection.ts';
import type { Services } from './handlers/context.ts';
import { callerOf } from './identity/address.ts';
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
}

/**
 * Connections that the kernel completes before they are accepted; it takes no more than net.core.somaxconn, mostly 4,096.
 * What comes beyond is dropped without a word and tried again by the other end's kernel, ever later: of ten thousand
 * clients that came back in two seconds to a frontend with 511, the last one took two minutes.
 */
const LISTEN_BACKLOG = 16_384;

/** Accepts connections and gives each its session, all in one event loop. */
export class Listener {
  readonly #services: Services;
  readonly #maxConnections: number;
  readonly #server: Server;
  /**
   * At most `maxConnections` of each; who comes above is told so and closed. A session may outlive its socket (sends
   * wait for Kafka), a socket its session (the client reads the last words).
   */
  readonly #sessions = new Set<Session>();
  readonly #sockets = new Set<Socket>();
  /** Connections of each address; as many as there are sockets at most. */
  readonly #perAddress = new Map<string, number>();
  /** Sockets of those who are told; at most `refusedConnections`, above that nobody is told. */
  readonly #refused = new Set<Socket>();

  readonly #reloader: TlsReloader | null;

  private constructor(services: Services, { maxConnections, tls = null }: ListenOptions) {
    this.#services = services;
    this.#maxConnections = maxConnections;
    if (tls === null) {
      this.#server = createServer({ allowHalfOpen: true }, (socket) => {
        if (this.#admit(socket)) this.#begin(socket);
      });
      this.#reloader = null;
      return;
    }
    const handshakeTimeout = services.limits.handshakeMs;
    const server = createTlsServer({ ...readTlsFiles(tls), allowHalfOpen: true, handshakeTimeout });
    // Counted before the handshake: it is what costs most. Whoever is refused then cannot be told why.
    server.on('connection', (socket: Socket) => this.#admit(socket, 'silently'));
    server.on('secureConnection', (socket) => this.#begin(socket));
    server.on('tlsClientError', (error, socket) => {
      services.log.debug(
        { peer: socket.remoteAddress, reason: error.message },
        'no TLS connection came about',
      );
      socket.destroy();
    });
    this.#server = server;
    this.#reloader = new TlsReloader(tls, services.log, (options) => server.setSecureContext(options));
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

  /** Counts a new socket, unless there are too many. */
  #admit(socket: Socket, refusal: 'told' | 'silently' = 'told'): boolean {
    const { limits, log } = this.#services;
    const address = callerOf(socket.remoteAddress);
    const fromThere = this.#perAddress.get(address) ?? 0;
    const isFull = Math.max(this.#sessions.size, this.#sockets.size) >= this.#maxConnections;
    if (isFull || fromThere >= limits.connectionsPerAddress) {
      const text = isFull
        ? 'The server has as many connections as it can take: try again later.'
        : 'There are as many connections from your address as one may have.';
      log.warn({ peer: socket.remoteAddress, limit: isFull ? 'all' : 'address' }, 'too many connections');
      socket.on('error', () => {});
      if (refusal === 'silently') socket.destroy();
      else this.#refuse(socket, new ProtocolError('BUSY', text));
      return false;
    }
    this.#sockets.add(socket);
    this.#perAddress.set(address, fromThere + 1);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
    return true;
  }

  #begin(socket: Socket): void {
    const connection = new Connection(socket, [...VERSIONS.keys()], this.#services.limits);
    const session = new Session(connection, this.#services);
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
  }

  #refuse(socket: Socket, reason: ProtocolError): void {
    const { limits } = this.#services;
    if (this.#refused.size >= limits.refusedConnections) {
      socket.destroy();
      return;
    }
    this.#refused.add(socket);
    const timer = setTimeout(() => socket.destroy(), limits.lingerMs);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#refused.delete(socket);
    });
    // Input is dropped until the client closes: closing first would lose the answer.
    socket.on('end', () => socket.destroySoon());
    socket.resume();
    socket.end(FALLBACK_VERSION.encodeFailure(reason));
  }
}

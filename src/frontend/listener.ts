import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError } from '../protocol/errors.ts';
import { Connection } from './connection.ts';
import type { Services } from './handlers/context.ts';
import { Session } from './session.ts';
import { FALLBACK_VERSION, VERSIONS } from './versions.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly maxConnections: number;
}

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
  /** Sockets of those who are told; at most `refusedConnections`, above that nobody is told. */
  readonly #refused = new Set<Socket>();

  private constructor(services: Services, maxConnections: number) {
    this.#services = services;
    this.#maxConnections = maxConnections;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** @throws the error of `net.Server` (EADDRINUSE, EADDRNOTAVAIL, …) when the address cannot be had */
  static async open(services: Services, options: ListenOptions): Promise<Listener> {
    const listener = new Listener(services, options.maxConnections);
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject);
      listener.#server.listen({ host: options.host, port: options.port, backlog: 511 }, () => {
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
    if (Math.max(this.#sessions.size, this.#sockets.size) >= this.#maxConnections) {
      this.#refuse(socket);
      return;
    }
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    const connection = new Connection(socket, [...VERSIONS.keys()], this.#services.limits);
    const session = new Session(connection, this.#services);
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
  }

  #refuse(socket: Socket): void {
    const { limits, log } = this.#services;
    log.warn({ peer: socket.remoteAddress, limit: this.#maxConnections }, 'too many connections');
    socket.on('error', () => {});
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
    const full = new ProtocolError(
      'BUSY',
      'The server has as many connections as it can take: try again later.',
    );
    socket.end(FALLBACK_VERSION.encodeFailure(full));
  }
}

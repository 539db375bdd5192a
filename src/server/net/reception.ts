import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError } from '../../protocol/errors.ts';
import { FALLBACK_VERSION, VERSIONS } from '../adapters/versions.ts';
import type { Services } from '../commands/context.ts';
import { callerOf } from '../identity/address.ts';
import { Session } from '../session/session.ts';
import { Connection, InputPool } from './connection.ts';
import { type NoPlace, type Place, Places } from './places.ts';
import type { Transport } from './transport.ts';

/** As much of a connection as there is before frames can go over it. */
export type Line = Pick<Transport, 'remote' | 'closed' | 'destroy'>;

/** Gives each connection its place and its session, whatever way it came. */
export class Reception {
  readonly #services: Services;
  /** A session may outlive its connection (sends wait for Kafka), a connection its session (the client reads the last words). */
  readonly #places: Places;
  readonly #input: InputPool;
  readonly #sessions = new Set<Session>();
  /** Those who are told why they have to go; at most `refusedConnections`, above that nobody is told. */
  readonly #refused = new Set<Line>();

  #isDraining = false;

  constructor(services: Services, maxConnections: number) {
    const { limits } = services;
    this.#services = services;
    this.#places = new Places({ all: maxConnections, perAddress: limits.connectionsPerAddress });
    this.#input = new InputPool(limits.strangersUnreadBytes);
  }

  /** Number of sessions that are not over. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** A connection has come, and frames may go over it. Where there is no place for it, it is told so and ended. */
  welcome(transport: Transport): void {
    if (this.#isDraining) {
      transport.destroy();
      return;
    }
    const place = this.#take(transport);
    if (typeof place === 'string') this.#refuse(transport, place);
    else place(transport);
  }

  /**
   * A place for a connection that others make ready for frames. Where there is none, it is closed: nobody can be told yet.
   * @returns begins the session, once it is ready; null: there was no place
   */
  reserve(line: Line): ((transport: Transport) => void) | null {
    const place = this.#take(line);
    if (typeof place !== 'string') return place;
    line.destroy();
    return null;
  }

  /**
   * Takes nobody any more, and ends every session after the requests it has under way; each gives its inbox back.
   * @returns the number of sessions that were not through by the deadline, in ms, and were cut off
   */
  async drain(deadlineMs: number): Promise<number> {
    this.#isDraining = true;
    for (const line of this.#refused) line.destroy();
    const all = Promise.all([...this.#sessions].map((session) => session.shutdown()));
    await Promise.race([all, delay(deadlineMs, undefined, { ref: false })]);
    const cutOff = this.#sessions.size;
    for (const session of this.#sessions) session.destroy();
    return cutOff;
  }

  #take(line: Line): ((transport: Transport) => void) | NoPlace {
    let session: Session | null = null;
    const { address } = line.remote;
    const evict = (): void => {
      this.#services.log.info({ peer: address }, 'a stranger had to make room');
      if (session === null) line.destroy();
      else if (this.#linger(line)) session.end(new ProtocolError('BUSY', NO_LOGIN));
    };
    const place = this.#places.take(callerOf(address), evict);
    if (typeof place === 'string') {
      this.#services.log.warn({ peer: address, limit: place }, 'too many connections');
      return place;
    }
    void line.closed.then(() => {
      if (session === null) place.leave();
      else void session.closed.then(place.leave);
    });
    return (transport) => {
      session = this.#begin(transport, place);
    };
  }

  #begin(transport: Transport, place: Place): Session {
    const connection = new Connection(transport, [...VERSIONS.keys()], this.#services.limits, this.#input);
    const session = new Session(connection, this.#services, place.isStrangers);
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    transport.resume();
    return session;
  }

  #refuse(transport: Transport, reason: NoPlace): void {
    if (!this.#linger(transport)) return;
    // Input is dropped until the client closes: closing first would lose the answer.
    let dropped = 0;
    transport.listen({
      received: ({ length }) => {
        dropped += length;
        if (dropped > this.#services.limits.strangersDiscardedBytes) transport.destroy();
      },
      ended() {},
      closed() {},
    });
    transport.resume();
    transport.write(FALLBACK_VERSION.encodeFailure(new ProtocolError('BUSY', NO_PLACE[reason])));
    transport.end();
  }

  /** A moment for the last words, for a bounded number of connections. @returns false where it was closed instead */
  #linger(line: Line): boolean {
    const { refusedConnections, lingerMs } = this.#services.limits;
    if (this.#refused.size >= refusedConnections) {
      line.destroy();
      return false;
    }
    this.#refused.add(line);
    const timer = setTimeout(() => line.destroy(), lingerMs);
    void line.closed.then(() => {
      clearTimeout(timer);
      this.#refused.delete(line);
    });
    return true;
  }
}

const NO_LOGIN = 'Somebody else needed the place: log in sooner.';
const NO_PLACE: Readonly<Record<NoPlace, string>> = {
  all: 'The server has as many connections as it can take: try again later.',
  address: 'There are as many connections from your address as one may have.',
};

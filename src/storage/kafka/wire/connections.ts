import { type API, Connection, type ConnectionOptions, TimeoutError } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { KafkaCode, KafkaError } from './kafka-error.ts';
import { type KafkaSecurity, securityTo } from './kafka-security.ts';
import type { Refusals } from './refusals.ts';
import { now } from './retry.ts';
import { askVersions, sendNoting } from './send.ts';
import type { Throttles } from './throttles.ts';
import { Trouble } from './trouble.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** As a connection has it, which may not be connected. */
interface MaybeAddress {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

const CONNECT_TIMEOUT_MS = 3_000;
/** Longer than any request's own time limit on the broker, so that it is the broker who gives up first. */
const REQUEST_TIMEOUT_MS = 7_000;
/** Requests under way on one shared connection; more wait in the library's queue. */
const MAX_INFLIGHT = 512;

export interface ConnectionsOptions {
  readonly clientId: string;
  /** TLS and SASL. */
  readonly security?: KafkaSecurity;
  /** Hears when a broker goes away, and when it is back: whoever asked it need not say so. */
  readonly log?: Logger;
  /** Hears what Kafka refuses for want of a right. */
  readonly refusals?: Refusals;
  /** Hears of answers that Kafka has kept back because of a quota. */
  readonly throttles?: Throttles;
}

/** Connections to brokers: shared ones by key, and some for one alone; what is asked over them, and who does not answer. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #connections = new Map<string, Promise<Connection>>();
  /** The latest version of each request that the broker at the other end knows. It goes with its connection. */
  readonly #versions = new WeakMap<Connection, Promise<ReadonlyMap<number, number>>>();
  /** Of brokers that do not answer now, by address. */
  readonly #troubles = new Map<string, Trouble>();
  #closed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** The latest version of a request that the broker at the other end knows; -1 for a request that it does not know. */
  async latestVersion(connection: Connection, apiKey: number): Promise<number> {
    let versions = this.#versions.get(connection);
    if (versions === undefined) {
      versions = askVersions(connection);
      this.#versions.set(connection, versions);
      versions.catch(() => this.#versions.delete(connection));
    }
    return (await versions).get(apiKey) ?? -1;
  }

  /** One connection per key, made once however many ask at the same time, forgotten when it closes or fails. */
  shared(key: string, open: () => Promise<Connection>, closed?: () => void): Promise<Connection> {
    const existing = this.#connections.get(key);
    if (existing) return existing;
    const opening = open();
    this.#connections.set(key, opening);
    const forget = () => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
      closed?.();
    };
    opening.then((connection) => connection.once('close', forget), forget);
    return opening;
  }

  /**
   * A connection that nobody else knows of.
   * @param requestTimeout how long an answer may take, milliseconds
   * @throws the network's error
   */
  async open(address: BrokerAddress, requestTimeout = REQUEST_TIMEOUT_MS): Promise<Connection> {
    if (this.#closed) throw new KafkaError('the engine is closed', KafkaCode.NETWORK_EXCEPTION);
    const options: ConnectionOptions = {
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout,
      maxInflights: MAX_INFLIGHT,
      ...securityTo(address.host, this.#options.security),
    };
    const connection = new Connection(this.#options.clientId, options);
    const began = now();
    // Errors reach the callers of connect() and of each request; an emitter without a listener would throw.
    connection.on('error', () => {});
    try {
      await connection.connect(address.host, address.port);
    } catch (error) {
      this.#noteTrouble(address, error, began);
      throw error;
    }
    return connection;
  }

  /** Sends one request; a response with error codes in it is a response. @throws the network's error */
  async ask<A extends unknown[], R>(connection: Connection, api: API<A, R>, args: A): Promise<R> {
    const began = now();
    try {
      const response = await sendNoting(connection, this.#options.refusals, api, args);
      if (this.#troubles.size > 0) this.#endTrouble(addressText(connection));
      this.#options.throttles?.note(api.key, throttleOf(response));
      return response;
    } catch (error) {
      // One that takes connections and says nothing.
      if (error instanceof TimeoutError) this.#noteTrouble(connection, error, began);
      throw error;
    }
  }

  /** @param began when the broker was first waited for, on the clock of `now` */
  #noteTrouble(address: MaybeAddress, error: unknown, began: number): void {
    const { log } = this.#options;
    if (this.#closed || log === undefined) return;
    const broker = addressText(address);
    const trouble = this.#troubles.get(broker) ?? new Trouble(log, 'Kafka does not answer', { broker });
    this.#troubles.set(broker, trouble);
    trouble.failed(error, began);
  }

  #endTrouble(broker: string): void {
    this.#troubles.get(broker)?.over();
    this.#troubles.delete(broker);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.allSettled(open.map(async (connection) => (await connection).close()));
  }
}

/** Milliseconds, of an answer that says it. */
function throttleOf(response: unknown): number {
  if (typeof response !== 'object' || response === null || !('throttleTimeMs' in response)) return 0;
  return typeof response.throttleTimeMs === 'number' ? response.throttleTimeMs : 0;
}

function addressText({ host, port }: MaybeAddress): string {
  return `${host}:${port}`;
}

/** What is asked over a connection in one breath (heartbeats, commits) goes out in one write. */
export function writeTogether({ socket }: Connection): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  process.nextTick(() => socket.uncork());
}

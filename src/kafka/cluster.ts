import {
  type API,
  Connection,
  type ConnectionOptions,
  findCoordinatorV6,
  metadataV12,
  ResponseError,
} from '@platformatic/kafka';
import { expectNone, KafkaCode, KafkaError } from './kafka-error.ts';
import type { KafkaSecurity } from './kafka-security.ts';

/**
 * What a connection is used for. A broker answers one request at a time per connection, so what must not
 * wait for each other goes over different ones.
 */
export type Lane = 'control' | 'group' | 'produce' | 'read';

/** Where a topic's only partition is led from. */
export interface Leader {
  readonly node: number;
  readonly topicId: string;
}

export interface ClusterOptions {
  /** `host:port` each; only used until the first metadata, and again when no known broker answers. */
  readonly bootstrap: readonly string[];
  readonly clientId: string;
  /** TLS and SASL. */
  readonly security?: KafkaSecurity;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

const CONNECT_TIMEOUT_MS = 3_000;
/** Longer than any request's own time limit on the broker, so that it is the broker who gives up first. */
const REQUEST_TIMEOUT_MS = 7_000;
/** Requests under way on one shared connection; more wait in the library's queue. */
const MAX_INFLIGHT = 512;
/** Leaders remembered (some 200 bytes each); past that the oldest is forgotten and asked for again. */
const MAX_LEADERS = 200_000;
/** Coordinators remembered, likewise. */
const MAX_COORDINATORS = 200_000;

/**
 * The brokers, as one: connections by node and lane, who leads a topic, who coordinates a group or a transaction.
 * Responses with error codes are returned, not thrown (the library throws a whole response away when one
 * partition of it failed); only the network throws.
 */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #nodes = new Map<number, Address>();
  readonly #connections = new Map<string, Promise<Connection>>();
  readonly #leaders = new Map<string, Leader>();
  readonly #coordinators = new Map<string, number>();
  #wanted = new Map<string, ((result: Leader | Error) => void)[]>();
  #asking = false;
  #closed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Reaches any broker and learns of the others. @throws the network's error */
  async connect(): Promise<void> {
    await this.requestAny(metadataV12.api, [], false, false).then((response) =>
      this.#learnNodes(response.brokers),
    );
  }

  /** Sends one request to a node over the connection of that lane. */
  async request<A extends unknown[], R>(node: number, lane: Lane, api: API<A, R>, ...args: A): Promise<R> {
    return send(await this.#connection(node, lane), api, ...args);
  }

  /** Sends one request to whichever broker answers: for what any broker can do. */
  async requestAny<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R> {
    return send(await this.#anyConnection(), api, ...args);
  }

  /** A connection that nobody else uses; the caller closes it. */
  async dedicated(node: number): Promise<Connection> {
    return this.#open(await this.#address(node));
  }

  /**
   * The leader of a topic's partition 0. Concurrent questions share one request.
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, or passing ones while there is no leader
   */
  leader(topic: string): Promise<Leader> {
    const known = this.#leaders.get(topic);
    if (known) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const waiting = this.#wanted.get(topic) ?? [];
      waiting.push((result) => (result instanceof Error ? reject(result) : resolve(result)));
      this.#wanted.set(topic, waiting);
      void this.#askForLeaders();
    });
  }

  /** The leader if it is known already: the hot path's way to ask. */
  knownLeader(topic: string): Leader | undefined {
    return this.#leaders.get(topic);
  }

  forgetLeader(topic: string): void {
    this.#leaders.delete(topic);
  }

  /** The node that coordinates a group or a transactional id. */
  async coordinator(kind: 'group' | 'transaction', key: string): Promise<number> {
    const cacheKey = `${kind} ${key}`;
    const known = this.#coordinators.get(cacheKey);
    if (known !== undefined) return known;
    const response = await this.requestAny(findCoordinatorV6.api, kind === 'group' ? 0 : 1, [key]);
    const found = response.coordinators[0];
    if (!found) throw new KafkaError('FindCoordinator', KafkaCode.COORDINATOR_NOT_AVAILABLE);
    expectNone('FindCoordinator', found.errorCode);
    this.#nodes.set(found.nodeId, { host: found.host, port: found.port });
    remember(this.#coordinators, cacheKey, found.nodeId, MAX_COORDINATORS);
    return found.nodeId;
  }

  /** These groups by the node that coordinates them, so that one request per node can ask about all. */
  async groupByCoordinator(groups: readonly string[]): Promise<Map<number, string[]>> {
    const byNode = new Map<number, string[]>();
    for (const group of groups) {
      const node = await this.coordinator('group', group);
      const list = byNode.get(node);
      if (list) list.push(group);
      else byNode.set(node, [group]);
    }
    return byNode;
  }

  forgetCoordinator(kind: 'group' | 'transaction', key: string): void {
    this.#coordinators.delete(`${kind} ${key}`);
  }

  /**
   * As `request`, to the coordinator of a group or transactional id, which is looked up anew next time when
   * this one did not answer.
   */
  async requestCoordinator<A extends unknown[], R>(
    kind: 'group' | 'transaction',
    key: string,
    api: API<A, R>,
    ...args: A
  ): Promise<R> {
    const node = await this.coordinator(kind, key);
    try {
      return await this.request(node, kind === 'group' ? 'group' : 'control', api, ...args);
    } catch (error) {
      this.forgetCoordinator(kind, key);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.allSettled(open.map(async (connection) => (await connection).close()));
  }

  /** One metadata request at a time; it takes along every question that came meanwhile. */
  async #askForLeaders(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      while (this.#wanted.size > 0) {
        const wanted = this.#wanted;
        this.#wanted = new Map();
        const results = await this.#fetchLeaders([...wanted.keys()]);
        for (const [topic, waiting] of wanted) {
          const result =
            results.get(topic) ?? new KafkaError('Metadata', KafkaCode.UNKNOWN_TOPIC_OR_PARTITION);
          for (const settle of waiting) settle(result);
        }
      }
    } finally {
      this.#asking = false;
    }
  }

  async #fetchLeaders(topics: string[]): Promise<Map<string, Leader | Error>> {
    const results = new Map<string, Leader | Error>();
    try {
      const response = await this.requestAny(metadataV12.api, topics, false, false);
      this.#learnNodes(response.brokers);
      for (const topic of response.topics) {
        const partition = topic.partitions[0];
        const code = topic.errorCode || (partition?.errorCode ?? KafkaCode.LEADER_NOT_AVAILABLE);
        if (code !== KafkaCode.NONE || !partition || partition.leaderId < 0) {
          results.set(topic.name ?? '', new KafkaError('Metadata', code || KafkaCode.LEADER_NOT_AVAILABLE));
          continue;
        }
        const leader = { node: partition.leaderId, topicId: topic.topicId };
        remember(this.#leaders, topic.name ?? '', leader, MAX_LEADERS);
        results.set(topic.name ?? '', leader);
      }
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const topic of topics) results.set(topic, failure);
    }
    return results;
  }

  #learnNodes(brokers: readonly { nodeId: number; host: string; port: number }[]): void {
    for (const { nodeId, host, port } of brokers) this.#nodes.set(nodeId, { host, port });
  }

  async #address(node: number): Promise<Address> {
    if (!this.#nodes.has(node)) await this.#fetchLeaders([]);
    const address = this.#nodes.get(node);
    if (!address) throw new KafkaError(`node ${node}`, KafkaCode.BROKER_NOT_AVAILABLE);
    return address;
  }

  #connection(node: number, lane: Lane): Promise<Connection> {
    return this.#cached(`${node} ${lane}`, async () => this.#open(await this.#address(node)));
  }

  async #anyConnection(): Promise<Connection> {
    const bootstrap = this.#options.bootstrap.map(parseAddress);
    let failure: unknown;
    for (const address of [...this.#nodes.values(), ...bootstrap]) {
      try {
        return await this.#cached(`${address.host}:${address.port} any`, () => this.#open(address));
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** One connection per key, made once however many ask at the same time, forgotten when it closes or fails. */
  #cached(key: string, open: () => Promise<Connection>): Promise<Connection> {
    const existing = this.#connections.get(key);
    if (existing) return existing;
    const opening = open();
    this.#connections.set(key, opening);
    const forget = () => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
    };
    opening.then((connection) => connection.once('close', forget), forget);
    return opening;
  }

  async #open(address: Address): Promise<Connection> {
    if (this.#closed) throw new KafkaError('the engine is closed', KafkaCode.NETWORK_EXCEPTION);
    const options: ConnectionOptions = {
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      maxInflights: MAX_INFLIGHT,
      ...this.#options.security,
    };
    const connection = new Connection(this.#options.clientId, options);
    // Errors reach the callers of connect() and of each request; an emitter without a listener would throw.
    connection.on('error', () => {});
    await connection.connect(address.host, address.port);
    return connection;
  }
}

/** Sends over a given connection; a response with error codes in it is a response. */
export async function send<A extends unknown[], R>(
  connection: Connection,
  api: API<A, R>,
  ...args: A
): Promise<R> {
  try {
    return await api.async(connection, ...args);
  } catch (error) {
    const response = error instanceof ResponseError ? error.response : undefined;
    if (response !== undefined && response !== null) return response as R;
    throw error;
  }
}

function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

/** Sets a key and forgets the oldest one past the bound. */
function remember<V>(map: Map<string, V>, key: string, value: V, bound: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > bound) {
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }
}

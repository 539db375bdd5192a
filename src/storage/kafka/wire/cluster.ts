import { crc32 } from 'node:zlib';
import { type API, type Connection, findCoordinatorV6, metadataV12, TimeoutError } from '@platformatic/kafka';
import { putLast } from '../../../util/bounded-map.ts';
import { RequestBatcher } from '../../../util/request-batcher.ts';
import { type BrokerAddress, Connections, type ConnectionsOptions, writeTogether } from './connections.ts';
import { isNoTopic, KafkaCode, KafkaError } from './kafka-error.ts';

/** Each group has one of these: its requests stay in order, and hundreds of logins at once do not wait in one line. */
const GROUP_LANES = ['group 0', 'group 1', 'group 2', 'group 3'] as const;

/**
 * What a connection is used for. A broker answers one request at a time per connection, so what must not
 * wait for each other goes over different ones.
 */
export type ConnectionUse =
  | (typeof GROUP_LANES)[number]
  | ('control' | 'lease' | 'produce' | 'liveness' | 'read');

/** Where a topic's only partition is led from. */
export interface Leader {
  readonly node: number;
  /** Kafka's count of the partition's leaders. */
  readonly epoch: number;
  readonly topicId: string;
}

export interface ClusterOptions extends ConnectionsOptions {
  /** `host:port` each; only used until the first metadata, and again when no known broker answers. */
  readonly bootstrap: readonly string[];
}

/** Longer than a request may be parked at the broker: so late an answer does not come any more. */
const PATIENCE_MS = 2_000;
/** Leaders remembered (some 200 bytes each); past that the oldest is forgotten and asked for again. */
const MAX_LEADERS = 200_000;
/** Coordinators remembered, likewise. */
const MAX_COORDINATORS = 200_000;
/** Topics, groups or transactional ids asked about in one request. */
const MAX_QUESTIONS = 1_000;
/** Kafka's numbers for what a coordinator is for (FindCoordinator's key_type). */
const COORDINATOR_KIND = { group: 0, transaction: 1 } as const;

type CoordinatorKind = keyof typeof COORDINATOR_KIND;

/**
 * The brokers, as one: connections by node and lane, who leads a topic, who coordinates a group or a transaction.
 * Responses with error codes are returned, not thrown (the library throws a whole response away when one
 * partition of it failed); only the network throws.
 */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #connections: Connections;
  readonly #nodes = new Map<number, BrokerAddress>();
  readonly #leaders = new Map<string, Leader>();
  readonly #coordinators = new Map<string, number>();
  readonly #leaderQuestions = new RequestBatcher<string, Leader>(MAX_QUESTIONS, (topics) =>
    this.#fetchLeaders(topics),
  );
  readonly #coordinatorQuestions = {
    group: new RequestBatcher<string, number>(MAX_QUESTIONS, (keys) => this.#findCoordinators('group', keys)),
    transaction: new RequestBatcher<string, number>(MAX_QUESTIONS, (keys) =>
      this.#findCoordinators('transaction', keys),
    ),
  };

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#connections = new Connections(options);
  }

  /** Reaches any broker and learns of the others. @throws the network's error */
  async connect(): Promise<void> {
    const response = await this.requestAny(metadataV12.api, [], false, false);
    this.#learnNodes(response.brokers);
  }

  /** The brokers that there are now. @throws the network's error */
  async nodes(): Promise<number[]> {
    const { brokers } = await this.requestAny(metadataV12.api, [], false, false);
    this.#learnNodes(brokers);
    return brokers.map(({ nodeId }) => nodeId);
  }

  /** Sends one request to a node over the connection of that lane. */
  async request<A extends unknown[], R>(
    node: number,
    lane: ConnectionUse,
    api: API<A, R>,
    ...args: A
  ): Promise<R> {
    const connection = await this.#connection(node, lane);
    writeTogether(connection);
    return this.#connections.ask(connection, api, args);
  }

  /** The latest version of a request that a node knows, over the connection of that lane; -1 for a request that it does not know. */
  async latestVersion(node: number, lane: ConnectionUse, apiKey: number): Promise<number> {
    const connection = await this.#connection(node, lane);
    return this.#connections.latestVersion(connection, apiKey);
  }

  /** Kafka's ids of the topics that have these names now, by the word of one node; without those that it does not know. */
  async topicIds(node: number, topics: readonly string[]): Promise<Map<string, string>> {
    const response = await this.request(node, 'control', metadataV12.api, [...topics], false, false);
    const known = response.topics.filter(({ errorCode }) => !isNoTopic(errorCode));
    return new Map(known.map(({ name, topicId }) => [name ?? '', topicId]));
  }

  /**
   * False where a broker took a small request and has not answered it after 7 s. Any other failure says nothing about what it
   * was asked before: whoever waits for that has a connection to see it on.
   */
  async isAlive(node: number): Promise<boolean> {
    return this.request(node, 'liveness', metadataV12.api, [], false, false).then(
      () => true,
      (error: unknown) => !(error instanceof TimeoutError),
    );
  }

  /** Sends one request to whichever broker answers: for what any broker can do. */
  async requestAny<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R> {
    return this.#connections.ask(await this.#anyConnection('any'), api, args);
  }

  /** As `requestAny`, for what a broker takes long to answer, so that nothing else waits behind it. */
  async requestSlow<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R> {
    return this.#connections.ask(await this.#anyConnection('slow'), api, args);
  }

  /**
   * A connection that nobody else uses; the caller closes it.
   * @param parkedMs how long the broker may keep a request before it answers
   */
  async dedicated(node: number, parkedMs: number): Promise<Connection> {
    return this.#connections.open(await this.#address(node), parkedMs + PATIENCE_MS);
  }

  /**
   * The leader of a topic's partition 0.
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, or passing ones while there is no leader
   */
  leader(topic: string): Promise<Leader> {
    const known = this.#leaders.get(topic);
    if (known) return Promise.resolve(known);
    return this.#leaderQuestions.ask(topic);
  }

  /** The leader if it is known already: the hot path's way to ask. */
  knownLeader(topic: string): Leader | undefined {
    return this.#leaders.get(topic);
  }

  forgetLeader(topic: string): void {
    this.#leaders.delete(topic);
  }

  /** The node that coordinates a group or a transactional id. */
  async coordinator(kind: CoordinatorKind, key: string): Promise<number> {
    return this.#coordinators.get(`${kind} ${key}`) ?? this.#coordinatorQuestions[kind].ask(key);
  }

  /** These groups by the node that coordinates them, so that one request per node can ask about all. */
  async groupByCoordinator(groups: readonly string[]): Promise<Map<number, string[]>> {
    const byNode = new Map<number, string[]>();
    const nodes = await Promise.all(groups.map((group) => this.coordinator('group', group)));
    for (const [i, group] of groups.entries()) {
      const node = nodes[i] ?? -1;
      const list = byNode.get(node);
      if (list) list.push(group);
      else byNode.set(node, [group]);
    }
    return byNode;
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.delete(`${kind} ${key}`);
  }

  /**
   * As `request`, to the coordinator of a group or transactional id, which is looked up anew next time when
   * this one did not answer.
   */
  async requestCoordinator<A extends unknown[], R>(
    kind: CoordinatorKind,
    key: string,
    api: API<A, R>,
    ...args: A
  ): Promise<R> {
    return this.requestCoordinatorOver(
      kind === 'group' ? groupLane(key) : 'control',
      kind,
      key,
      api,
      ...args,
    );
  }

  /** As `requestCoordinator`, over the connection of that lane. */
  async requestCoordinatorOver<A extends unknown[], R>(
    lane: ConnectionUse,
    kind: CoordinatorKind,
    key: string,
    api: API<A, R>,
    ...args: A
  ): Promise<R> {
    const node = await this.coordinator(kind, key);
    try {
      return await this.request(node, lane, api, ...args);
    } catch (error) {
      this.forgetCoordinator(kind, key);
      throw error;
    }
  }

  /** For what is refused in an answer that the library did not read. @param apiKey the request's */
  noteRefusal(apiKey: number, code: number, name: string): void {
    this.#options.refusals?.note(apiKey, code, name);
  }

  /** For what is kept back because of a quota, likewise. @param ms as the answer says */
  noteThrottle(apiKey: number, ms: number): void {
    this.#options.throttles?.note(apiKey, ms);
  }

  async close(): Promise<void> {
    this.#options.throttles?.close();
    await this.#connections.close();
  }

  async #fetchLeaders(topics: readonly string[]): Promise<(Leader | Error)[]> {
    const response = await this.requestAny(metadataV12.api, [...new Set(topics)], false, false);
    this.#learnNodes(response.brokers);
    const found = new Map<string, Leader | Error>();
    for (const topic of response.topics) {
      const partition = topic.partitions[0];
      const code = topic.errorCode || (partition?.errorCode ?? KafkaCode.LEADER_NOT_AVAILABLE);
      if (code !== KafkaCode.NONE || !partition || partition.leaderId < 0) {
        found.set(topic.name ?? '', new KafkaError('Metadata', code || KafkaCode.LEADER_NOT_AVAILABLE));
        continue;
      }
      const leader = { node: partition.leaderId, epoch: partition.leaderEpoch, topicId: topic.topicId };
      putLast(this.#leaders, topic.name ?? '', leader, MAX_LEADERS);
      found.set(topic.name ?? '', leader);
    }
    return topics.map(
      (topic) => found.get(topic) ?? new KafkaError('Metadata', KafkaCode.UNKNOWN_TOPIC_OR_PARTITION),
    );
  }

  async #findCoordinators(kind: CoordinatorKind, keys: readonly string[]): Promise<(number | Error)[]> {
    const response = await this.requestAny(findCoordinatorV6.api, COORDINATOR_KIND[kind], [...new Set(keys)]);
    const found = new Map(response.coordinators.map((coordinator) => [coordinator.key, coordinator]));
    return keys.map((key) => {
      const coordinator = found.get(key);
      const code = coordinator?.errorCode ?? KafkaCode.COORDINATOR_NOT_AVAILABLE;
      if (!coordinator || code !== KafkaCode.NONE) return new KafkaError('FindCoordinator', code);
      const { nodeId, host, port } = coordinator;
      this.#nodes.set(nodeId, { host, port });
      putLast(this.#coordinators, `${kind} ${key}`, nodeId, MAX_COORDINATORS);
      return nodeId;
    });
  }

  #learnNodes(brokers: readonly { nodeId: number; host: string; port: number }[]): void {
    for (const { nodeId, host, port } of brokers) this.#nodes.set(nodeId, { host, port });
  }

  async #address(node: number): Promise<BrokerAddress> {
    if (!this.#nodes.has(node)) await this.connect();
    const address = this.#nodes.get(node);
    if (!address) throw new KafkaError(`node ${node}`, KafkaCode.BROKER_NOT_AVAILABLE);
    return address;
  }

  #connection(node: number, lane: ConnectionUse): Promise<Connection> {
    const open = async () => this.#connections.open(await this.#address(node));
    // A broker that was away may lead under another epoch now, and appends are to be known by the right one.
    const closed = lane === 'produce' ? () => this.#forgetLed(node) : undefined;
    return this.#connections.shared(`${node} ${lane}`, open, closed);
  }

  #forgetLed(node: number): void {
    for (const [topic, leader] of this.#leaders) if (leader.node === node) this.#leaders.delete(topic);
  }

  async #anyConnection(purpose: 'any' | 'slow'): Promise<Connection> {
    const bootstrap = this.#options.bootstrap.map(parseAddress);
    let failure: unknown;
    for (const address of [...this.#nodes.values(), ...bootstrap]) {
      try {
        const key = `${address.host}:${address.port} ${purpose}`;
        return await this.#connections.shared(key, () => this.#connections.open(address));
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

function groupLane(group: string): ConnectionUse {
  return GROUP_LANES[crc32(group) % GROUP_LANES.length] ?? 'group 0';
}

function parseAddress(text: string): BrokerAddress {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

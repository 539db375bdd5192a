import {
  Connection,
  createTopicsV7,
  FetchIsolationLevels,
  fetchV17,
  initProducerIdV5,
  type MessageRecord,
  metadataV12,
  NumericMap,
  ProduceAcks,
  produceV11,
  ResponseError,
} from '@platformatic/kafka';
import { nowUs, pause } from './clock.ts';
import { Histogram, type HistogramData } from './histogram.ts';

/** As an inbox topic has them. */
const TOPIC_CONFIG = {
  'retention.ms': '-1',
  'compression.type': 'uncompressed',
  'message.timestamp.type': 'LogAppendTime',
  'max.message.bytes': '131072',
  'segment.bytes': String(16 * 1024 * 1024),
  'segment.index.bytes': '65536',
};

const UUID = '00000000-0000-4000-8000-000000000000';
/** As large as those of a message. */
const HEADERS = new Map(
  Object.entries({
    ce_specversion: '1.0',
    ce_id: UUID,
    ce_source: 'urn:milena:user:load-1234',
    ce_type: 'milena.message',
    ce_time: new Date().toISOString(),
    'content-type': 'text/plain; charset=utf-8',
    'milena-from': UUID,
    'milena-to': UUID,
    'milena-sig': `1:k20260101:${'x'.repeat(43)}`,
  }).map(([name, value]): [Buffer, Buffer] => [Buffer.from(name), Buffer.from(value)]),
);
const KEY = Buffer.from('load-1234');

const CREATED_AT_ONCE = 100;
const TIMEOUT_MS = 10_000;
const PATIENCE_MS = 30_000;
const MAX_FETCH_BYTES = 1 << 20;

interface Waiting {
  readonly topic: string;
  readonly value: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Node {
  readonly address: { readonly host: string; readonly port: number };
  readonly connection: Connection;
  queue: Waiting[];
  busy: boolean;
  scheduled: boolean;
}

/**
 * Kafka itself by the same library with the least around it: what no broker for people that stands on it can beat.
 * Appends gather as the product's do: one request under way, the next takes all that came meanwhile.
 */
export class BareKafka {
  readonly #bootstrap: string;
  readonly #nodes = new Map<number, Node>();
  readonly #leaders = new Map<string, { node: number; topicId: string }>();
  readonly #sequences = new Map<string, number>();
  #producer: { id: bigint; epoch: number } = { id: -1n, epoch: -1 };
  #topics: string[] = [];

  /** @param bootstrap `host:port` */
  constructor(bootstrap: string) {
    this.#bootstrap = bootstrap;
  }

  get topics(): readonly string[] {
    return this.#topics;
  }

  /** Makes what is missing of the topics, and learns where all are. */
  async open(topics: readonly string[], replicas: number): Promise<void> {
    const [host = '', port = ''] = this.#bootstrap.split(':');
    const connection = await connected(host, Number(port));
    const configs = Object.entries(TOPIC_CONFIG).map(([name, value]) => ({ name, value }));
    for (let i = 0; i < topics.length; i += CREATED_AT_ONCE) {
      const wanted = topics
        .slice(i, i + CREATED_AT_ONCE)
        .map((name) => ({ name, numPartitions: 1, replicationFactor: replicas, assignments: [], configs }));
      // Those that exist make the library throw; the others are made all the same.
      await createTopicsV7.api.async(connection, wanted, TIMEOUT_MS, false).catch(demandResponse);
    }
    await this.#locate(connection, topics);
    this.#producer = await producerId(connection);
    this.#sequences.clear();
    this.#topics = [...topics];
    await connection.close();
  }

  /** Appends one record, gathered with what else waits. */
  append(topic: string, value: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const node = this.#nodes.get(this.#leaders.get(topic)?.node ?? -1);
      if (node === undefined) return reject(new Error(`no leader of ${topic}`));
      node.queue.push({ topic, value, resolve, reject });
      if (node.busy || node.scheduled) return;
      node.scheduled = true;
      setImmediate(() => void this.#send(node));
    });
  }

  /**
   * From before the append to after the fetch of one record at a time, microseconds: one connection appends, another
   * has a long poll under way.
   */
  async latency(count: number): Promise<HistogramData> {
    const [topic = ''] = this.#topics;
    const leader = this.#leaders.get(topic);
    const node = this.#nodes.get(leader?.node ?? -1);
    if (leader === undefined || node === undefined) throw new Error('no topic');
    const connection = await connected(node.address.host, node.address.port);
    const times = new Histogram();
    let sentUs = 0;
    let arrived: () => void = () => {};
    let ended = false;
    const { end } = await poll(connection, leader.topicId, 0n, 1);
    const fetching = follow(connection, leader.topicId, end, () => {
      if (sentUs > 0) times.record(nowUs() - sentUs);
      arrived();
      return !ended;
    });
    // The first ones open what must be opened, and do not count.
    for (let i = -10; i < count; i++) {
      const arrival = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      sentUs = i < 0 ? 0 : nowUs();
      ended = i === count - 1;
      await Promise.all([this.append(topic, body(sentUs)), arrival]);
    }
    await fetching;
    await connection.close();
    return times.data();
  }

  /** Appends of that many in flight to random topics for that long. @returns appends a second */
  async throughput(seconds: number, inFlight: number): Promise<number> {
    const untilUs = nowUs() + seconds * 1e6;
    let count = 0;
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        for (; nowUs() < untilUs; count++) {
          await this.append(
            this.#topics[Math.floor(Math.random() * this.#topics.length)] ?? '',
            body(nowUs()),
          );
        }
      }),
    );
    return count / seconds;
  }

  /** One append to each topic, that many in flight. @returns appends a second */
  async once(inFlight: number): Promise<number> {
    const beganUs = nowUs();
    const rest = this.#topics.values();
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        for (const topic of rest) await this.append(topic, body(nowUs()));
      }),
    );
    return this.#topics.length / ((nowUs() - beganUs) / 1e6);
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#nodes.values()].map(({ connection }) => connection.close()));
    this.#nodes.clear();
  }

  async #locate(connection: Connection, topics: readonly string[]): Promise<void> {
    for (const deadline = Date.now() + 60_000; ; await pause(100)) {
      const answer = await metadataV12.api
        .async(connection, [...topics], false, false)
        .catch(demandResponse<metadataV12.MetadataResponse>);
      for (const { name, topicId, partitions } of answer.topics) {
        const leader = partitions[0]?.leaderId ?? -1;
        if (leader >= 0) this.#leaders.set(name ?? '', { node: leader, topicId });
      }
      for (const { nodeId, host, port } of answer.brokers) {
        if (this.#nodes.has(nodeId)) continue;
        const node = { address: { host, port }, connection: await connected(host, port) };
        this.#nodes.set(nodeId, { ...node, queue: [], busy: false, scheduled: false });
      }
      if (topics.every((topic) => this.#leaders.has(topic))) return;
      if (Date.now() > deadline) throw new Error('some topics have no leader');
    }
  }

  async #send(node: Node): Promise<void> {
    node.scheduled = false;
    const sending = node.queue;
    node.queue = [];
    node.busy = true;
    const messages: MessageRecord[] = [];
    const sequences = new NumericMap();
    for (const { topic, value } of sending) {
      const key = `${topic}:0`;
      const next = this.#sequences.get(key) ?? 0;
      if (sequences.get(key) === undefined) sequences.set(key, next);
      this.#sequences.set(key, next + 1);
      messages.push({ topic, partition: 0, key: KEY, value, headers: HEADERS });
    }
    const { id: producerId, epoch: producerEpoch } = this.#producer;
    const options = { producerId, producerEpoch, sequences, compression: 'none' } as const;
    try {
      await untilDone(() =>
        produceV11.api.async(node.connection, ProduceAcks.ALL, TIMEOUT_MS, messages, options),
      );
      for (const { resolve } of sending) resolve();
    } catch (error) {
      for (const { reject } of sending) reject(error instanceof Error ? error : new Error(String(error)));
    } finally {
      node.busy = false;
      if (node.queue.length > 0) void this.#send(node);
    }
  }
}

async function producerId(connection: Connection): Promise<{ id: bigint; epoch: number }> {
  const answer = await untilDone(() => initProducerIdV5.api.async(connection, null, TIMEOUT_MS));
  return { id: answer.producerId, epoch: answer.producerEpoch };
}

/** The same again for a while: a broker that was just started, or a topic that was just made, may not be ready. */
async function untilDone<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await pause(100)) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** One long poll for a topic. */
async function poll(
  connection: Connection,
  topicId: string,
  offset: bigint,
  maxWaitMs: number,
): Promise<{ readonly end: bigint; readonly hasRecords: boolean }> {
  const partition = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: offset,
    lastFetchedEpoch: -1,
    partitionMaxBytes: MAX_FETCH_BYTES,
  };
  const answer = await fetchV17.api.async(
    connection,
    ...([maxWaitMs, 1, MAX_FETCH_BYTES, FetchIsolationLevels.READ_UNCOMMITTED, 0, -1] as const),
    [{ topicId, partitions: [partition] }],
    [],
    '',
  );
  const found = answer.responses[0]?.partitions[0];
  return { end: found?.highWatermark ?? 0n, hasRecords: (found?.records?.length ?? 0) > 0 };
}

/** Long polls from `from` on, for as long as `onRecord` wants more; records come one at a time. */
async function follow(
  connection: Connection,
  topicId: string,
  from: bigint,
  onRecord: () => boolean,
): Promise<void> {
  let offset = from;
  for (;;) {
    const { end, hasRecords } = await poll(connection, topicId, offset, 500);
    if (!hasRecords || end <= offset) continue;
    offset = end;
    if (!onRecord()) return;
  }
}

/** 100 bytes, as the messages have. */
function body(timeUs: number): Buffer {
  return Buffer.from(String(Math.floor(timeUs)).padEnd(100, 'x'));
}

async function connected(host: string, port: number): Promise<Connection> {
  const connection = new Connection('milena-bench-floor', { connectTimeout: 5_000, requestTimeout: 30_000 });
  connection.on('error', () => {});
  await connection.connect(host, port);
  return connection;
}

function demandResponse<Answer>(error: unknown): Answer {
  if (error instanceof ResponseError && error.response) return error.response as Answer;
  throw error;
}

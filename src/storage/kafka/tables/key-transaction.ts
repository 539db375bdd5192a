import {
  type API,
  addPartitionsToTxnV3,
  endTxnV4,
  initProducerIdV5,
  NumericMap,
  ProduceAcks,
  produceV11,
} from '@platformatic/kafka';
import type { RecordContent } from '../inbox/record.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { retry } from '../wire/retry.ts';

/** An unfinished transaction is aborted by the broker after this long; it holds back nobody but its own key. */
const TRANSACTION_TIMEOUT_MS = 5_000;
const PRODUCE_TIMEOUT_MS = 5_000;

const FENCED: ReadonlySet<number> = new Set([
  // The fencing writer has had our transaction aborted already.
  KafkaCode.INVALID_TXN_STATE,
  KafkaCode.INVALID_PRODUCER_ID_MAPPING,
  KafkaCode.INVALID_PRODUCER_EPOCH,
  KafkaCode.PRODUCER_FENCED,
  KafkaCode.TRANSACTION_COORDINATOR_FENCED,
]);

/** Another writer of the same key has begun after us: nothing of ours was or will be written. */
class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** What is changed: a key of a compacted topic, under the transactional id that stands for it. */
export interface ChangedKey {
  readonly topic: string;
  readonly key: string;
  readonly transactionalId: string;
}

/**
 * The right to change one key of a table, taken by `begin` from whoever had it: Kafka fences the producer that used this
 * transactional id before. So begin, then read the table, then commit lets exactly one of two racing writers win.
 */
export class KeyTransaction {
  readonly #cluster: Cluster;
  readonly #changed: ChangedKey;
  readonly #producerId: bigint;
  readonly #epoch: number;

  private constructor(cluster: Cluster, changed: ChangedKey, producerId: bigint, epoch: number) {
    this.#cluster = cluster;
    this.#changed = changed;
    this.#producerId = producerId;
    this.#epoch = epoch;
  }

  /** @throws EngineError `UNAVAILABLE` */
  static begin(cluster: Cluster, changed: ChangedKey, deadline: number): Promise<KeyTransaction> {
    const { transactionalId } = changed;
    // Kafka says CONCURRENT_TRANSACTIONS, a passing error, until the fenced writer's transaction is ended.
    return retry(`transaction of ${transactionalId}`, deadline, async () => {
      const response = await cluster.requestCoordinator(
        'transaction',
        transactionalId,
        initProducerIdV5.api,
        transactionalId,
        TRANSACTION_TIMEOUT_MS,
      );
      checkCoordinator(cluster, transactionalId, 'InitProducerId', response.errorCode);
      return new KeyTransaction(cluster, changed, response.producerId, response.producerEpoch);
    });
  }

  /**
   * Writes the key's record and commits.
   * @returns false when another writer of the key has begun: nothing was written then
   * @throws EngineError `UNAVAILABLE`: it may have been committed, the table will tell
   */
  async commit(record: RecordContent, deadline: number): Promise<boolean> {
    try {
      await this.#write(record, deadline);
      return true;
    } catch (error) {
      if (error instanceof Fenced) return false;
      throw error;
    }
  }

  async #write({ value, headers }: RecordContent, deadline: number): Promise<void> {
    const { topic, key, transactionalId } = this.#changed;
    await retry('add partition', deadline, async () => {
      const added = await this.#coordinator(addPartitionsToTxnV3.api, [
        {
          transactionalId,
          producerId: this.#producerId,
          producerEpoch: this.#epoch,
          verifyOnly: false,
          topics: [{ name: topic, partitions: [0] }],
        },
      ]);
      const result = added.resultsByTransaction[0]?.topicResults[0]?.resultsByPartition[0];
      this.#check('AddPartitionsToTxn', result?.partitionErrorCode ?? KafkaCode.REQUEST_TIMED_OUT);
    });
    // Repeated with the same sequence number and bytes, so a record thought lost is not written twice.
    const record = {
      topic,
      partition: 0,
      key: Buffer.from(key),
      // The library's types know no tombstone; its writer encodes null as Kafka wants it.
      value: value as Buffer,
      headers: headerMap(headers),
      timestamp: BigInt(Date.now()),
    };
    await retry(`write to ${topic}`, deadline, () => this.#produce(record));
    await retry('end transaction', deadline, async () => {
      const ended = await this.#coordinator(
        endTxnV4.api,
        transactionalId,
        this.#producerId,
        this.#epoch,
        true,
      );
      // The coordinator says this (seen with 4.3.1) to the loser of a race while the fence is being set up: a
      // moment later it says which of the two it is.
      const unsettled = ended.errorCode === KafkaCode.UNKNOWN_SERVER_ERROR;
      this.#check('EndTxn', unsettled ? KafkaCode.CONCURRENT_TRANSACTIONS : ended.errorCode);
    });
  }

  async #produce(record: {
    topic: string;
    partition: number;
    key: Buffer;
    value: Buffer;
    headers: Map<Buffer, Buffer>;
    timestamp: bigint;
  }): Promise<void> {
    const { node } = await this.#cluster.leader(record.topic);
    const response = await this.#cluster.request(
      node,
      'control',
      produceV11.api,
      ProduceAcks.ALL,
      PRODUCE_TIMEOUT_MS,
      [record],
      {
        transactionalId: this.#changed.transactionalId,
        producerId: this.#producerId,
        producerEpoch: this.#epoch,
        sequences: new NumericMap(),
        compression: 'none',
      },
    );
    const code =
      typeof response === 'boolean'
        ? KafkaCode.NONE
        : response.responses[0]?.partitionResponses[0]?.errorCode;
    if (code === KafkaCode.NOT_LEADER_OR_FOLLOWER) this.#cluster.forgetLeader(record.topic);
    this.#check('Produce', code ?? KafkaCode.REQUEST_TIMED_OUT);
  }

  #coordinator<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R> {
    return this.#cluster.requestCoordinator('transaction', this.#changed.transactionalId, api, ...args);
  }

  #check(what: string, code: number): void {
    const { transactionalId } = this.#changed;
    if (FENCED.has(code)) throw new Fenced(`${what} of ${transactionalId} was fenced`);
    checkCoordinator(this.#cluster, transactionalId, what, code);
  }
}

/** Name, value, name, value, as the library wants them. */
function headerMap(headers: RecordContent['headers']): Map<Buffer, Buffer> {
  const map = new Map<Buffer, Buffer>();
  for (let i = 0; i + 1 < headers.length; i += 2) {
    map.set(Buffer.from(headers[i] ?? ''), Buffer.from(headers[i + 1] ?? ''));
  }
  return map;
}

function checkCoordinator(cluster: Cluster, transactionalId: string, what: string, code: number): void {
  if (code === KafkaCode.NONE) return;
  cluster.forgetCoordinator('transaction', transactionalId);
  expectNone(what, code);
  throw new KafkaError(what, code);
}

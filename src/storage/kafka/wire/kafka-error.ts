import { EngineError } from '../../../core/errors.ts';
import { KafkaCode } from './kafka-code.ts';
import { type Meaning, meaningOf } from './kafka-meaning.ts';

export { KafkaCode };

/** `NOT_COORDINATOR`, or `error 200` for a code of a newer Kafka. */
export function nameOfCode(code: number): string {
  return meaningOf(code).name;
}

/** The broker could not do it now, or asked the wrong node: look the node up anew and try again. */
const PASSING: ReadonlySet<number> = new Set([
  KafkaCode.LEADER_NOT_AVAILABLE,
  KafkaCode.NOT_LEADER_OR_FOLLOWER,
  KafkaCode.REQUEST_TIMED_OUT,
  KafkaCode.BROKER_NOT_AVAILABLE,
  KafkaCode.NETWORK_EXCEPTION,
  KafkaCode.COORDINATOR_LOAD_IN_PROGRESS,
  KafkaCode.COORDINATOR_NOT_AVAILABLE,
  KafkaCode.NOT_COORDINATOR,
  KafkaCode.NOT_ENOUGH_REPLICAS,
  KafkaCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  KafkaCode.NOT_CONTROLLER,
  KafkaCode.CONCURRENT_TRANSACTIONS,
  KafkaCode.KAFKA_STORAGE_ERROR,
  KafkaCode.FENCED_LEADER_EPOCH,
  KafkaCode.UNKNOWN_LEADER_EPOCH,
  KafkaCode.OFFSET_NOT_AVAILABLE,
  KafkaCode.THROTTLING_QUOTA_EXCEEDED,
]);

/** Whether the same request may succeed later. */
export function isRetriable(code: number): boolean {
  return PASSING.has(code);
}

/** Characters of a broker's own sentence. */
const MAX_WORDS = 500;

/** An error code that its caller did not expect. `passing` tells whether trying again makes sense. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  readonly kafkaCode: number;
  readonly passing: boolean;
  /** What an operator does about it, as a sentence. */
  readonly remedy: string;

  /**
   * @param what the request, and what it was about: `Fetch milena.accounts`
   * @param words the broker's own sentence, where its answer has one
   */
  constructor(what: string, code: number, words: string | null = null) {
    const { name, says, remedy }: Meaning = meaningOf(code);
    super(`${what}: ${name}. ${says}${words ? ` Kafka says: "${words.slice(0, MAX_WORDS)}"` : ''}`);
    this.kafkaCode = code;
    this.passing = isRetriable(code);
    this.remedy = remedy;
  }
}

/** Whether Kafka refused it for want of a right. */
export function isRefusal(code: number): boolean {
  return REFUSALS.has(code);
}

/** Whether it stays so until an operator changes a right or a setting. */
export function isFinal(code: number): boolean {
  return REFUSALS.has(code) || FINAL.has(code);
}

const FINAL: ReadonlySet<number> = new Set([
  KafkaCode.INVALID_CONFIG,
  KafkaCode.INVALID_REPLICATION_FACTOR,
  KafkaCode.INVALID_SESSION_TIMEOUT,
  KafkaCode.INVALID_TOPIC_EXCEPTION,
  KafkaCode.INVALID_TRANSACTION_TIMEOUT,
  KafkaCode.POLICY_VIOLATION,
  KafkaCode.TOPIC_DELETION_DISABLED,
  KafkaCode.UNSUPPORTED_VERSION,
]);

const REFUSALS: ReadonlySet<number> = new Set([
  KafkaCode.TOPIC_AUTHORIZATION_FAILED,
  KafkaCode.GROUP_AUTHORIZATION_FAILED,
  KafkaCode.CLUSTER_AUTHORIZATION_FAILED,
  KafkaCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
]);

/**
 * Asks about a topic that is known to exist. A broker that knows nothing of it has not heard of it yet: that error
 * becomes a passing one.
 */
export async function expectTopic<T>(topic: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!isUnknownTopic(error)) throw error;
    throw new KafkaError(`${topic} is not known yet`, KafkaCode.LEADER_NOT_AVAILABLE);
  }
}

/** Each of these says that there is no such topic, or none with that id. */
const NO_TOPIC: ReadonlySet<number> = new Set([
  KafkaCode.UNKNOWN_TOPIC_OR_PARTITION,
  KafkaCode.UNKNOWN_TOPIC_ID,
  KafkaCode.INCONSISTENT_TOPIC_ID,
]);

/** Whether a code says that there is no such topic, or none with that id. */
export function isNoTopic(code: number): boolean {
  return NO_TOPIC.has(code);
}

export function isUnknownTopic(error: unknown): boolean {
  return error instanceof KafkaError && isNoTopic(error.kafkaCode);
}

/** Throws a KafkaError unless `code` is 0. @param what the request, for the log */
export function expectNone(what: string, code: number): void {
  if (code !== KafkaCode.NONE) throw new KafkaError(what, code);
}

/**
 * For `catch`: what Kafka refused for good becomes `REFUSED`, whatever else it or the network threw `UNAVAILABLE`, with the
 * cause kept for the log.
 */
export function unavailable(error: unknown): never {
  if (error instanceof EngineError) throw error;
  if (error instanceof KafkaError && isFinal(error.kafkaCode)) {
    throw new EngineError('REFUSED', `${error.message} ${error.remedy}`, { cause: error });
  }
  throw new EngineError('UNAVAILABLE', 'Kafka did not do what was asked', { cause: error });
}

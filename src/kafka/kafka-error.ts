/**
 * Kafka's error codes that the engine knows by name (from the protocol's error table). Responses come back
 * from `Cluster.request` even when they carry errors, so every caller looks at its own codes.
 */
export const KafkaCode = {
  UNKNOWN_SERVER_ERROR: -1,
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  BROKER_NOT_AVAILABLE: 8,
  MESSAGE_TOO_LARGE: 10,
  NETWORK_EXCEPTION: 13,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC_EXCEPTION: 17,
  RECORD_LIST_TOO_LARGE: 18,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  UNKNOWN_MEMBER_ID: 25,
  INVALID_SESSION_TIMEOUT: 26,
  REBALANCE_IN_PROGRESS: 27,
  GROUP_AUTHORIZATION_FAILED: 30,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  NOT_CONTROLLER: 41,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  INVALID_PRODUCER_EPOCH: 47,
  INVALID_TXN_STATE: 48,
  INVALID_PRODUCER_ID_MAPPING: 49,
  CONCURRENT_TRANSACTIONS: 51,
  TRANSACTION_COORDINATOR_FENCED: 52,
  KAFKA_STORAGE_ERROR: 56,
  UNKNOWN_PRODUCER_ID: 59,
  GROUP_ID_NOT_FOUND: 69,
  FETCH_SESSION_ID_NOT_FOUND: 70,
  INVALID_FETCH_SESSION_EPOCH: 71,
  TOPIC_DELETION_DISABLED: 73,
  FENCED_LEADER_EPOCH: 74,
  UNKNOWN_LEADER_EPOCH: 75,
  OFFSET_NOT_AVAILABLE: 78,
  FENCED_INSTANCE_ID: 82,
  THROTTLING_QUOTA_EXCEEDED: 89,
  PRODUCER_FENCED: 90,
  UNKNOWN_TOPIC_ID: 100,
  INCONSISTENT_TOPIC_ID: 103,
  FENCED_MEMBER_EPOCH: 110,
  UNRELEASED_INSTANCE_ID: 111,
  STALE_MEMBER_EPOCH: 113,
} as const;

const NAMES = new Map<number, string>(Object.entries(KafkaCode).map(([name, code]) => [code, name]));

/** `NOT_COORDINATOR`, or `error 123` for a code that has no name here. */
export function nameOfCode(code: number): string {
  return NAMES.get(code) ?? `error ${code}`;
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
export function isPassing(code: number): boolean {
  return PASSING.has(code);
}

/** An error code that its caller did not expect. `passing` tells whether trying again makes sense. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  readonly kafkaCode: number;
  readonly passing: boolean;

  constructor(what: string, code: number) {
    super(`${what}: ${nameOfCode(code)}`);
    this.kafkaCode = code;
    this.passing = isPassing(code);
  }
}

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

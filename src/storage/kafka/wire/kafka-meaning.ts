import { protocolErrors } from '@platformatic/kafka';
import { codeName, type KafkaCodeName } from './kafka-code.ts';

/** What an error code of Kafka says, and what to do about it. */
export interface Meaning {
  /** `NOT_COORDINATOR`, or `error 200` for a code of a newer Kafka. */
  readonly name: string;
  /** Kafka's own sentence. */
  readonly says: string;
  /** What an operator does, as a sentence. */
  readonly remedy: string;
}

const WAIT = "It passes by itself; if it lasts, look into the brokers' logs.";
const GRANT = 'Grant the right: `milena doctor --kafka` names it, with the command.';
const NEVER = "Milena does not ask for that: look into the broker's log, and report it.";
const REPORT = "A fault of Milena's or the broker's: look into both logs, and report it.";
const ENDED = 'Nothing: the login or the change ends, and is made anew by whoever wants it.';

/** What the library has no sentence of Kafka's for. */
const SAYS: Readonly<Partial<Record<KafkaCodeName, string>>> = {
  NONE: 'Nothing is wrong.',
  INVALID_REGULAR_EXPRESSION: 'The pattern for topics is not valid.',
  REBOOTSTRAP_REQUIRED: 'What is known of the brokers is too old: they have to be asked anew.',
  STREAMS_INVALID_TOPOLOGY: "The streams application's topology is not valid.",
  STREAMS_INVALID_TOPOLOGY_EPOCH: "The topology's epoch is not valid.",
  STREAMS_TOPOLOGY_FENCED: "The topology is older than the group's.",
  SHARE_SESSION_LIMIT_REACHED: 'The broker has as many share sessions as it may have.',
};

/** What is not as for all others of its kind. */
const REMEDIES: Readonly<Partial<Record<KafkaCodeName, string>>> = {
  NONE: 'Nothing.',
  UNKNOWN_SERVER_ERROR: "Look into the broker's log at that moment.",
  CORRUPT_MESSAGE: "Look into the broker's log: a disk, or a program that writes what it should not.",
  OFFSET_OUT_OF_RANGE: 'Nothing, where delivered mail was removed; else see docs/operations.md.',
  UNKNOWN_TOPIC_OR_PARTITION: 'Look whether somebody deleted the topic: `milena doctor --kafka` tells.',
  UNKNOWN_TOPIC_ID: 'Look whether somebody deleted the topic: `milena doctor --kafka` tells.',
  INCONSISTENT_TOPIC_ID: 'Look whether somebody made the topic anew: `milena doctor --kafka` tells.',
  BROKER_NOT_AVAILABLE: 'Start the broker, or look why it cannot be reached.',
  MESSAGE_TOO_LARGE: 'Nothing: a frontend sets max.message.bytes of its topics back, where it may.',
  RECORD_LIST_TOO_LARGE: 'Send smaller ones, or set segment.bytes of the topic higher.',
  OFFSET_METADATA_TOO_LARGE: 'Set offset.metadata.max.bytes=4096 (the default) or more on the brokers.',
  NOT_ENOUGH_REPLICAS: 'Start the brokers that are away, or lower min.insync.replicas of the topic.',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    'Start the brokers that are away, or lower min.insync.replicas of the topic.',
  INVALID_TOPIC_EXCEPTION:
    'Where it is the same as that of another topic but for dots and underscores, delete that one, or use another name.',
  INVALID_SESSION_TIMEOUT:
    'Set group.min.session.timeout.ms and group.max.session.timeout.ms: see docs/operations.md.',
  INVALID_REPLICATION_FACTOR: 'Set MILENA_REPLICATION_FACTOR to the number of brokers or less.',
  INVALID_TRANSACTION_TIMEOUT: 'Set transaction.max.timeout.ms=900000 (the default) on the brokers.',
  INVALID_CONFIG: "Look into the broker's log for the setting that it does not take.",
  POLICY_VIOLATION: 'Let the policy (create.topic.policy.class.name) allow the topics of docs/operations.md.',
  TOPIC_DELETION_DISABLED: 'Set delete.topic.enable=true on the brokers and start them anew.',
  INVALID_TIMESTAMP: 'Set message.timestamp.type=LogAppendTime on the topic.',
  UNSUPPORTED_SASL_MECHANISM: 'Set MILENA_KAFKA_SASL_MECHANISM to one that the broker knows.',
  ILLEGAL_SASL_STATE: 'Leave MILENA_KAFKA_SASL_MECHANISM out, or name the port that asks for a password.',
  SASL_AUTHENTICATION_FAILED:
    'Set MILENA_KAFKA_SASL_USERNAME and MILENA_KAFKA_SASL_PASSWORD to what the broker knows.',
  UNSUPPORTED_VERSION: 'Milena needs Kafka 4.0 or later, with group.version 1: see docs/operations.md.',
  KAFKA_STORAGE_ERROR: "Look into the broker's log and at its disk.",
  THROTTLING_QUOTA_EXCEEDED: "Raise the quota for the frontend's principal (kafka-configs.sh).",
  SECURITY_DISABLED: 'Nothing: without an authorizer everybody may do everything.',
  GROUP_MAX_SIZE_REACHED: 'Take other members out of the group: it is to have one.',
  INCONSISTENT_CLUSTER_ID: 'Give MILENA_KAFKA_BROKERS addresses of one cluster only.',
  MISMATCHED_ENDPOINT_TYPE: 'Give MILENA_KAFKA_BROKERS a listener for clients.',
  TRANSACTIONAL_ID_NOT_FOUND: WAIT,
};

/** Each passes, or the request goes to another broker. */
const PASSING = [
  ...['LEADER_NOT_AVAILABLE', 'NOT_LEADER_OR_FOLLOWER', 'REQUEST_TIMED_OUT', 'REPLICA_NOT_AVAILABLE'],
  ...[
    'STALE_CONTROLLER_EPOCH',
    'NETWORK_EXCEPTION',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
  ],
  ...['NOT_COORDINATOR', 'NOT_CONTROLLER', 'REBALANCE_IN_PROGRESS', 'CONCURRENT_TRANSACTIONS'],
  ...['REASSIGNMENT_IN_PROGRESS', 'FETCH_SESSION_ID_NOT_FOUND', 'INVALID_FETCH_SESSION_EPOCH'],
  ...['FETCH_SESSION_TOPIC_ID_ERROR', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH', 'STALE_BROKER_EPOCH'],
  ...['OFFSET_NOT_AVAILABLE', 'PREFERRED_LEADER_NOT_AVAILABLE', 'ELIGIBLE_LEADERS_NOT_AVAILABLE'],
  ...['UNSTABLE_OFFSET_COMMIT', 'NEW_LEADER_ELECTED', 'STALE_MEMBER_EPOCH', 'REBOOTSTRAP_REQUIRED'],
  ...['OUT_OF_ORDER_SEQUENCE_NUMBER', 'DUPLICATE_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID'],
  ...[
    'TRANSACTION_COORDINATOR_FENCED',
    'LISTENER_NOT_FOUND',
    'MEMBER_ID_REQUIRED',
    'OPERATION_NOT_ATTEMPTED',
  ],
] as const satisfies readonly KafkaCodeName[];

/** Somebody else was quicker, or has come instead: part of daily life. */
const OVERTAKEN = [
  ...['ILLEGAL_GENERATION', 'INCONSISTENT_GROUP_PROTOCOL', 'UNKNOWN_MEMBER_ID', 'TOPIC_ALREADY_EXISTS'],
  ...['INVALID_PRODUCER_EPOCH', 'INVALID_TXN_STATE', 'INVALID_PRODUCER_ID_MAPPING', 'NON_EMPTY_GROUP'],
  ...['GROUP_ID_NOT_FOUND', 'FENCED_INSTANCE_ID', 'PRODUCER_FENCED', 'FENCED_MEMBER_EPOCH'],
  ...['UNRELEASED_INSTANCE_ID', 'TRANSACTION_ABORTABLE', 'GROUP_SUBSCRIBED_TO_TOPIC'],
] as const satisfies readonly KafkaCodeName[];

const KINDS: readonly [remedy: string, names: ReadonlySet<KafkaCodeName>][] = [
  [WAIT, new Set(PASSING)],
  [ENDED, new Set(OVERTAKEN)],
];
/** Of what Milena never asks for. */
const FOREIGN =
  /^(DELEGATION_|SHARE_|STREAMS_|TELEMETRY_|INVALID_SHARE|INVALID_VOTER|DUPLICATE_|VOTER_|SNAPSHOT_)/;

/** What a code says and what to do, for people. */
export function meaningOf(code: number): Meaning {
  const name = codeName(code);
  if (name === undefined) {
    const says = 'A newer Kafka has a reason that this version of Milena does not know.';
    return { name: `error ${code}`, says, remedy: "Look into the broker's log, and report it." };
  }
  return { name, says: SAYS[name] ?? protocolErrors[name]?.message ?? '', remedy: remedyOf(name) };
}

function remedyOf(name: KafkaCodeName): string {
  const own = REMEDIES[name];
  if (own !== undefined) return own;
  if (name.endsWith('_AUTHORIZATION_FAILED') && !FOREIGN.test(name)) return GRANT;
  for (const [remedy, names] of KINDS) if (names.has(name)) return remedy;
  return FOREIGN.test(name) ? NEVER : REPORT;
}
